"""`--corrections`: rows left out and boxes relabelled, counted, told, and valid."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pytest
from rich.console import Console

from lvis_merge import manifest as manifests
from lvis_merge.demo import WorldSize, draw_world
from lvis_merge.errors import InputError
from lvis_merge.manifest import Manifest
from lvis_merge.manifest.validate import validate
from lvis_merge.merge.corrections import Correction, corrections_csv
from lvis_merge.pipeline.build import build_manifest
from lvis_merge.pipeline.options import BuildOptions
from lvis_merge.progress import Stages

Row = dict[str, Any]
_SIZE = WorldSize(train=20, val=8, test=1, coco_only=1, open_images=36)


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> BuildOptions:
    """How to build a small drawn world."""
    world = draw_world(tmp_path_factory.mktemp("world"), seed=0, size=_SIZE)
    return BuildOptions(
        out=tmp_path_factory.mktemp("plain") / "manifest",
        lvis=str(world.lvis_train),
        lvis_val=str(world.lvis_val),
        coco=str(world.coco),
        openimages=str(world.openimages_dir),
        openimages_images=world.openimages_images,
        openimages_exclude=str(world.openimages_exclude),
        images=16,
    )


@pytest.fixture(scope="module")
def plain(options: BuildOptions) -> Manifest:
    return build(options)


def build(options: BuildOptions) -> Manifest:
    build_manifest(options, Stages(Console(quiet=True)))
    return manifests.open(options.out)


def corrected(
    options: BuildOptions, folder: Path, rows: Iterable[Correction], **more: Any
) -> Manifest:
    """Built again with corrections; valid."""
    file = folder / "corrections.csv"
    file.write_text(corrections_csv(rows), "utf-8")
    made = build(replace(options, out=folder / "manifest", corrections=str(file), **more))
    assert [str(one) for one in validate(made.path) if one.level == "error"] == []
    return made


def boxes(manifest: Manifest, source: str, role: str = "object", split: str = "train") -> list[Row]:
    """Boxes of a source with the published id of their image."""
    images = {row["image_id"]: row for row in manifest.images.to_pylist()}
    return [
        {**row, "image": images[row["image_id"]]["source_image_id"]}
        for row in manifest.annotations.to_pylist()
        if row["source"] == source
        and row["role"] == role
        and images[row["image_id"]]["split"] == split
    ]


def on(row: Row, action: str, category: str = "", **changes: str) -> Correction:
    plain = Correction(
        row["source"], row["image"], row["source_annotation_id"], row["source_label"], action,
        category,
    )  # fmt: skip
    return replace(plain, **changes)


def names(manifest: Manifest) -> dict[str, int]:
    rows = manifest.categories.to_pylist()
    return {row["name"]: row["category_id"] for row in rows}


def keys(manifest: Manifest) -> set[tuple[str, int, str]]:
    rows = manifest.annotations.to_pylist()
    return {(row["source"], row["image_id"], row["source_annotation_id"]) for row in rows}


@pytest.mark.parametrize(
    ("source", "role", "split", "kind"),
    [
        ("lvis", "object", "train", "annotation"),
        ("lvis", "object", "val", "annotation"),
        ("coco", "ignore", "train", "annotation"),
        ("open_images", "object", "train", "box"),
        ("open_images", "ignore", "train", "box"),
    ],
)
def test_a_rejected_box_is_left_out_and_counted(
    source: str, role: str, split: str, kind: str,
    plain: Manifest, options: BuildOptions, tmp_path: Path,
) -> None:  # fmt: skip
    row = boxes(plain, source, role, split)[0]
    made = corrected(options, tmp_path, [on(row, "reject")])
    gone = {(source, row["image_id"], row["source_annotation_id"])}
    assert keys(plain) - keys(made) == gone
    assert keys(made) <= keys(plain)
    before, after = (one.record.counts[source][kind] for one in (plain, made))
    assert after.dropped == {**before.dropped, "correction": 1}
    assert (after.rows_in, after.kept) == (before.rows_in, before.kept - 1)
    assert made.images.equals(plain.images) or role == "object"


@pytest.mark.parametrize(
    ("source", "split"), [("lvis", "train"), ("lvis", "val"), ("open_images", "train")]
)
def test_a_rejected_image_takes_its_boxes_with_it_and_no_other_image(
    source: str, split: str, plain: Manifest, options: BuildOptions, tmp_path: Path
) -> None:
    """Also of COCO boxes on it; the selection of Open Images stays as it was."""
    row = boxes(plain, source, split=split)[0]
    rejected = on(row, "reject", source_annotation_id="", source_label="")
    made = corrected(options, tmp_path, [rejected])
    left = plain.images.filter(pc.not_equal(plain.images["image_id"], row["image_id"]))
    assert made.images.equals(left)
    gone = {key for key in keys(plain) if key[1] == row["image_id"]}
    assert keys(plain) - keys(made) == gone
    assert made.record.counts[source]["image"].dropped["correction"] == 1
    if source == "lvis" and split == "train":
        assert {key[0] for key in gone} == {"lvis", "coco"}
        assert made.record.counts["coco"]["annotation"].dropped["correction"] > 0


@pytest.mark.parametrize(
    ("source", "role"), [("lvis", "object"), ("open_images", "object"), ("coco", "ignore")]
)
def test_a_relabelled_box_has_the_new_category_and_the_published_one(
    source: str, role: str, plain: Manifest, options: BuildOptions, tmp_path: Path
) -> None:
    row = next(row for row in boxes(plain, source, role) if row["category_id"] is not None)
    ids = names(plain)
    new = next(name for name, number in ids.items() if number != row["category_id"])
    made = corrected(options, tmp_path, [on(row, "relabel", new)])
    changed = [one for one in made.annotations.to_pylist() if one["relabelled_from"] is not None]
    assert len(changed) == 1
    after = changed[0]
    expected = {"category_id": ids[new], "relabelled_from": row["category_id"]}
    if source == "coco":
        expected["matched_annotation_id"] = None
    assert after == {**{name: row[name] for name in after}, **expected}
    kinds = made.record.counts[source].values()
    assert sum(one.relabelled for one in kinds) == 1
    assert sum(one.rows_in for one in kinds) == sum(
        one.rows_in for one in plain.record.counts[source].values()
    )
    if role == "object":
        # the counts follow, LVIS's own (of the published file) do not
        counts = {one["name"]: one for one in made.categories.to_pylist()}
        before = {one["name"]: one for one in plain.categories.to_pylist()}
        assert counts[new]["instance_count"] == before[new]["instance_count"] + 1
        assert counts[new]["instance_count_lvis"] == before[new]["instance_count_lvis"]
    assert [one.role for one in made.record.inputs if "corrections" in one.role] == ["corrections"]


def test_a_synset_goes_before_the_name(
    plain: Manifest, options: BuildOptions, tmp_path: Path
) -> None:
    """Names differ between releases of LVIS, synsets do not."""
    row = boxes(plain, "lvis")[0]
    other = next(
        one for one in plain.categories.to_pylist() if one["category_id"] != row["category_id"]
    )
    correction = on(row, "relabel", "a name of long ago", synset=other["synset"])
    made = corrected(options, tmp_path, [correction])
    assert pc.count(made.annotations["relabelled_from"]).as_py() == 1


def test_the_region_of_a_rejected_object_is_matched_anew(
    plain: Manifest, options: BuildOptions, tmp_path: Path
) -> None:
    """With `unmatched` the COCO box that outlined it is a region again, not background."""
    region = next(row for row in boxes(plain, "coco", "ignore") if row["matched_annotation_id"])
    rows = {row["annotation_id"]: row for row in boxes(plain, "lvis")}
    target = rows[region["matched_annotation_id"]]
    made = corrected(options, tmp_path, [on(target, "reject")], coco_boxes="unmatched")
    key = ("coco", region["image_id"], region["source_annotation_id"])
    assert key in keys(made)


UNUSED = [
    # of a box that is nowhere
    ({"source_annotation_id": "123456789"}, "name no image or box that this build read or chose"),
    # of a box of another image
    ({"source_image_id": "1"}, "name no image or box that this build read or chose"),
    # of a source that is not read
    ({"source": "extra"}, "name no image or box that this build read or chose"),
    # of a box that another release labels differently
    ({"source_label": "spoon_of_v1"}, "name a box that its source labels differently"),
]


@pytest.mark.parametrize(("changes", "message"), UNUSED)
@pytest.mark.parametrize("action", ["reject", "relabel"])
def test_what_does_not_apply_is_told_and_changes_nothing(
    action: str, changes: dict[str, str], message: str,
    plain: Manifest, options: BuildOptions, tmp_path: Path,
) -> None:  # fmt: skip
    row = boxes(plain, "lvis")[0]
    category = next(iter(names(plain))) if action == "relabel" else ""
    made = corrected(options, tmp_path, [on(row, action, category, **changes)])
    assert made.annotations.equals(plain.annotations)
    assert any("corrections.csv: 1 rows " + message in text for text in made.record.warnings)


def test_a_box_without_a_category_cannot_be_relabelled(
    plain: Manifest, options: BuildOptions, tmp_path: Path
) -> None:
    row = next(r for r in boxes(plain, "open_images", "ignore") if r["category_id"] is None)
    made = corrected(options, tmp_path, [on(row, "relabel", next(iter(names(plain))))])
    assert made.annotations.equals(plain.annotations)
    assert any("relabel a box that has no category" in text for text in made.record.warnings)


def test_an_image_that_was_not_selected_is_no_correction(
    plain: Manifest, options: BuildOptions, tmp_path: Path
) -> None:
    """It was read, so the correction is not reported as one of nothing; it is counted by the rule
    that it meets first."""
    every = build(replace(options, images=None, out=tmp_path / "every"))
    chosen = set(plain.images["source_image_id"].to_pylist())
    row = next(row for row in boxes(every, "open_images") if row["image"] not in chosen)
    rejected = on(row, "reject", source_annotation_id="", source_label="")
    made = corrected(options, tmp_path, [rejected])
    assert made.images.equals(plain.images)
    assert made.record.counts["open_images"] == plain.record.counts["open_images"]
    assert made.record.warnings == plain.record.warnings


def test_its_own_category_changes_nothing(
    plain: Manifest, options: BuildOptions, tmp_path: Path
) -> None:
    row = boxes(plain, "lvis")[0]
    made = corrected(options, tmp_path, [on(row, "relabel", row["source_label"])])
    assert made.annotations.equals(plain.annotations)


def test_an_unknown_category_stops_the_build(
    plain: Manifest, options: BuildOptions, tmp_path: Path
) -> None:
    row = boxes(plain, "lvis")[0]
    near = row["source_label"] + "z"
    with pytest.raises(InputError, match=f"row 1: this label space has no category {near}: did"):
        corrected(options, tmp_path, [on(row, "relabel", near)])
    assert not (tmp_path / "manifest").exists()


@pytest.mark.parametrize("space", ["coco", "open_images"])
def test_corrections_hold_in_the_label_spaces_of_experts(
    space: str, options: BuildOptions, tmp_path: Path
) -> None:
    own = replace(
        options, lvis=None, lvis_val=None, label_space=space, out=tmp_path / "plain",
        coco=options.coco if space == "coco" else None,
        openimages=options.openimages if space == "open_images" else None,
    )  # fmt: skip
    plain = build(own)
    splits = set(plain.images["split"].to_pylist())
    rows = [row for split in sorted(splits) for row in boxes(plain, space, split=split)]
    first, second = rows[:2]
    third = next(row for row in rows if row["image"] not in (first["image"], second["image"]))
    ids = names(plain)
    new = next(name for name, number in ids.items() if number != second["category_id"])
    made = corrected(
        own,
        tmp_path,
        [
            on(first, "reject"),
            on(second, "relabel", new),
            on(third, "reject", source_annotation_id="", source_label=""),
        ],
    )
    kind = "annotation" if space == "coco" else "box"
    counts = made.record.counts[space][kind]
    assert counts.relabelled == 1
    assert counts.dropped["correction"] > 1
    assert made.images.num_rows == plain.images.num_rows - 1
