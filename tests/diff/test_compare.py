"""What differs between two manifests, for changes that are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from lvis_merge.diff.result import Change, Diff
from tests.diff.changing import Rows, changed, diff_of
from tests.manifest.small import Small, small
from tests.manifest.small_rows import CUP, KAZOO, OPEN_A, TEDDY


def counts(found: Diff) -> dict[str, tuple[int, int, int]]:
    return {one.source: (one.added, one.removed, one.changed) for one in found.sources}


NONE = {"lvis": (0, 0, 0), "coco": (0, 0, 0), "open_images": (0, 0, 0)}


def test_a_manifest_and_itself(tmp_path: Path) -> None:
    found = diff_of(small(), small(), tmp_path)
    assert found.equal
    assert counts(found) == NONE
    assert found.fields == found.categories == found.examples == found.category_list == ()


def set_on(place: int, **values: Any) -> Callable[[Rows], object]:
    return lambda rows: rows[place].update(values)


@pytest.mark.parametrize(
    ("change", "source", "fields"),
    [
        (set_on(0, bbox=[10.5, 20.0, 100.0, 50.5]), "lvis", {"bbox"}),
        (set_on(0, area=2481.5), "lvis", {"area"}),
        # one coordinate of the second part
        (set_on(0, segmentation=[[10.5, 20, 110.5, 20, 60, 70], [1, 1, 2, 1, 2, 2, 1, 3]]),
         "lvis", {"segmentation"}),
        # as many numbers in other parts
        (set_on(0, segmentation=[[10.5, 20, 110.5, 20, 60, 70, 1, 1], [2, 1, 2, 2, 1, 2]]),
         "lvis", {"segmentation"}),
        # polygons for a bitmap
        (set_on(1, mask_rle=None, segmentation=[[1, 1, 2, 1, 2, 2]]),
         "lvis", {"mask_rle", "segmentation"}),
        (set_on(0, category_id=TEDDY, relabelled_from=CUP), "lvis",
         {"category_id", "relabelled_from"}),
        (set_on(2, ignore_reason="crowd"), "coco", {"ignore_reason"}),
        (set_on(2, matched_annotation_id=2), "coco", {"matched_annotation_id"}),
        (set_on(2, matched_annotation_id=None), "coco", {"matched_annotation_id"}),
        (set_on(10, role="object", ignore_reason=None), "open_images",
         {"role", "ignore_reason"}),
        # unknown is not false
        (set_on(9, is_inside=False), "open_images", {"is_inside"}),
        (set_on(9, map_relation="exact"), "open_images", {"map_relation"}),
    ],
)  # fmt: skip
def test_a_changed_box(
    change: Callable[[Rows], object], source: str, fields: set[str], tmp_path: Path
) -> None:
    found = diff_of(small(), changed("annotations", change), tmp_path)
    assert counts(found) == NONE | {source: (0, 0, 1)}
    assert {one.field for one in found.fields} == fields
    assert {one.rows for one in found.fields} == {1}
    (example,) = found.examples
    assert {change.name.replace("category", "category_id") for change in example.changes} >= {
        name for name in fields if name == "category_id"
    }
    assert example.kind == "changed"
    assert not found.equal


def test_added_and_removed_boxes_do_not_move_the_others(tmp_path: Path) -> None:
    """Annotation ids of all that follow differ, and with them those that are matched."""
    found = diff_of(small(), changed("annotations", lambda rows: rows.pop(0)), tmp_path)
    assert counts(found) == NONE | {"lvis": (0, 1, 0), "coco": (0, 0, 1)}  # its match is gone
    (removed, _) = found.examples
    assert (removed.kind, removed.source_image_id, removed.source_annotation_id) == (
        "removed", "9", "5",
    )  # fmt: skip
    back = diff_of(changed("annotations", lambda rows: rows.pop(0)), small(), tmp_path / "back")
    assert counts(back) == NONE | {"lvis": (1, 0, 0), "coco": (0, 0, 1)}


def test_one_published_id_in_train_and_val_is_two_boxes(tmp_path: Path) -> None:
    """LVIS ids are unique within a file: 5 is one of train and one of val here."""
    found = diff_of(small(), changed("annotations", set_on(6, area=13.0)), tmp_path)
    assert counts(found) == NONE | {"lvis": (0, 0, 1)}
    (example,) = found.examples
    assert example.source_image_id == "139"


def test_counts_by_category_add_up(tmp_path: Path) -> None:
    def change(rows: Rows) -> None:
        rows[0].update(category_id=TEDDY)  # a cup becomes a teddy
        rows[1].update(area=1.0)  # a spoon is changed
        rows[10].update(role="object", ignore_reason=None)  # a spoon that was ignored
        del rows[5]  # a teddy goes

    found = diff_of(small(), changed("annotations", change), tmp_path)
    by_name = {one.name: one for one in found.categories}
    assert set(by_name) == {"cup", "teddy_bear", "spoon"}
    for one in found.categories:
        assert one.after == one.before + one.added - one.removed + one.gained - one.lost
    cup, teddy, spoon = by_name["cup"], by_name["teddy_bear"], by_name["spoon"]
    assert (cup.lost, cup.gained, cup.removed) == (1, 0, 0)
    assert (teddy.gained, teddy.removed) == (1, 1)
    assert (spoon.changed, spoon.gained) == (1, 1)
    assert spoon.ignore_after == spoon.ignore_before - 1
    # teddy: one image gains it, one loses it
    assert (teddy.images_before, teddy.images_after) == (2, 2)


@pytest.mark.parametrize(
    ("place", "values", "source", "split", "fields"),
    [
        (0, {"width": 641}, "lvis", "train", {"width"}),
        (0, {"neg_category_ids": [TEDDY, KAZOO]}, "lvis", "train", {"neg_category_ids"}),
        (2, {"license": None}, "lvis", "val", {"license"}),
        (4, {"title": "x", "pos_category_ids": [CUP]}, "open_images", "train",
         {"title", "pos_category_ids"}),
    ],
)  # fmt: skip
def test_a_changed_image(
    place: int, values: dict[str, Any], source: str, split: str, fields: set[str], tmp_path: Path
) -> None:
    found = diff_of(small(), changed("images", set_on(place, **values)), tmp_path)
    assert counts(found) == NONE
    touched = {(one.source, one.split): one.changed for one in found.images if one.changed}
    assert touched == {(source, split): 1}
    assert {(one.table, one.field) for one in found.fields} == {("images", f) for f in fields}


def test_an_image_less(tmp_path: Path) -> None:
    def without(rows: Rows) -> None:
        rows[:] = [row for row in rows if row.get("source_image_id") != OPEN_A
                   and not row.get("source_annotation_id", "").startswith(OPEN_A)]  # fmt: skip

    after = changed("annotations", without, changed("images", without))
    found = diff_of(small(), after, tmp_path)
    (image,) = [one for one in found.images if one.removed]
    assert (image.source, image.before, image.after, image.added) == ("open_images", 2, 1, 0)
    assert counts(found) == NONE | {"open_images": (0, 5, 0)}


def other_ids(made: Small) -> Small:
    """The same categories under other ids, as another LVIS version has them."""

    def annotations(rows: Rows) -> None:
        for row in rows:
            if row["category_id"] is not None:
                row["category_id"] += 100

    def images(rows: Rows) -> None:
        for row in rows:
            for name in ("neg_category_ids", "not_exhaustive_category_ids", "pos_category_ids"):
                row[name] = [category + 100 for category in row[name]]

    def categories(rows: Rows) -> None:
        for row in rows:
            row["category_id"] += 100

    made = changed("annotations", annotations, made)
    made = changed("images", images, made)
    return changed("categories", categories, made)


def test_categories_are_compared_by_what_they_are(tmp_path: Path) -> None:
    found = diff_of(small(), other_ids(small()), tmp_path)
    assert counts(found) == NONE
    assert found.fields == ()
    assert Change("cup: category_id", CUP, CUP + 100) in found.category_list
    assert len(found.category_list) == found.before.categories


def test_a_category_more_and_one_described_otherwise(tmp_path: Path) -> None:
    def change(rows: Rows) -> None:
        rows[0]["frequency"] = "c"
        rows.append({**rows[-1], "category_id": 9, "name": "oboe", "synset": "oboe.n.01"})

    before = small().tables.categories.to_pylist()[0]["frequency"]
    found = diff_of(small(), changed("categories", change), tmp_path)
    assert found.category_list == (
        Change("cup: frequency", before, "c"),
        Change("oboe", None, "category"),
    )
    assert not found.same_rows


def test_a_manifest_without_rows(tmp_path: Path) -> None:
    """Everything is added; and nothing, to another such one."""

    def clear(rows: Rows) -> None:
        rows.clear()

    made = small()
    for name in ("images", "annotations", "categories"):
        made = changed(name, clear, made)
    found = diff_of(made, small(), tmp_path)
    assert {one.source: one.added for one in found.sources} == {
        "lvis": 4, "coco": 3, "open_images": 7,
    }  # fmt: skip
    assert sum(one.added for one in found.images) == found.after.images == 5
    assert len(found.category_list) == found.after.categories
    assert diff_of(made, made, tmp_path / "again").equal


def test_options_inputs_and_counts(tmp_path: Path) -> None:
    made = small()
    other = made.record.inputs[0]
    record = made.record.replace(
        seed=3,
        options={**made.record.options, "images": 5, "unmapped": None},
        inputs=(type(other)(other.role, "new.json", 2, "1" * 64), *made.record.inputs[1:]),
        holdout=None,
        warnings=("leakage was not checked",),
    )
    found = diff_of(made, Small(made.tables, record, made.maps), tmp_path)
    assert found.same_rows
    assert not found.equal
    assert Change("images", 2, 5) in found.options
    assert Change("unmapped", "ignore", None) in found.options
    (changed_input,) = found.inputs
    assert changed_input.before is not None
    assert changed_input.after == "new.json (111111111111)"
    names = {change.name for change in found.facts}
    held_out = {"held out", "hash of what is held out"}
    assert names == {"seed", "warning: leakage was not checked"} | held_out


def test_a_diff_is_plain_values(tmp_path: Path) -> None:
    """So that --json can print it."""
    import json

    found = diff_of(small(), changed("annotations", set_on(0, area=1.0)), tmp_path)
    assert json.loads(json.dumps(asdict(found)))["sources"][0]["changed"] == 1


def test_examples_say_what_a_box_is(tmp_path: Path) -> None:
    """An ignore region by its reason, an object by its role; a mask by its size."""
    found = diff_of(small(), changed("annotations", set_on(10, area=7.0)), tmp_path)
    (example,) = found.examples
    assert example.what == "ignored (group_of): spoon"
    assert example.changes == (Change("area", 10000.0, 7.0),)
