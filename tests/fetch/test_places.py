"""Where `fetch` reads and writes: links, mirrors, roots."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from lvis_merge.errors import InputError, UsageError
from lvis_merge.progress import Stages
from tests.fetch.fetching import (
    check_whole,
    fetch,
    image_id,
    key,
    options,
    rows,
    stock,
)
from tests.fetch.server import Server, jpeg


def test_nothing_is_written_through_a_link(tmp_path: Path, server: Server, stages: Stages) -> None:
    stock(server, range(2))
    outside, root = tmp_path / "outside", tmp_path / "root"
    outside.mkdir()
    root.mkdir()
    (root / "train").symlink_to(outside)
    with pytest.raises(InputError, match="is a symbolic link out of"):
        fetch(options(tmp_path, server, range(2)), stages)
    assert list(outside.iterdir()) == []


def test_a_link_that_leads_nowhere_is_replaced(
    tmp_path: Path, server: Server, stages: Stages
) -> None:
    stock(server, range(1))
    link = tmp_path / "root" / key(0)
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "outside.jpg")
    fetch(options(tmp_path, server, range(1)), stages)
    assert not link.is_symlink()
    assert not (tmp_path / "outside.jpg").exists()


def test_a_mirror_may_be_a_folder(tmp_path: Path, server: Server, stages: Stages) -> None:
    stock(server, range(3))
    for name in (key(0), key(1)):
        path = tmp_path / "mirror" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(server.files[name])
    asked = options(tmp_path, server, range(3), mirror=str(tmp_path / "mirror"))
    found = fetch(asked, stages)
    assert (found.fetched, found.failed) == (2, {"not_found": 1})
    assert check_whole(tmp_path / "root") == [key(0), key(1)]


@pytest.mark.parametrize(
    "mirror",
    ["no_such_folder", "ftp://host/x", "http://", "s3://", "http://[::1", "http://host:port",
     "s3://a b/c"],
)  # fmt: skip
def test_a_mirror_that_is_none_is_told(
    tmp_path: Path, server: Server, stages: Stages, mirror: str
) -> None:
    with pytest.raises(UsageError, match="--mirror"):
        fetch(options(tmp_path, server, range(1), mirror=mirror), stages)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_root_that_cannot_be_written_is_told(
    tmp_path: Path, server: Server, stages: Stages
) -> None:
    (tmp_path / "root").mkdir(mode=0o500)
    with pytest.raises(InputError, match="cannot be written to"):
        fetch(options(tmp_path, server, range(1)), stages)


def test_orientation_is_not_applied_to_sizes(
    tmp_path: Path, server: Server, stages: Stages
) -> None:
    server.files[key(0)] = jpeg(0, (60, 40), orientation=6)
    found = fetch(options(tmp_path, server, range(1)), stages)
    assert rows(found.sizes)[1:] == [[image_id(0), "60", "40"]]
    with Image.open(tmp_path / "root" / key(0)) as image:
        assert image.size == (60, 40)
