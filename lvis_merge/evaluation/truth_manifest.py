"""Ground truth from one split of a manifest."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.errors import InputError
from lvis_merge.evaluation.truth import (
    CATEGORIES,
    IMAGES,
    OBJECTS,
    GroundTruth,
    as_published,
    checked,
    less_exhaustive,
    polygons_as_published,
)
from lvis_merge.manifest import Manifest
from lvis_merge.manifest.schema import ANNOTATIONS

_COLUMNS = ["image_id", "category_id", "bbox", "area", "segmentation", "mask_rle", "role"]
_BATCH_ROWS = 1 << 16


def truth_of_manifest(manifest: Manifest, split: str) -> GroundTruth:
    """Reads one split of a manifest as ground truth.

    Objects are what is to be found. Of an ignore row (crowd, group, depiction, inside) LVIS's rules
    know nothing, nor do the libraries agree about one: its category is taken for not exhaustive on
    its image, so that what is found there is not wrong. One without a category says nothing.

    Args:
        manifest: an open manifest.
        split: train, val or test.

    Returns:
        The split; `training_images` is the number of train images after the merge or, where the
        manifest has none, what the LVIS file says.

    Raises:
        InputError: a table is missing or damaged, or the split has no objects.
    """
    images = manifest.arrow("images", [*IMAGES.names, "split"])
    trained = pc.any(pc.equal(images["split"], "train")).as_py()
    images = images.filter(pc.equal(images["split"], split)).select(IMAGES.names).cast(IMAGES)
    counts = "image_count" if trained else "image_count_published"
    categories = manifest.arrow("categories", ["category_id", "name", "frequency", counts])
    categories = categories.rename_columns(CATEGORIES.names).cast(CATEGORIES)
    rows = _rows_on(manifest, images["image_id"].combine_chunks())
    is_object = pc.equal(rows["role"], "object")
    ignored = rows.filter(pc.and_(pc.invert(is_object), pc.is_valid(rows["category_id"])))
    return checked(
        GroundTruth(
            name=f"{manifest.path} ({split})",
            images=less_exhaustive(
                images, ignored["image_id"].to_pylist(), ignored["category_id"].to_pylist()
            ),
            objects=_objects(rows.filter(is_object)),
            categories=categories,
        )
    )


def _objects(rows: pa.Table) -> pa.Table:
    """`OBJECTS`."""
    boxes = as_published(pc.list_flatten(rows["bbox"])).combine_chunks()
    columns = {
        **{name: rows[name] for name in OBJECTS.names},
        "bbox": pa.FixedSizeListArray.from_arrays(boxes, 4),
        "segmentation": polygons_as_published(rows["segmentation"]),
    }
    return pa.table(columns).cast(OBJECTS)


def _rows_on(manifest: Manifest, image_ids: pa.Array) -> pa.Table:
    """The annotations on some images; the others, of train mostly, never lie in memory at once."""
    path = manifest.path / "annotations.parquet"
    schema = pa.schema([ANNOTATIONS.schema.field(name) for name in _COLUMNS])
    try:
        with manifest.parquet("annotations") as file:
            batches = [
                pa.Table.from_batches([batch]).filter(
                    pc.is_in(batch["image_id"], value_set=image_ids)
                )
                for batch in file.iter_batches(_BATCH_ROWS, columns=_COLUMNS)
            ]
    except (pa.ArrowException, OSError, KeyError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}). Build the manifest again.") from error
    return pa.concat_tables([schema.empty_table(), *batches])
