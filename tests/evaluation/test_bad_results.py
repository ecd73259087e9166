"""What can be wrong with results, one row each: the message in full, and what --lenient counts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lvis_merge.errors import InputError
from lvis_merge.evaluation import GroundTruth, evaluate, read_results, result_file, truth_of_lvis
from tests.evaluation.world import HEIGHT, WIDTH, World, box_mask, category, found, image, thing

BOX = [10, 10, 20, 20]
GOOD = found(1, 1, BOX, 0.5)
MASKED = found(1, 1, BOX, 0.5, mask=True)
LENIENT = " Or --lenient: such entries are dropped and counted."


@pytest.fixture
def truth(tmp_path: Path) -> GroundTruth:
    content = {
        "images": [image(1), image(2)],
        "annotations": [thing(1, 1, 1, [float(v) for v in BOX])],
        "categories": [category(1), category(2)],
    }
    return truth_of_lvis(World(content, []).write(tmp_path)[0])


@dataclass(frozen=True)
class Bad:
    """A change to a good entry, the fault that is counted, and the message."""

    change: Any
    fault: str
    message: str
    good: dict[str, Any] | None = None


def mask(size: list[int], counts: Any) -> dict[str, Any]:
    return {"segmentation": {"size": size, "counts": counts}}


SIZE = [HEIGHT, WIDTH]
COUNTS = box_mask(BOX)["counts"]
NOT_RUN_LENGTHS = (
    "segmentation is not compressed run lengths, an object of size [height, width] and counts (a"
    " string). Encode it with pycocotools.mask."
)

BAD = {
    # results of another split, or of another data set
    "unknown image": Bad(
        {"image_id": 999},
        "image_id",
        "image_id 999 is not in lvis_val.json. Evaluate with the annotations of the images that"
        " were detected on.",
    ),
    # 0-based class indices, say
    "unknown category": Bad(
        {"category_id": 0},
        "category_id",
        "category_id 0 is not in lvis_val.json. Write its category ids (LVIS starts at 1, and v0.5"
        " and v1 differ).",
    ),
    # logits
    "score over 1": Bad(
        {"score": 1.5}, "score", "score is 1.5, not in [0, 1]. Write probabilities."
    ),
    "score under 0": Bad(
        {"score": -0.25}, "score", "score is -0.25, not in [0, 1]. Write probabilities."
    ),
    # Python's json writes NaN, which JSON lacks
    "score NaN": Bad(
        {"score": float("nan")}, "score", "score is nan, not in [0, 1]. Write probabilities."
    ),
    "box with NaN": Bad(
        {"bbox": [10, float("nan"), 20, 20]},
        "bbox",
        "bbox is [10, nan, 20, 20]: it is not finite. Write x, y, w, h in pixels.",
    ),
    "infinite box": Bad(
        {"bbox": [10, 10, float("inf"), 20]},
        "bbox",
        "bbox is [10, 10, inf, 20]: it is not finite. Write x, y, w, h in pixels.",
    ),
    # corners instead of sides
    "negative side": Bad(
        {"bbox": [10, 10, -20, 20]},
        "bbox",
        "bbox is [10, 10, -20, 20]: its width or height is negative. Write x, y, w, h in pixels.",
    ),
    # the mask of a resized image
    "mask of another size": Bad(
        mask([HEIGHT + 1, WIDTH], COUNTS),
        "segmentation",
        f"segmentation is {HEIGHT + 1} x {WIDTH}, the image is {HEIGHT} x {WIDTH} (height x width)."
        " Resize the mask to the image as published.",
        MASKED,
    ),
    # the right size and the counts of another image
    "mask that does not fill the image": Bad(
        mask(SIZE, box_mask(BOX, HEIGHT, WIDTH - 40)["counts"]),
        "segmentation",
        f"segmentation: counts fill {HEIGHT * (WIDTH - 40):,} pixels, the image has"
        f" {HEIGHT * WIDTH:,}. Encode the mask again, with pycocotools.mask.",
        MASKED,
    ),
    # cut off in the middle of a number
    "damaged mask": Bad(
        mask(SIZE, "Q"),
        "segmentation",
        "segmentation: counts do not decode. Encode the mask again, with pycocotools.mask.",
        MASKED,
    ),
    "uncompressed mask": Bad(mask(SIZE, [5, 3]), "malformed", NOT_RUN_LENGTHS, MASKED),
    "polygon": Bad({"segmentation": [[1, 2, 3, 4, 5, 6]]}, "malformed", NOT_RUN_LENGTHS, MASKED),
    "box of three": Bad(
        {"bbox": [1, 2, 3]},
        "malformed",
        "bbox is [1, 2, 3], not four numbers x, y, w, h. Write those.",
    ),
    "text for an id": Bad(
        {"image_id": "1"}, "malformed", 'image_id is "1", not an integer. Write it as one.'
    ),
    "fraction for an id": Bad(
        {"category_id": 1.5}, "malformed", "category_id is 1.5, not an integer. Write it as one."
    ),
    "text for a score": Bad(
        {"score": "high"}, "malformed", 'score is "high", not a number. Write one in [0, 1].'
    ),
    "neither box nor mask": Bad(
        {"bbox": None},
        "uneven",
        "has neither bbox nor segmentation, the first entry has only bbox. Write the same fields in"
        " every entry.",
    ),
    "no mask where others have one": Bad(
        {"segmentation": None},
        "uneven",
        "has only bbox, the first entry has bbox and segmentation. Write the same fields in every"
        " entry.",
        MASKED,
    ),
}


def write(folder: Path, text: str) -> str:
    path = folder / "results.json"
    path.write_text(text)
    return str(path)


def run(path: str, truth: GroundTruth, lenient: bool = False) -> Any:
    results = read_results(path, truth, lenient=lenient)
    return evaluate(results, truth)


@pytest.mark.parametrize("name", BAD)
def test_message_and_count(tmp_path: Path, truth: GroundTruth, name: str) -> None:
    bad = BAD[name]
    good = bad.good or GOOD
    path = write(tmp_path, json.dumps([good, good, {**good, **bad.change}, good]))
    with pytest.raises(InputError) as caught:
        run(path, truth)
    assert str(caught.value) == f"{path}: entry 3: {bad.message}{LENIENT}"
    dropped = run(path, truth, lenient=True)
    assert dropped.dropped == {bad.fault: 1}
    assert dropped.entries == 4
    # what is left is scored as if the bad entry had never been there
    left = run(write(tmp_path, json.dumps([good] * 3)), truth)
    assert dropped.scores == left.scores


@pytest.mark.parametrize("field", ["image_id", "category_id", "score"])
def test_missing_field(tmp_path: Path, truth: GroundTruth, field: str) -> None:
    path = write(tmp_path, json.dumps([{k: v for k, v in GOOD.items() if k != field}]))
    with pytest.raises(InputError) as caught:
        run(path, truth)
    assert str(caught.value) == f"{path}: entry 1: has no {field}. Write it.{LENIENT}"


def test_first_entry_without_box_or_mask(tmp_path: Path, truth: GroundTruth) -> None:
    path = write(tmp_path, json.dumps([{**GOOD, "bbox": None}]))
    with pytest.raises(InputError, match="entry 1: has neither bbox nor segmentation"):
        run(path, truth)


def test_an_entry_that_is_no_object(tmp_path: Path, truth: GroundTruth) -> None:
    path = write(tmp_path, "[[1, 2, 3]]")
    with pytest.raises(InputError) as caught:
        run(path, truth)
    assert str(caught.value) == (
        f"{path}: entry 1: is [1, 2, 3], not an object. Write image_id, category_id, score, bbox."
        + LENIENT
    )


def test_the_first_of_several_is_told(tmp_path: Path, truth: GroundTruth) -> None:
    # whatever is wrong with it, and however far the reading has come
    entries = [GOOD, {**GOOD, "score": 2}, {**GOOD, "image_id": "x"}, {**GOOD, "image_id": 9}]
    with pytest.raises(InputError, match="entry 2: score is 2, not"):
        run(write(tmp_path, json.dumps(entries)), truth)
    dropped = run(write(tmp_path, json.dumps(entries)), truth, lenient=True)
    assert dropped.dropped == {"score": 1, "malformed": 1, "image_id": 1}


def test_an_entry_has_one_fault(tmp_path: Path, truth: GroundTruth) -> None:
    bad = {**GOOD, "image_id": 9, "category_id": 9, "score": 9}
    dropped = run(write(tmp_path, json.dumps([bad, GOOD])), truth, lenient=True)
    assert dropped.dropped == {"image_id": 1}


def test_dropped_entries_take_no_place_under_the_cap(tmp_path: Path, truth: GroundTruth) -> None:
    damaged = {**MASKED, "score": 0.9, "segmentation": {"size": SIZE, "counts": "Q"}}
    dropped = run(write(tmp_path, json.dumps([damaged] * 300 + [MASKED])), truth, lenient=True)
    assert dropped.dropped == {"segmentation": 300}
    assert [scores.figures["AP"] for scores in dropped.scores] == pytest.approx([1, 1])


@pytest.mark.parametrize("lenient", [False, True])
def test_the_reference_never_sees_a_damaged_mask(
    tmp_path: Path, truth: GroundTruth, lenient: bool
) -> None:
    # pycocotools would read past its end; category 2 is not even looked for on the image
    damaged = {**MASKED, "category_id": 2, "segmentation": {"size": SIZE, "counts": "Q"}}
    path = write(tmp_path, json.dumps([MASKED, damaged]))
    results = read_results(path, truth, lenient=lenient)
    if lenient:
        assert evaluate(results, truth, backend="lvis").dropped == {"segmentation": 1}
    else:
        with pytest.raises(InputError, match="entry 2: segmentation: counts do not decode"):
            evaluate(results, truth, backend="lvis")


TEXT = json.dumps([GOOD] * 3)
ADVICE = (
    ". Give LVIS results: a JSON array of entries with image_id, category_id, score and bbox or"
    " segmentation."
)
CUT = "It was cut short; write or copy it again."
FILES = {
    "empty": ("", f"is empty{ADVICE}"),
    "only spaces": (" \n", f"is empty{ADVICE}"),
    "annotation file": (
        '{"images": []}',
        f"is a JSON object, not an array (an annotation file, perhaps){ADVICE}",
    ),
    "web page": ("<html>", f"is no JSON array; it starts with '<html>'{ADVICE}"),
    "only a bracket": ("[", f"the file ends at entry 1, before its array does. {CUT}"),
    "cut in an entry": (
        TEXT[:-20],
        f"the file ends at entry 3, before its array does. {CUT}",
    ),
    "cut after a comma": (
        TEXT[: TEXT.index("}, ") + 2],
        f"the file ends at entry 2, before its array does. {CUT}",
    ),
    "cut before the bracket": (
        TEXT[:-1],
        f"the file ends at entry 3, before its array does. {CUT}",
    ),
    "no comma": (
        TEXT.replace("}, {", "} {", 1),
        "is no valid JSON near entry 1 (Expecting ',' or ']'). Write it again.",
    ),
    "a comma too many": (
        TEXT[:-1] + ", ]",
        "is no valid JSON near entry 3 (an entry is missing before the closing bracket). Write it"
        " again.",
    ),
    "two arrays": (
        TEXT + TEXT,
        "is no valid JSON near entry 3 (there is text after the end of the array). Write it again.",
    ),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("block_bytes", [7, 1 << 20])
def test_damaged_file(
    tmp_path: Path,
    truth: GroundTruth,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    block_bytes: int,
) -> None:
    # a file that cannot be read stops also where single entries are dropped
    monkeypatch.setattr(result_file, "BLOCK_BYTES", block_bytes)
    text, message = FILES[name]
    path = write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        run(path, truth, lenient=True)
    assert str(caught.value) == f"{path}: {message}"


def test_no_such_file(tmp_path: Path, truth: GroundTruth) -> None:
    with pytest.raises(InputError, match="no such file"):
        run(str(tmp_path / "none.json"), truth)
