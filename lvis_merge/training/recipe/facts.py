"""What a recipe has to know about a manifest before anything is built."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge import manifest as manifests
from lvis_merge.errors import InputError
from lvis_merge.manifest.schema import ANNOTATIONS

_ROWS = 4096


@dataclass(frozen=True)
class ManifestFacts:
    """Facts of one manifest.

    Attributes:
        path: its folder, absolute.
        label_space: lvis, coco or open_images.
        num_classes: C, its categories.
        train_images: images of split train.
        val_images: images of split val.
        has_masks: whether any annotation has a mask.
    """

    path: Path
    label_space: str
    num_classes: int
    train_images: int
    val_images: int
    has_masks: bool


def manifest_facts(folder: str | Path) -> ManifestFacts:
    """Reads them; of the masks no more than it takes to find one.

    Args:
        folder: a manifest.

    Raises:
        InputError: no manifest, one of another schema version or damaged, or one that nothing can
            be learnt from.
    """
    opened = manifests.open(folder)
    splits = opened.arrow("images", ["split"])["split"]
    facts = ManifestFacts(
        path=opened.path.resolve(),
        label_space=opened.record.label_space,
        num_classes=opened.arrow("categories", ["category_id"]).num_rows,
        train_images=_count(splits, "train"),
        val_images=_count(splits, "val"),
        has_masks=_has_masks(opened),
    )
    if not facts.train_images:
        raise InputError(f"{folder}: has no image of split train. Build it from a train file.")
    return facts


def _count(values: pa.ChunkedArray, value: str) -> int:
    return int(pc.sum(pc.equal(values, value)).as_py() or 0)


def _has_masks(manifest: manifests.Manifest) -> bool:
    """Whether any annotation has a mask; reads up to the first that has one."""
    # null in every row takes no space, so that a manifest without masks is read at once too
    try:
        with manifest.parquet("annotations", memory_map=True) as annotations:
            batches = annotations.iter_batches(_ROWS, columns=["segmentation", "mask_rle"])
            return any(
                column.null_count < len(column) for batch in batches for column in batch.columns
            )
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"{manifest.path / ANNOTATIONS.file_name}: cannot be read ({error}). Build the manifest"
            " again."
        ) from error
