"""Ground truth from an LVIS annotation file."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.evaluation.truth import (
    CATEGORIES,
    IMAGES,
    OBJECTS,
    GroundTruth,
    checked,
    polygons_as_published,
)
from lvis_merge.sources.files import base_name, local_files
from lvis_merge.sources.lvis import read_lvis


def truth_of_lvis(path: str) -> GroundTruth:
    """Reads an LVIS file as ground truth.

    Args:
        path: a local file (plain, `.gz`, `.zip`) or a URL.

    Returns:
        All of its good rows; `training_images` is the `image_count` of its categories.

    Raises:
        InputError: the file is missing, damaged, of another kind, or has no objects.
    """
    with local_files([path]) as files:
        source = read_lvis(files[path])
    left_out = (0, "")
    if source.rejects.num_rows:
        first = source.rejects.slice(0, 1).to_pylist()[0]
        left_out = (
            source.rejects.num_rows,
            f"row {first['row']} of `{first['kind']}s`: {first['reason']}",
        )
    rows = source.annotations
    return checked(
        GroundTruth(
            name=base_name(path),
            images=source.images.select(IMAGES.names).cast(IMAGES),
            objects=pa.table(
                {
                    "image_id": rows["image_id"],
                    "category_id": rows["category_id"].cast(pa.int64()),
                    "bbox": rows["bbox"],
                    "area": rows["area"],
                    "segmentation": polygons_as_published(rows["segmentation"]),
                    "mask_rle": rows["mask_rle"],
                }
            ).cast(OBJECTS),
            categories=pa.table(
                {
                    "category_id": pc.cast(source.categories["category_id"], pa.int64()),
                    "name": source.categories["name"],
                    "frequency": source.categories["frequency"],
                    "training_images": source.categories["image_count_published"],
                }
            ).cast(CATEGORIES),
            left_out=left_out,
        )
    )
