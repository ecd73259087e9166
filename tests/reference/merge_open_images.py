"""Open Images in any label space: rules on images, selection, boxes, evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.reference.evidence import evidence
from tests.reference.hold_out import HoldOut, open_images_number
from tests.reference.mask_files import give_masks, read_masks
from tests.reference.open_images_files import (
    FLAGS,
    Subset,
    box_order,
    read_classes,
    read_hierarchy,
    read_subsets,
)
from tests.reference.reading import Row, csv_dicts
from tests.reference.selection import Candidate, balanced_selection, random_selection
from tests.reference.tables import annotation
from tests.reference.values import flickr_photo_id
from tests.worlds.world import Options

BUCKET = "https://open-images-dataset.s3.amazonaws.com"
SPLITS = {"train": "train", "validation": "val", "test": "test"}
FLAG_COLUMNS = ("is_occluded", "is_truncated", "is_group_of", "is_depiction", "is_inside")
Mapping = dict[str, tuple[int, str | None]]


@dataclass
class Picture:
    """One good Open Images image and its good rows."""

    subset: str
    source_id: str
    listed: dict[str, Any]
    row: Row | None
    boxes: list[Row] = field(default_factory=list)
    labels: list[Row] = field(default_factory=list)
    rule: str | None = None

    @property
    def number(self) -> int:
        return open_images_number(self.source_id)


@dataclass
class Merged:
    """What Open Images adds to a manifest."""

    classes: dict[str, str]
    mapping: Mapping
    images: list[dict[str, Any]]
    annotations: list[dict[str, Any]]
    inputs: dict[tuple[str, str], list[Row]]
    contradictory_labels: int


def ignore_reason(box: dict[str, Any], mapping: Mapping) -> str | None:
    """The first of unmapped, group_of, depiction, inside; None for an object."""
    if box["LabelName"] not in mapping:
        return "unmapped"
    for flag, reason in (
        ("IsGroupOf", "group_of"),
        ("IsDepiction", "depiction"),
        ("IsInside", "inside"),
    ):
        if box[flag]:
            return reason
    return None


def pictures_of(subset: Subset) -> list[Picture]:
    listed = {row.data["ImageID"]: row for row in subset.listing or [] if row.reason is None}
    pictures = []
    for source_id in sorted(subset.image_ids):
        row = listed.get(source_id)
        pictures.append(Picture(subset.name, source_id, row.data if row else {}, row))
    by_id = {picture.source_id: picture for picture in pictures}
    for box in subset.boxes:
        if box.reason is None:
            by_id[box.data["ImageID"]].boxes.append(box)
    for label in subset.labels or []:
        if label.reason is None:
            by_id[label.data["ImageID"]].labels.append(label)
    return pictures


def sizes_by_id(path: Path | None) -> dict[str, tuple[int, int]]:
    if path is None:
        return {}
    return {
        str(line["ImageID"]): (int(str(line["Width"])), int(str(line["Height"])))
        for line in csv_dicts(path)
    }


def merge_open_images(
    options: Options,
    map_for: Callable[[dict[str, str]], Mapping],
    tie_name: Callable[[str, int], str],
    held: HoldOut,
    events: Counter[str],
) -> Merged:
    """Applies every rule of section 4 that concerns Open Images.

    Args:
        options: of the build.
        map_for: class list -> label map.
        tie_name: (MID, category) -> what ties between categories are broken by.
        held: ids that train images may not have.
        events: counts which rules were met.
    """
    assert options.openimages is not None
    classes = read_classes(options.openimages)
    children = read_hierarchy(options.openimages)
    subsets = read_subsets(options.openimages, classes)
    mapping = map_for(classes)
    categories = {mid: category for mid, (category, _) in mapping.items()}
    names = {category: tie_name(mid, category) for mid, category in categories.items()}
    sizes = sizes_by_id(options.openimages_sizes)
    excluded = set()
    if options.openimages_exclude is not None:
        excluded = {line["ImageID"] for line in csv_dicts(options.openimages_exclude)}

    pictures = [picture for subset in subsets for picture in pictures_of(subset)]
    own_splits = options.label_space == "open_images"
    for picture in pictures:
        is_train = not own_splits or picture.subset == "train"
        photo = flickr_photo_id(picture.listed.get("OriginalURL"))
        if is_train and held.leaks(picture.number, photo):
            picture.rule = "holdout"
        elif picture.source_id in excluded:
            picture.rule = "excluded"
        elif picture.listed.get("Rotation", 0) in (90, 180, 270):
            picture.rule = "rotation"
    for number in {picture.number for picture in pictures}:
        rivals = [p for p in pictures if p.rule is None and p.number == number]
        for picture in sorted(rivals, key=lambda p: p.source_id)[1:]:
            picture.rule = "id_collision"

    candidates = []
    for picture in pictures:
        if picture.rule is not None:
            continue
        reasons = [(box.data, ignore_reason(box.data, mapping)) for box in picture.boxes]
        has = frozenset(categories[box["LabelName"]] for box, reason in reasons if reason is None)
        flagged = sum(reason not in (None, "unmapped") for _, reason in reasons)
        if not has or (options.candidates == "sized" and picture.source_id not in sizes):
            picture.rule = "not_a_candidate"
        else:
            candidates.append(Candidate(picture.source_id, has, flagged))
    limit = len(candidates) if options.images == "all" else int(options.images)
    if options.selection == "random":
        taken = random_selection(candidates, limit, options.seed)
    else:
        taken = balanced_selection(candidates, names, limit, options.seed, events)
    chosen_ids = {candidate.source_image_id for candidate in taken}
    for picture in pictures:
        if picture.rule is None and picture.source_id not in chosen_ids:
            picture.rule = "not_selected"

    images, annotations, contradictory = [], [], 0
    masks = {name: read_masks(options.openimages, name) for name in SPLITS}
    for picture in pictures:
        for row in (*picture.boxes, *picture.labels, *([picture.row] if picture.row else [])):
            row.rule = picture.rule
        if picture.rule is not None:
            continue
        width, height = sizes[picture.source_id]
        rows, objects = [], []
        ranked = sorted(picture.boxes, key=lambda row: box_order(row.data))
        for rank, row in enumerate(ranked, start=1):
            reason = ignore_reason(row.data, mapping)
            if reason != "unmapped":
                rows.append((categories[row.data["LabelName"]], reason))
            elif options.unmapped == "drop":
                row.rule = "option"
                continue
            annotations.append(
                box_annotation(picture, rank, row.data, reason, mapping, width, height)
            )
            if reason is None:
                objects.append((row.data, annotations[-1]))
        its_masks = masks[picture.subset]
        give_masks(
            options.openimages, picture.subset, its_masks, picture.source_id, objects,
            width, height, events,
        )  # fmt: skip
        found = evidence(
            [(row.data["LabelName"], row.data["Confidence"]) for row in picture.labels],
            rows,
            categories,
            children,
            events,
        )
        contradictory += len(found.contradictory_mids)
        image = manifest_image(picture, width, height)
        image["split"] = SPLITS[picture.subset] if own_splits else "train"
        image["pos_category_ids"] = found.positive
        image["neg_category_ids"] = found.negative
        image["not_exhaustive_category_ids"] = found.not_exhaustive
        images.append(image)

    inputs = {("open_images", "box"): [row for subset in subsets for row in subset.boxes]}
    if any(subset.listing is not None for subset in subsets):
        rows_of = [row for subset in subsets for row in subset.listing or []]
        inputs["open_images", "image"] = rows_of
    if any(subset.labels is not None for subset in subsets):
        inputs["open_images", "label"] = [row for s in subsets for row in s.labels or []]
    return Merged(classes, mapping, images, annotations, inputs, contradictory)


def box_annotation(
    picture: Picture,
    rank: int,
    box: dict[str, Any],
    reason: str | None,
    mapping: Mapping,
    width: int,
    height: int,
) -> dict[str, Any]:
    category, relation = mapping.get(box["LabelName"], (None, None))
    w = (box["XMax"] - box["XMin"]) * width
    h = (box["YMax"] - box["YMin"]) * height
    return annotation(
        picture.number,
        "open_images",
        rank,
        (box["XMin"] * width, box["YMin"] * height, w, h),
        category_id=category,
        area=w * h,
        role="object" if reason is None else "ignore",
        ignore_reason=reason,
        source_annotation_id=f"{picture.source_id}:{rank}",
        source_label=box["LabelName"],
        map_relation=relation,
        annotation_method=box["Source"],
        **{column: box[flag] for column, flag in zip(FLAG_COLUMNS, FLAGS, strict=True)},
    )


def manifest_image(picture: Picture, width: int, height: int) -> dict[str, Any]:
    """The `images` row without `split` and the three lists."""
    name = f"{picture.subset}/{picture.source_id}.jpg"
    listed = picture.listed
    return {
        "image_id": picture.number,
        "source": "open_images",
        "source_image_id": picture.source_id,
        "file_name": name,
        "source_file_name": None,
        "url": f"{BUCKET}/{name}",
        "original_url": listed.get("OriginalURL"),
        "landing_url": listed.get("OriginalLandingURL"),
        "width": width,
        "height": height,
        "flickr_photo_id": flickr_photo_id(listed.get("OriginalURL")),
        "license": listed.get("License"),
        "license_id": None,
        "author": listed.get("Author"),
        "author_url": listed.get("AuthorProfileURL"),
        "title": listed.get("Title"),
        "date_captured": None,
    }
