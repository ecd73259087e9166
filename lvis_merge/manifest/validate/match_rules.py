"""COCO ignore regions and the LVIS objects that they are."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lvis_merge.manifest.validate.columns import Bools, Floats, Ints, equal, ints, places, valid
from lvis_merge.manifest.validate.finding import Finding
from lvis_merge.manifest.validate.loaded import Loaded
from lvis_merge.merge.rules import MATCH_IOU

# The build measures published float64 boxes, the manifest holds float32 ones.
_ROUNDING = 1e-4


def matches(loaded: Loaded) -> Iterator[Finding]:
    """`matched_annotation_id` is the LVIS object of highest IoU, set wherever one reaches 0.5."""
    annotations = loaded.annotations
    matched = valid(annotations["matched_annotation_id"])
    boxes = loaded.rows_from("coco") & equal(annotations["ignore_reason"], "coco_box")
    yield from loaded.broken(
        "matched_annotation_id",
        "annotations",
        matched & ~boxes,
        "matched_annotation_id is set, and this is no COCO ignore region that is no crowd",
    )
    if loaded.record.options.get("coco_boxes") == "unmatched":
        yield from loaded.broken(
            "option",
            "annotations",
            matched,
            "a matched COCO box, and the options keep unmatched ones only",
        )
    number = ints(annotations["annotation_id"])
    target = places(number, ints(annotations["matched_annotation_id"]))
    linked = np.flatnonzero(matched & boxes)
    fits = _fits(loaded, linked, target[linked])
    wrong = np.zeros(len(number), bool)
    wrong[linked[~fits]] = True
    yield from loaded.broken(
        "matched_annotation_id",
        "annotations",
        wrong,
        "the matched row is no LVIS object of the same image and category",
    )
    best = _best_overlaps(loaded, np.flatnonzero(boxes & (loaded.category_row >= 0)))
    iou = np.zeros(len(number))
    iou[linked[fits]] = overlaps(loaded.boxes[linked[fits]], loaded.boxes[target[linked[fits]]])
    yield from loaded.broken(
        "matched_annotation_id",
        "annotations",
        matched & boxes & ~wrong & (iou < MATCH_IOU - _ROUNDING),
        lambda row: f"IoU with the matched row is {iou[row]:.4f}, below {MATCH_IOU}",
    )
    yield from loaded.broken(
        "matched_annotation_id",
        "annotations",
        matched & boxes & ~wrong & (iou < best.value - _ROUNDING),
        lambda row: (
            f"IoU with the matched row is {iou[row]:.4f}, and annotation {number[best.row[row]]}"
            f" has {best.value[row]:.4f}"
        ),
    )
    yield from loaded.broken(
        "matched_annotation_id",
        "annotations",
        boxes & ~matched & ~_on_corrected(loaded) & (best.value > MATCH_IOU + _ROUNDING),
        lambda row: (
            f"not matched, and annotation {number[best.row[row]]} has IoU {best.value[row]:.4f}"
        ),
    )


def _on_corrected(loaded: Loaded) -> Bools:
    return loaded.of_image(loaded.corrected_image)


def _fits(loaded: Loaded, rows: Ints, targets: Ints) -> Bools:
    """Whether each target is an LVIS object on the row's image and of its category."""
    category, published = loaded.category_row, loaded.published_row
    same_category = (category[rows] == category[targets]) | (category[rows] == published[targets])
    return np.asarray(
        (targets >= 0)
        & (loaded.rows_from("lvis") & loaded.is_object)[targets]
        & (loaded.image_row[rows] == loaded.image_row[targets])
        & same_category
        & (category[rows] >= 0)
    )


@dataclass(frozen=True)
class _Best:
    """The LVIS object that overlaps each row most: IoU (0 if none) and row (-1 if none)."""

    value: Floats
    row: Ints


def _best_overlaps(loaded: Loaded, rows: Ints) -> _Best:
    """Compares each of some rows with every LVIS object of its image and category."""
    count = loaded.annotations.num_rows
    value, best = np.zeros(count), np.full(count, -1, np.int64)
    objects = np.flatnonzero(loaded.rows_from("lvis") & loaded.is_object & (loaded.image_row >= 0))
    categories = loaded.categories.num_rows + 1
    key = loaded.image_row * categories + loaded.published_row
    order = objects[np.argsort(key[objects], kind="stable")]
    first = np.searchsorted(key[order], key[rows], "left")
    number = np.searchsorted(key[order], key[rows], "right") - first
    left = np.repeat(rows, number)
    offset = np.arange(len(left)) - np.repeat(np.cumsum(number) - number, number)
    right = order[np.repeat(first, number) + offset]
    iou = overlaps(loaded.boxes[left], loaded.boxes[right])
    by_iou = np.lexsort([-right, iou])  # the last one written stays: highest IoU, lowest row
    value[left[by_iou]] = iou[by_iou]
    best[left[by_iou]] = right[by_iou]
    return _Best(value, best)


def overlaps(left: Floats, right: Floats) -> Floats:
    """IoU of boxes, pair by pair.

    Args:
        left: `[K, 4]` x, y, w, h.
        right: `[K, 4]` likewise.

    Returns:
        `[K]`, intersection over union.
    """
    top = np.maximum(left[:, :2], right[:, :2])
    end = np.minimum(left[:, :2] + left[:, 2:], right[:, :2] + right[:, 2:])
    sides = np.clip(end - top, 0, None)
    inter = sides[:, 0] * sides[:, 1]
    union = left[:, 2] * left[:, 3] + right[:, 2] * right[:, 3] - inter
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.nan_to_num(inter / union))
