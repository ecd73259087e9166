"""Which of a manifest's images and rows a dataset serves."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from lvis_merge.errors import InputError
from lvis_merge.merge.rules import IGNORE_REASONS, SPLITS
from lvis_merge.training.data.columns import ManifestColumns
from lvis_merge.training.data.copy_tables import MATCHED_COCO_BOX, OBJECT


def acting_kinds(ignore_reasons: Iterable[str] | None, coco_boxes: str) -> np.ndarray:
    """Which kinds of rows a sample has.

    Args:
        ignore_reasons: those whose regions act; None: all.
        coco_boxes: all, or unmatched: those without an LVIS object of their own.

    Returns:
        bool [kinds], by `ManifestColumns.kind`.

    Raises:
        InputError: no such reason or choice.
    """
    reasons = IGNORE_REASONS if ignore_reasons is None else tuple(ignore_reasons)
    if unknown := set(reasons) - set(IGNORE_REASONS):
        raise InputError(
            f"ignore_reasons: there is no {', '.join(sorted(unknown))}; there are"
            f" {', '.join(IGNORE_REASONS)}."
        )
    if coco_boxes not in ("all", "unmatched"):
        raise InputError(f"coco_boxes={coco_boxes!r}: give 'all' or 'unmatched'.")
    acts = np.zeros(MATCHED_COCO_BOX + 1, bool)
    acts[OBJECT] = True
    acts[[1 + IGNORE_REASONS.index(reason) for reason in reasons]] = True
    acts[MATCHED_COCO_BOX] = "coco_box" in reasons and coco_boxes == "all"
    return acts


def served_images(
    columns: ManifestColumns,
    split: str,
    sources: Iterable[str] | None,
    keep_empty: bool,
    indices: int | Sequence[int] | None,
) -> np.ndarray:
    """The images of a dataset.

    Args:
        columns: of the manifest.
        split: train, val or test.
        sources: those of its images; None: all.
        keep_empty: whether images without an object are among them.
        indices: of these images, the first so many, or those at these places; None: all.

    Returns:
        int64 [N], places in the manifest's images.

    Raises:
        InputError: a split or source that the manifest has not, an index out of range, or no
            image is left.
    """
    if split not in SPLITS:
        raise InputError(f"split={split!r}: give one of {', '.join(SPLITS)}.")
    where = columns.head.manifest
    chosen = columns.split == SPLITS.index(split)
    if not chosen.any():
        raise InputError(
            f"{where}: has no {split} images. Build it with them, or use another split."
        )
    if sources is not None:
        known = columns.head.sources
        if unknown := set(sources) - set(known):
            raise InputError(
                f"{where}: has no images of source {', '.join(sorted(unknown))}; it has"
                f" {', '.join(known)}."
            )
        chosen &= np.isin(columns.source, [known.index(source) for source in sources])
    if not keep_empty:
        before = np.concatenate([[0], np.cumsum(columns.kind == OBJECT)])[columns.rows]
        chosen &= np.diff(before) > 0
    images = np.flatnonzero(chosen)
    if isinstance(indices, int):
        images = images[:indices]
    elif indices is not None:
        places = np.asarray(indices, np.int64)
        if len(places) and not 0 <= places.min() <= places.max() < len(images):
            raise InputError(f"indices: out of range of the {len(images)} images of {split}.")
        images = images[places]
    if not len(images):
        raise InputError(
            f"{where}: no {split} image is left by sources, keep_empty and indices. Allow more."
        )
    return images


def served_objects(columns: ManifestColumns, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Every object on some images.

    Args:
        columns: of the manifest.
        images: int64 [N], as `served_images` gives them; one may occur more than once.

    Returns:
        int64 [O], place of the object's image in `images`, ascending, and int64 [O], its label.
    """
    counts = columns.rows[images + 1] - columns.rows[images]
    place = np.repeat(np.arange(len(images)), counts)
    first = np.repeat(columns.rows[images] - np.cumsum(counts) + counts, counts)
    row = first + np.arange(len(first))
    is_object = columns.kind[row] == OBJECT
    return place[is_object], columns.label[row[is_object]].astype(np.int64)
