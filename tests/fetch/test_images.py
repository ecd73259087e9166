"""Images: exactly those chosen, each whole, whatever the server does."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lvis_merge.errors import InputError
from lvis_merge.fetch import download
from lvis_merge.fetch.lists import FAILURES
from lvis_merge.fetch.lock import STATE_FOLDER
from lvis_merge.image_roots import ImageRoot
from lvis_merge.progress import Stages
from tests.fetch.fetching import (
    check_whole,
    fetch,
    image_id,
    key,
    names,
    options,
    rows,
    size_of,
    stock,
)
from tests.fetch.server import Server, jpeg


def test_exactly_the_chosen_images_arrive(tmp_path: Path, server: Server, stages: Stages) -> None:
    stock(server, range(30))
    found = fetch(options(tmp_path, server, range(5, 25)), stages)
    root = tmp_path / "root"
    assert (found.wanted, found.there, found.fetched, found.failed) == (20, 0, 20, {})
    assert sorted(server.asked) == [key(number) for number in range(5, 25)]
    assert names(root) == [
        "openimages_failures.csv",
        "openimages_sizes.csv",
        *(key(number) for number in range(5, 25)),
    ]
    for number in range(5, 25):
        assert (root / key(number)).read_bytes() == server.files[key(number)]
    assert rows(found.sizes) == [
        ["ImageID", "Width", "Height"],
        *([image_id(number), *map(str, size_of(number))] for number in range(5, 25)),
    ]
    assert rows(root / "openimages_failures.csv") == [["ImageID", "FileName", "Reason", "Detail"]]
    assert found.bytes == sum(len(server.files[key(number)]) for number in range(5, 25))
    assert [path.name for path in (root / STATE_FOLDER).iterdir() if path.is_dir()] == []


# each passes in time: the same request is answered well later on
PASSING = {
    "an error of the server": (["503", "500"], "unreachable"),
    "too many requests": (["429"], "unreachable"),
    "a cut connection": (["cut", "cut"], "unreachable"),
    "a connection dropped at once": (["drop"], "unreachable"),
    "silence in the middle": (["stall"], "unreachable"),
    "an error page that says 200": (["html", "html"], "no_image"),
    "half a JPEG, said to be all": (["truncated", "truncated"], "damaged"),
    "a wrong Content-Length": (["short"], "damaged"),
}


@pytest.mark.parametrize(("acts", "reason"), PASSING.values(), ids=PASSING)
def test_what_passes_is_tried_again(
    tmp_path: Path, server: Server, stages: Stages, acts: list[str], reason: str
) -> None:
    stock(server, range(3))
    server.plans[key(1)] = list(acts)
    found = fetch(options(tmp_path, server, range(3)), stages)
    assert (found.fetched, found.failed) == (3, {})
    assert found.retries == {reason: len(acts)}
    assert server.asked[key(1)] == len(acts) + 1
    assert check_whole(tmp_path / "root") == [key(0), key(1), key(2)]


# nothing gets a name, and the list of failures says why
LASTING = {
    "not there": ("404", 1, "not_found", "404 Not Found"),
    "not allowed": ("403", 1, "forbidden", "403 Forbidden"),
    "gone": ("410", 1, "refused", "410 Gone"),
    "always an error": ("503", 8, "unreachable", "503 Service Unavailable"),
    "always cut": ("cut", 8, "unreachable", "the connection was cut"),
    "always a page": ("html", 4, "no_image", "a page, not an image"),
    "always half": ("truncated", 4, "damaged", None),
}


@pytest.mark.parametrize(("act", "tries", "reason", "detail"), LASTING.values(), ids=LASTING)
def test_what_lasts_is_listed(
    tmp_path: Path,
    server: Server,
    stages: Stages,
    act: str,
    tries: int,
    reason: str,
    detail: str | None,
) -> None:
    stock(server, range(3))
    server.plans[key(1)] = [act] * 20
    found = fetch(options(tmp_path, server, range(3)), stages)
    assert (found.fetched, found.failed) == (2, {reason: 1})
    assert server.asked[key(1)] == tries
    assert check_whole(tmp_path / "root") == [key(0), key(2)]
    [listed] = rows(found.failures[0])[1:]
    assert listed[:3] == [image_id(1), key(1), reason]
    assert detail is None or listed[3] == detail
    assert [row[0] for row in rows(found.sizes)[1:]] == [image_id(0), image_id(2)]


def test_an_image_that_says_it_is_huge_is_not_read(
    tmp_path: Path, server: Server, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MOST_BYTES", 10_000)
    stock(server, range(2))
    server.files[key(1)] += bytes(10_000)
    found = fetch(options(tmp_path, server, range(2)), stages)
    assert found.failed == {"too_large": 1}


# going on


def test_what_is_there_is_not_asked_for_again(
    tmp_path: Path, server: Server, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock(server, range(8))
    fetch(options(tmp_path, server, range(5)), stages)
    server.asked.clear()
    # nor is it decoded: the ledger has its length and its time
    monkeypatch.setattr("lvis_merge.fetch.look.check_image", None)
    found = fetch(options(tmp_path, server, range(8)), stages)
    assert (found.there, found.fetched) == (5, 3)
    assert sorted(server.asked) == [key(5), key(6), key(7)]
    assert len(rows(found.sizes)) == 1 + 8


def test_sizes_and_failures_of_earlier_selections_are_kept(
    tmp_path: Path, server: Server, stages: Stages
) -> None:
    """Else a build that looks for substitutes would choose the missing ones again."""
    stock(server, range(6))
    del server.files[key(1)]
    fetch(options(tmp_path, server, [0, 1, 2]), stages)
    del server.files[key(4)]
    found = fetch(options(tmp_path, server, [0, 2, 3, 4]), stages)
    assert [row[0] for row in rows(found.failures[0])[1:]] == [image_id(1), image_id(4)]
    assert [row[0] for row in rows(found.sizes)[1:]] == [image_id(n) for n in (0, 2, 3)]
    # once it is there, it is no failure any more
    stock(server, [1])
    found = fetch(options(tmp_path, server, [1]), stages)
    assert [row[0] for row in rows(found.failures[0])[1:]] == [image_id(4)]


def test_a_changed_file_is_looked_at_again(tmp_path: Path, server: Server, stages: Stages) -> None:
    stock(server, range(3))
    fetch(options(tmp_path, server, range(3)), stages)
    path = tmp_path / "root" / key(1)
    path.write_bytes(path.read_bytes()[:-300])
    server.asked.clear()
    found = fetch(options(tmp_path, server, range(3)), stages)
    assert (found.there, found.fetched) == (2, 1)
    assert server.asked == {key(1): 1}
    assert path.read_bytes() == server.files[key(1)]


@pytest.mark.parametrize(
    "notes",
    [
        b"train/\xff\xfe.jpg,1,1,1,1,0\n",  # blocks of another file, after a power cut
        b"\0" * 4096,  # blocks that were never written
        b'"' + b"a,1\n" * 50_000,  # a quote that eats more than a field may hold
        b"train/x.jpg,one,2,3,4,5\n\n,,\n",
    ],
)
def test_spoilt_notes_cost_a_second_look_and_no_more(
    tmp_path: Path, server: Server, stages: Stages, notes: bytes
) -> None:
    stock(server, range(3))
    asked = options(tmp_path, server, range(3))
    fetch(asked, stages)
    [ledger] = (tmp_path / "root").rglob("checked.csv")
    ledger.write_bytes(notes + ledger.read_bytes()[:-5])
    (tmp_path / "root" / FAILURES).write_bytes(notes)
    server.asked.clear()
    for _ in range(2):  # what the first one adds, the second one reads
        found = fetch(asked, stages)
        assert (found.there, found.fetched, server.asked) == (3, 0, {})
        assert len(rows(found.sizes)) == 4


def test_a_damaged_file_is_set_aside_even_if_it_cannot_be_had_again(
    tmp_path: Path, server: Server, stages: Stages
) -> None:
    stock(server, [0])
    path = tmp_path / "root" / key(1)
    path.parent.mkdir(parents=True)
    path.write_bytes(jpeg(1)[:-300])
    found = fetch(options(tmp_path, server, range(2)), stages)
    assert found.failed == {"not_found": 1}
    assert check_whole(tmp_path / "root") == [key(0)]
    assert path.with_name(path.name + ".damaged").is_file()


def test_images_of_other_roots_are_used(tmp_path: Path, server: Server, stages: Stages) -> None:
    stock(server, range(3))
    for folder, number, data in (
        ("mine", 0, server.files[key(0)]),
        ("mine", 1, server.files[key(1)][:-300]),  # damaged: fetched, and left as it is
        ("lvis", 2, server.files[key(2)]),  # bound to another source
    ):
        path = tmp_path / folder / key(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    asked = options(tmp_path, server, range(3))
    roots = [ImageRoot(tmp_path / "mine"), ImageRoot(tmp_path / "lvis", "lvis")]
    found = fetch(replace(asked, image_roots=roots), stages)
    assert (found.there, found.fetched) == (1, 2)
    assert check_whole(tmp_path / "root") == [key(1), key(2)]
    assert [row[0] for row in rows(found.sizes)[1:]] == [image_id(n) for n in range(3)]
    assert (tmp_path / "mine" / key(1)).is_file()


def test_leftovers_of_a_killed_run_are_removed(
    tmp_path: Path, server: Server, stages: Stages
) -> None:
    stock(server, range(2))
    state = tmp_path / "root" / STATE_FOLDER
    (state / "partial").mkdir(parents=True)
    (state / "partial" / "7").write_bytes(b"half")
    # cut in the middle of a line, which might read as another number
    (state / "checked.csv").write_text(f"{key(0)},12345,17")
    fetch(options(tmp_path, server, range(2)), stages)
    assert not (state / "partial").exists()
    assert [row[0] for row in rows(state / "checked.csv")] in (
        [key(0), key(1)],
        [key(1), key(0)],
    )


@pytest.mark.parametrize(
    "row",
    ["0a," + "x" * 300 + ",damaged,", "0a,../x.jpg,damaged,", "0a,/etc/x,damaged,"],
    ids=["long", "parent", "absolute"],
)
def test_failures_under_names_that_no_image_has_are_forgotten(
    tmp_path: Path, server: Server, stages: Stages, row: str
) -> None:
    stock(server, range(3))
    asked = options(tmp_path, server, range(3))
    asked.to.mkdir()
    (asked.to / "openimages_failures.csv").write_text(f"ImageID,FileName,Reason,Detail\n{row}\n")
    found = fetch(asked, stages)
    assert (found.fetched, rows(found.failures[0])[1:]) == (3, [])


def test_two_runs_do_not_write_to_one_root(tmp_path: Path, server: Server, stages: Stages) -> None:
    stock(server, range(2))
    server.delay = 0.3
    asked = options(tmp_path, server, range(2))
    first = threading.Thread(target=fetch, args=(asked, stages))
    first.start()
    while not server.asked:
        time.sleep(0.01)
    with pytest.raises(InputError, match="another `lvis-merge fetch` is writing here"):
        fetch(asked, stages)
    first.join()
    assert check_whole(tmp_path / "root") == [key(0), key(1)]
