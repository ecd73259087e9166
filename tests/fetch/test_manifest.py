"""Images of a manifest: Open Images from the bucket, COCO's by their addresses."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import obstore
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lvis_merge.errors import InputError, UsageError
from lvis_merge.fetch.origins import Origins
from lvis_merge.fetch.run import FetchOptions
from lvis_merge.fetch.trouble import Reason, Trouble
from lvis_merge.image_roots import find_image, image_roots
from lvis_merge.manifest import open as open_manifest
from lvis_merge.pipeline.options import BuildOptions
from lvis_merge.progress import Stages
from tests.cli.small_inputs import FOLDER, MAP, PICTURES, SIZES, TRAIN, Inputs, make_inputs
from tests.fetch.fetching import QUICK, fetch, names, rows
from tests.fetch.server import Server
from tests.pipeline.running import build_quietly


def grey(size: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "grey").save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def inputs(tmp_path: Path, server: Server) -> Inputs:
    """Inputs whose coco_url is at the server."""
    made = make_inputs(tmp_path / "files")
    content = made.text(TRAIN).replace("http://images.cocodataset.org", server.address)
    made.write(TRAIN, content)
    return made


@pytest.fixture
def manifest(tmp_path: Path, inputs: Inputs) -> Path:
    """Three images of LVIS and four of Open Images."""
    build_quietly(
        BuildOptions(
            out=tmp_path / "m",
            lvis=str(inputs.path(TRAIN)),
            openimages=str(inputs.path(FOLDER)),
            openimages_sizes=str(inputs.path(SIZES)),
            mapping=str(inputs.path(MAP)),
            images=None,
        )
    )
    return tmp_path / "m"


@pytest.fixture
def asked(tmp_path: Path, manifest: Path, server: Server) -> FetchOptions:
    for row in open_manifest(manifest).images.to_pylist():
        server.files[row["file_name"]] = grey((row["width"], row["height"]))
    return FetchOptions(
        manifest, tmp_path / "root", mirror=server.address, workers=4, patience=QUICK
    )


def test_coco_images_only_when_asked_for(
    asked: FetchOptions, server: Server, stages: Stages
) -> None:
    found = fetch(asked, stages)
    assert (found.fetched, found.not_asked_for) == (4, 3)
    found = fetch(replace(asked, coco=True), stages)
    assert (found.there, found.fetched, found.not_asked_for) == (4, 3, 0)
    # the root works as --image-root
    roots = image_roots([str(asked.to)])
    for row in open_manifest(asked.what).images.to_pylist():
        assert find_image(row["file_name"], row["source"], roots) is not None


def test_an_image_of_another_size_is_not_the_one_meant(
    asked: FetchOptions, server: Server, stages: Stages
) -> None:
    server.files[f"train/{PICTURES[1]}.jpg"] = grey((7, 9))
    server.files["train2017/000000000012.jpg"] = grey((7, 9))
    found = fetch(replace(asked, coco=True), stages)
    assert found.failed == {"wrong_size": 2}
    assert server.asked[f"train/{PICTURES[1]}.jpg"] == 1
    first, other = found.failures
    assert rows(first)[1:] == [
        [PICTURES[1], f"train/{PICTURES[1]}.jpg", "wrong_size",
         "7 x 9 pixels, the manifest says 101 x 80"],
    ]  # fmt: skip
    assert (other.name, rows(other)[1][:3]) == (
        "coco_failures.csv", ["12", "train2017/000000000012.jpg", "wrong_size"],
    )  # fmt: skip
    assert f"train/{PICTURES[1]}.jpg" not in names(asked.to)
    # the list of COCO goes when there is nothing in it any more
    server.files["train2017/000000000012.jpg"] = grey((64, 48))
    fetch(replace(asked, coco=True), stages)
    assert not other.exists()


def test_an_image_there_of_another_size_is_fetched(
    asked: FetchOptions, server: Server, stages: Stages
) -> None:
    path = asked.to / f"train/{PICTURES[0]}.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(grey((7, 9)))
    found = fetch(asked, stages)
    assert found.fetched == 4
    assert path.read_bytes() == server.files[f"train/{PICTURES[0]}.jpg"]


def test_a_manifest_of_coco_images_alone_needs_coco(
    tmp_path: Path, inputs: Inputs, server: Server, stages: Stages
) -> None:
    build_quietly(BuildOptions(out=tmp_path / "lvis", lvis=str(inputs.path(TRAIN))))
    with pytest.raises(UsageError, match=r"none of its 3 images is of Open Images\. Add --coco"):
        fetch(FetchOptions(tmp_path / "lvis", tmp_path / "root", patience=QUICK), stages)


def rewrite(manifest: Path, column: str, change: Callable[[dict[str, Any]], str | None]) -> None:
    """Changes a column of a manifest's images."""
    images = open_manifest(manifest).images
    place = images.schema.get_field_index(column)
    values = pa.array([change(row) for row in images.to_pylist()], pa.string())
    changed = images.set_column(place, images.schema.field(place), values)
    pq.write_table(changed, manifest / "images.parquet")


@pytest.mark.parametrize(
    "url",
    ["file:///etc/hostname", "http://", "http://host", "ftp://host/train2017/x.jpg",
     "http://127.0.0.1/x.jpg?key=1", "http://[::1/x.jpg", "http://host:port/x.jpg",
     "http://host:99999/x.jpg", "http://ho st/x.jpg"],
)  # fmt: skip
def test_addresses_that_are_not_followed(asked: FetchOptions, stages: Stages, url: str) -> None:
    rewrite(asked.what, "url", lambda row: url if row["source"] == "lvis" else row["url"])
    found = fetch(replace(asked, coco=True), stages)
    assert (found.fetched, found.failed) == (4, {"no_url": 3})


def test_images_without_an_address_are_no_failures(asked: FetchOptions, stages: Stages) -> None:
    rewrite(asked.what, "url", lambda row: None if row["source"] == "lvis" else row["url"])
    found = fetch(replace(asked, coco=True), stages)
    assert (found.fetched, found.failed, found.without_address) == (4, {}, 3)


@pytest.mark.parametrize("key", ["../../x.jpg", "%2e%2e/x.jpg", "a%00.jpg"])
def test_an_address_that_leads_out_is_refused_at_once(key: str) -> None:
    """It is no outage that passes, so nothing is tried again."""
    store, found = Origins(None, QUICK).web(f"http://127.0.0.1/{key}")
    with pytest.raises(ValueError, match="Could not parse path") as error:
        obstore.get(store, found)
    assert Trouble.of(error.value).reason is Reason.refused


def test_names_of_a_manifest_are_checked(asked: FetchOptions, stages: Stages) -> None:
    rewrite(asked.what, "file_name", lambda row: f"../{row['file_name']}")
    with pytest.raises(InputError, match=r"image 11: the file name '\.\./train2017"):
        fetch(replace(asked, coco=True), stages)
    assert not asked.to.exists()
