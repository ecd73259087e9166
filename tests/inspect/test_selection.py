"""Which images are shown: `--sample`, `--category`, `--where`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from lvis_merge.errors import InputError
from lvis_merge.inspect.selection import CONDITION_COLUMNS, Selection, chosen_images
from lvis_merge.manifest import Manifest

Row = dict[str, Any]


def joined(manifest: Manifest) -> list[Row]:
    """Every box with its image and category, images without boxes once; row by row."""
    categories = {row["category_id"]: row for row in manifest.categories.to_pylist()}
    boxes: dict[int, list[Row]] = {}
    for box in manifest.annotations.to_pylist():
        boxes.setdefault(box["image_id"], []).append(box)
    rows = []
    for place, image in enumerate(manifest.images.to_pylist()):
        for box in boxes.get(image["image_id"], [{}]):
            category = categories.get(box.get("category_id"), {})
            rows.append(
                {
                    **image, **box, "place": place, "image_source": image["source"],
                    "source": box.get("source"), "category": category.get("name"),
                    "frequency": category.get("frequency"),
                }
            )  # fmt: skip
    return rows


def where(text: str, manifest: Manifest) -> list[int]:
    return chosen_images(manifest, Selection(where=text)).tolist()


CONDITIONS: list[tuple[str, Callable[[Row], bool]]] = [
    # of the image
    ("split = 'val'", lambda r: r["split"] == "val"),
    ("image_source = 'open_images' AND width > height", lambda r: (
        r["image_source"] == "open_images" and r["width"] > r["height"]
    )),
    # of the box and its category
    ("category = 'owl' AND source = 'open_images'", lambda r: (
        r["category"] == "owl" and r["source"] == "open_images"
    )),
    ("role = 'ignore' AND ignore_reason IN ('group_of', 'crowd')", lambda r: (
        r.get("ignore_reason") in ("group_of", "crowd")
    )),
    ("frequency = 'r' AND w * h < 2000", lambda r: (
        r["frequency"] == "r" and r["bbox"][2] * r["bbox"][3] < 2000
    )),
    ("NOT has_mask AND role = 'object'", lambda r: (
        r.get("role") == "object" and r["segmentation"] is None and r["mask_rle"] is None
    )),
    # images without any box have nulls
    ("annotation_id IS NULL", lambda r: "annotation_id" not in r),
]  # fmt: skip


@pytest.mark.parametrize(("text", "rule"), CONDITIONS, ids=[text for text, _ in CONDITIONS])
def test_a_condition_finds_what_a_loop_finds(
    text: str, rule: Callable[[Row], bool], manifest: Manifest
) -> None:
    expected = sorted({row["place"] for row in joined(manifest) if rule(row)})
    assert expected
    assert where(text, manifest) == expected


@pytest.mark.parametrize(
    "text", ["colour = 'red'", "split ==== 'val'", "", "width", "SELECT 1", "width > 'wide' +"]
)
def test_a_condition_that_is_none_is_told_with_the_way_out(text: str, manifest: Manifest) -> None:
    with pytest.raises(InputError) as told:
        where(text, manifest)
    message = str(told.value)
    assert message.startswith(f"--where {text}: ")
    assert f"Columns: {', '.join(CONDITION_COLUMNS)}." in message


def test_a_condition_that_nothing_meets_is_told(manifest: Manifest) -> None:
    with pytest.raises(InputError, match="no image has a box of where width < 0"):
        where("width < 0", manifest)


def test_a_category_by_name_or_synset(manifest: Manifest) -> None:
    rows = joined(manifest)
    expected = sorted({row["place"] for row in rows if row["category"] == "owl"})
    synset = next(r["synset"] for r in manifest.categories.to_pylist() if r["name"] == "owl")
    for name in ("owl", synset):
        assert chosen_images(manifest, Selection(category=name)).tolist() == expected


def test_an_unknown_category_is_told_with_those_like_it(manifest: Manifest) -> None:
    with pytest.raises(InputError, match=r"--category owll: .* no such category: did you mean owl"):
        chosen_images(manifest, Selection(category="owll"))


def test_a_sample_is_the_same_each_time(manifest: Manifest) -> None:
    every = chosen_images(manifest, Selection()).tolist()
    assert every == list(range(manifest.images.num_rows))
    some = chosen_images(manifest, Selection(sample=7)).tolist()
    assert len(some) == 7
    assert some == sorted(set(some))
    assert some == chosen_images(manifest, Selection(sample=7)).tolist()
    assert chosen_images(manifest, Selection(sample=10_000)).tolist() == every
