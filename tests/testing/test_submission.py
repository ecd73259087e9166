"""The archive for the test server: its bytes, and the rules it is checked against."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lvis_merge.errors import InputError
from lvis_merge.evaluation.known import Known
from lvis_merge.testing.submission import submit
from tests.evaluation.world import HEIGHT, WIDTH, box_mask, found

BOX = [10.0, 10.0, 20.0, 20.0]
KNOWN = Known("test.json", np.array([1, 2, 3]), np.array([[HEIGHT, WIDTH]] * 3), np.array([1, 2]))
GOOD = found(1, 1, BOX, 0.5, mask=True)


def write(folder: Path, rows: list[dict[str, Any]]) -> str:
    path = folder / "results.json"
    path.write_text(json.dumps(rows))
    return str(path)


def test_the_archive_holds_the_entries_without_their_boxes(tmp_path: Path) -> None:
    rows = [GOOD, found(2, 2, BOX, 0.1 + 0.2, mask=True)]
    outcome = submit(write(tmp_path, rows), KNOWN, tmp_path / "s.zip")
    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        assert archive.namelist() == ["results.json"]
        content = json.loads(archive.read("results.json"))
    assert content == [{k: v for k, v in row.items() if k != "bbox"} for row in rows]
    assert (outcome.entries, outcome.images, outcome.images_without) == (2, 2, 1)
    assert outcome.boxes_left_out
    assert outcome.bytes == (tmp_path / "s.zip").stat().st_size
    assert not outcome.dropped


def test_the_same_results_give_the_same_bytes(tmp_path: Path) -> None:
    path = write(tmp_path, [GOOD] * 40)
    for name in ("a.zip", "b.zip"):
        submit(path, KNOWN, tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        member = archive.getinfo("results.json")
    # no time, no permissions of this machine
    assert (member.date_time, member.external_attr >> 16) == ((1980, 1, 1, 0, 0, 0), 0o644)


SIZE = [HEIGHT, WIDTH]
BAD = {
    # another split's
    "image": ({**GOOD, "image_id": 4}, "entry 2: image_id 4 is not in test.json."),
    "category": ({**GOOD, "category_id": 3}, "entry 2: category_id 3 is not in test.json."),
    "score": ({**GOOD, "score": float("nan")}, "entry 2: score is nan, not in [0, 1]."),
    # a mask of the resized image
    "size": (
        {**GOOD, "segmentation": box_mask(BOX, HEIGHT + 1, WIDTH)},
        f"entry 2: segmentation is {HEIGHT + 1} x {WIDTH}, the image is {HEIGHT} x {WIDTH}",
    ),
    # the right size, and run lengths that do not fill it
    "pixels": (
        {**GOOD, "segmentation": {"size": SIZE, "counts": box_mask(BOX, 60, 60)["counts"]}},
        f"entry 2: segmentation: counts fill 3,600 pixels, the image has {HEIGHT * WIDTH:,}.",
    ),
    "no mask": (found(1, 1, BOX, 0.5), "entry 2: has only bbox, the first entry has bbox and seg"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_the_server_would_refuse(case: str, tmp_path: Path) -> None:
    entry, message = BAD[case]
    path = write(tmp_path, [GOOD, entry, GOOD])
    with pytest.raises(InputError) as error:
        submit(path, KNOWN, tmp_path / "s.zip")
    assert str(error.value).startswith(f"{path}: {message}")
    assert not (tmp_path / "s.zip").exists()
    outcome = submit(path, KNOWN, tmp_path / "s.zip", lenient=True)
    assert outcome.entries == 2
    assert sum(outcome.dropped.values()) == 1


def test_more_than_300_on_an_image(tmp_path: Path) -> None:
    rows = [found(2, 1, BOX, n / 400, mask=True) for n in range(301)]
    path = write(tmp_path, [GOOD, *rows])
    with pytest.raises(InputError) as error:
        submit(path, KNOWN, tmp_path / "s.zip")
    assert str(error.value).startswith(
        f"{path}: image_id 2 has 301 detections, the server takes 300."
    )
    outcome = submit(path, KNOWN, tmp_path / "s.zip", lenient=True)
    assert (outcome.entries, outcome.dropped) == (301, {"over_cap": 1})
    with zipfile.ZipFile(tmp_path / "s.zip") as archive:
        scores = [row["score"] for row in json.loads(archive.read("results.json"))]
    assert 0.0 not in scores  # the lowest went


def test_boxes_alone_and_no_results_at_all(tmp_path: Path) -> None:
    for rows, message in (
        ([found(1, 1, BOX, 0.5)], "has boxes only, and the server scores masks."),
        ([], "has boxes only, and"),
    ):
        with pytest.raises(InputError, match=message):
            submit(write(tmp_path, rows), KNOWN, tmp_path / "s.zip")
    bad = write(tmp_path, [{**GOOD, "score": 2.0}])
    with pytest.raises(InputError, match=r"has no detections. The server wants some"):
        submit(bad, KNOWN, tmp_path / "s.zip", lenient=True)
