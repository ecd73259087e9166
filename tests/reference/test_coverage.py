"""Over 200 seeds the worlds meet every rule, reason and option: what they are there for."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.reference import Reference, build_reference
from tests.reference.coco_json import COCO_ANNOTATION, EVIDENCE_LISTS, LVIS_ANNOTATION, LVIS_IMAGE
from tests.reference.label_maps import DEFAULT_MAPPING, PUBLISHED_LISTS, lvis_version
from tests.reference.reading import json_members, read_text
from tests.reference.result import SOURCE_ORDER
from tests.worlds import World, make_world

pytestmark = pytest.mark.slow

SEEDS = range(200)
OFTEN = 5

REASONS = {
    ("lvis", "image"): ("columns", "value", "duplicate_id"),
    ("lvis", "annotation"): (
        "columns", "value", "unknown_image", "unknown_category", "duplicate_id", "box", "polygon",
    ),
    ("coco", "image"): ("columns", "value", "duplicate_id"),
    ("coco", "annotation"): (
        "columns", "value", "unknown_image", "unknown_category", "duplicate_id", "box", "polygon",
    ),
    ("an extra", "image"): ("columns", "value", "duplicate_id"),
    ("an extra", "annotation"): (
        "columns", "value", "unknown_image", "unknown_category", "duplicate_id", "box", "polygon",
    ),
    ("open_images", "image"): ("columns", "value", "duplicate_id"),
    ("open_images", "box"): ("columns", "value", "unknown_image", "unknown_category", "box"),
    ("open_images", "label"): ("columns", "value", "unknown_image", "unknown_category"),
}  # fmt: skip
IMAGE_RULES = (
    "holdout", "excluded", "rotation", "id_collision", "not_a_candidate", "not_selected",
)  # fmt: skip
RULES = {
    ("lvis", "image"): ("holdout",),
    ("lvis", "annotation"): ("holdout",),
    ("coco", "image"): ("holdout",),
    ("coco", "annotation"): ("not_on_an_lvis_image", "holdout", "option"),
    ("an extra", "image"): ("holdout", "not_a_candidate"),
    ("an extra", "annotation"): ("holdout", "not_a_candidate", "option"),
    ("open_images", "image"): IMAGE_RULES,
    ("open_images", "box"): (*IMAGE_RULES, "option"),
    ("open_images", "label"): IMAGE_RULES,
}
ROWS = {
    "lvis": ("object",),
    "coco": ("object", "coco_box", "crowd"),
    "open_images": ("object", "unmapped", "group_of", "depiction", "inside"),
    "an extra": ("object", "unmapped", "crowd"),
}
OPTIONS = {
    "label_space": ("lvis", "coco", "open_images"),
    "selection": ("balanced", "random"),
    "candidates": ("all", "sized"),
    "coco_boxes": ("all", "unmatched", "off"),
    "unmapped": ("ignore", "drop"),
    "mapping": ("none", "file", "default"),
    "coco_mapping": ("file", "default"),
    "images": ("all", 1, 5, 20000),
    "seed": (0, 1, 12345),
    "holdout": (0, 1, 2),
    "openimages_exclude": ("file", "default"),
    "lvis_val": ("file", "default"),
    "lvis_test": ("file", "default"),
    "coco": ("file", "default"),
    "openimages": ("file", "default"),
    "extra": (0, 1, 2),
    "extra_exhaustive": (0, 1),
}
SOURCE_OF_OPTION = {"coco_boxes": "coco", "coco_mapping": "coco"} | dict.fromkeys(
    ("mapping", "images", "selection", "candidates", "unmapped", "openimages_exclude"),
    "openimages",
)
EVENTS = (
    "evidence: contradictory label",
    "evidence: contradictory label denied by its ancestor",
    "evidence: negative by an ancestor",
    "evidence: negative removed by a box row",
    "evidence: negative removed by positive",
    "evidence: not exhaustive by group_of with object",
    "evidence: not exhaustive without object",
    "evidence: positive by label only",
    "extra: absent",
    "extra: absent but for a bad row",
    "extra: absent but for a class that the file lacks",
    "extra: absent, several classes",
    "extra: complete",
    "extra: not complete",
    "extra: one of several classes absent",
    "extra: stated absent and annotated",
    "extra: unclear image",
    "hold-out: COCO's URL",
    "hold-out: id",
    "hold-out: photo",
    "mask: broken file",
    "mask: given",
    "mask: its box has another",
    "mask: no file",
    "mask: nothing on it",
    "mask: of no object",
    "matching: IoU exactly 0.5",
    "matching: matched row kept",
    "matching: tie broken by id",
    "selection: fewer flagged rows",
    "selection: more categories",
    "selection: smaller hash",
    "selection: tie broken by name",
)
FILES = (
    "lvis_train.json", "lvis_train.json.gz", "lvis_train.json.zip", "lvis_val.json",
    "lvis_test.json", "instances_train2017.json", "instances_train2017.json.gz",
    "instances_train2017.json.zip", "train-annotations-bbox.csv", "train-annotations-bbox.csv.gz",
    "train-annotations-bbox.csv.zip", "validation-annotations-bbox.csv",
    "test-annotations-bbox.csv", "oidv6-train-annotations-bbox.csv",
    "train-images-boxable-with-rotation.csv", "validation-images-with-rotation.csv",
    "test-images-with-rotation.csv", "class-descriptions-boxable.csv",
    "oidv7-class-descriptions-boxable.csv", "bbox_labels_600_hierarchy.json", "sizes.csv",
    "train-annotations-human-imagelabels-boxable.csv",
    "oidv7-train-annotations-human-imagelabels-boxable.csv",
    "validation-annotations-human-imagelabels-boxable.csv", "failures.csv", "held_out.json",
    "train-annotations-object-segmentation.csv", "validation-annotations-object-segmentation.csv",
    "held_out_ids.csv", "held_out_open_images.csv",
)  # fmt: skip
SHAPES = (
    "annotation: several parts",
    "annotation: bitmap",
    "annotation: object without mask",
    "annotation: id above 2^53",
    "annotation: exact duplicates",
    "image: title with a newline",
    "image: without flickr photo id",
    "open_images: no list",
    "open_images: no labels",
    "open_images: no hierarchy",
    "csv: CRLF",
    "csv: blank line",
    "reject: raw cut",
    "reject: raw with a newline",
    "category: two MIDs",
)
RARE_SHAPES = (
    "category: repeat factor above 1",
    "category: merged bin c",
    "category: merged bin f",
)


def option_value(value: object) -> object:
    if isinstance(value, Path):
        return "file"
    if isinstance(value, tuple):
        return len(value)
    return "default" if value is None else value


def shown(source: str) -> str:
    return source if source in SOURCE_ORDER else "an extra"


def met_by(world: World, made: Reference) -> Counter[object]:
    """Everything of the tables above that one world and its manifest hold."""
    met: Counter[object] = Counter(made.events)
    for name, value in vars(world.options).items():
        needs = SOURCE_OF_OPTION.get(name)
        if needs is None or getattr(world.options, needs) is not None:
            met[name, option_value(value)] += 1
    for path in world.files:
        met["file", path.name] += 1
        if path.suffix == ".csv" and path.parent != world.folder:
            text = path.read_bytes().decode()
            met["csv: CRLF"] += "\r\n" in text
            met["csv: blank line"] += "\n\n" in text or "\r\n\r\n" in text
    for reject in made.rejects:
        met["reason", shown(reject["source"]), reject["kind"], reject["reason"]] += 1
        met["reject: raw cut"] += len(reject["raw"]) == 1000
        met["reject: raw with a newline"] += "\n" in reject["raw"]
    for source, kinds in made.counts.items():
        for kind, count in kinds.items():
            for rule, number in count["dropped"].items():
                met["rule", shown(source), kind, rule] += number
    met += annotation_shapes(made)
    for image in made.images:
        met["image: title with a newline"] += "\n" in (image["title"] or "")
        met["image: without flickr photo id"] += image["flickr_photo_id"] is None
    for category in made.categories:
        met["category: repeat factor above 1"] += category["repeat_factor"] > 1
        met[f"category: merged bin {category['frequency_merged']}"] += 1
    if world.options.openimages is not None:
        met["open_images: no list"] += "image" not in made.counts["open_images"]
        met["open_images: no labels"] += "label" not in made.counts["open_images"]
        hierarchy = world.options.openimages / "bbox_labels_600_hierarchy.json"
        met["open_images: no hierarchy"] += not hierarchy.exists()
    return met


def annotation_shapes(made: Reference) -> Counter[object]:
    met: Counter[object] = Counter()
    labels: dict[int, set[str]] = {}
    boxes: Counter[tuple[object, ...]] = Counter()
    for row in made.annotations:
        met["row", shown(row["source"]), row["ignore_reason"] or row["role"]] += 1
        met["annotation: several parts"] += len(row["segmentation"] or []) > 1
        met["annotation: bitmap"] += row["mask_rle"] is not None
        without_mask = row["segmentation"] is None and row["mask_rle"] is None
        if row["source"] == "open_images":
            boxes[row["image_id"], row["source_label"], *row["bbox"], row["is_group_of"]] += 1
            if row["category_id"] is not None:
                labels.setdefault(row["category_id"], set()).add(row["source_label"])
        else:
            met["annotation: object without mask"] += row["role"] == "object" and without_mask
            met["annotation: id above 2^53"] += int(row["source_annotation_id"]) > 2**53
    met["annotation: exact duplicates"] += sum(number > 1 for number in boxes.values())
    met["category: two MIDs"] += sum(len(mids) > 1 for mids in labels.values())
    return met


def json_arrays_hold_every_needed_field(world: World) -> bool:
    """Else the file would be one of the wrong kind: exit 3, no rejects."""
    own = world.options.label_space == "coco"
    coco_image: tuple[str, ...] = ("id", "width", "height") if own else ("id",)
    wanted: list[tuple[Path | None, tuple[str, ...], tuple[str, ...]]] = [
        (world.options.coco, coco_image, COCO_ANNOTATION.needed)
    ]
    for path in (world.options.lvis, world.options.lvis_val):
        wanted.append((path, (*LVIS_IMAGE, *EVIDENCE_LISTS), LVIS_ANNOTATION.needed))
    wanted.append((world.options.lvis_test, LVIS_IMAGE, ()))
    for path, image_fields, annotation_fields in wanted:
        members = json_members(path) if path else {}
        for key, fields in (("images", image_fields), ("annotations", annotation_fields)):
            rows = [row for row, _ in members.get(key, []) if isinstance(row, dict)]
            if members.get(key) and any(all(name not in row for row in rows) for name in fields):
                return False
    return True


@pytest.fixture(scope="module")
def met(tmp_path_factory: pytest.TempPathFactory) -> Counter[object]:
    total: Counter[object] = Counter()
    folder = tmp_path_factory.mktemp("worlds")
    for seed in SEEDS:
        world = make_world(seed, folder / str(seed))
        made = build_reference(world.options)
        assert json_arrays_hold_every_needed_field(world), seed
        total += met_by(world, made)
        if world.options.lvis is not None:
            categories = json_members(world.options.lvis)["categories"]
            total["version", lvis_version([category for category, _ in categories])] += 1
        shutil.rmtree(world.folder)
    return total


def lacking(met: Counter[object], wanted: list[object], times: int = OFTEN) -> dict[object, int]:
    return {key: met[key] for key in wanted if met[key] < times}


def test_every_reject_reason_of_every_kind_is_met(met: Counter[object]) -> None:
    wanted: list[object] = [
        ("reason", *place, reason) for place, reasons in REASONS.items() for reason in reasons
    ]
    assert lacking(met, wanted) == {}
    known = {key for key in met if isinstance(key, tuple) and key[0] == "reason"}
    assert known <= set(wanted)


def test_every_rule_of_every_kind_is_met(met: Counter[object]) -> None:
    wanted: list[object] = [
        ("rule", *place, rule) for place, rules in RULES.items() for rule in rules
    ]
    assert lacking(met, wanted) == {}
    known = {key for key in met if isinstance(key, tuple) and key[0] == "rule"}
    assert known <= set(wanted)


def test_every_role_and_ignore_reason_is_met(met: Counter[object]) -> None:
    wanted: list[object] = [("row", source, row) for source in ROWS for row in ROWS[source]]
    assert lacking(met, wanted) == {}


def test_every_option_value_is_met(met: Counter[object]) -> None:
    wanted: list[object] = [(name, value) for name, values in OPTIONS.items() for value in values]
    if not DEFAULT_MAPPING.exists():
        wanted.remove(("mapping", "default"))
    assert lacking(met, wanted) == {}


def test_every_kind_of_file_and_shape_is_met(met: Counter[object]) -> None:
    assert lacking(met, [("file", name) for name in FILES]) == {}
    assert lacking(met, list(SHAPES)) == {}
    assert lacking(met, list(RARE_SHAPES), times=2) == {}


def test_every_tie_and_every_branch_of_evidence_is_met(met: Counter[object]) -> None:
    assert lacking(met, list(EVENTS)) == {}


@pytest.mark.skipif(not PUBLISHED_LISTS.exists(), reason="the published category lists are absent")
def test_both_lvis_versions_are_met(met: Counter[object]) -> None:
    assert lacking(met, [("version", name) for name in ("v0.5", "v1", "custom")]) == {}


def test_a_world_is_told_by_its_seed(tmp_path: Path) -> None:
    first, again = (make_world(17, tmp_path / name) for name in ("a", "b"))
    assert [path.name for path in first.files] == [path.name for path in again.files]
    for one, other in zip(first.files, again.files, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_the_default_map_finds_objects(tmp_path: Path) -> None:
    """Worlds with the default map use published MIDs: a map without them would test nothing."""
    if not DEFAULT_MAPPING.exists():
        pytest.skip("no default map in this checkout")
    with DEFAULT_MAPPING.open(encoding="utf-8", newline="") as file:
        mapped = {row["mid"] for row in csv.DictReader(file)}
    for seed in SEEDS:
        world = make_world(seed, tmp_path / str(seed))
        if world.options.openimages is not None and world.options.mapping is None:
            text = "".join(
                read_text(path) for path in world.files if "annotations-bbox" in path.name
            )
            assert any(mid in text for mid in mapped)
            return
    pytest.fail("no world uses the default map")
