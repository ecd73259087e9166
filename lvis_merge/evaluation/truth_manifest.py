"""Ground truth from one split of a manifest."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lvis_merge.errors import InputError
from lvis_merge.evaluation.pairs import PairIndex
from lvis_merge.evaluation.truth import (
    CATEGORIES,
    IMAGES,
    OBJECTS,
    GroundTruth,
    as_published,
    checked,
    polygons_as_published,
)
from lvis_merge.manifest import Manifest
from lvis_merge.manifest.schema import ANNOTATIONS

_COLUMNS = ["image_id", "category_id", "bbox", "area", "segmentation", "mask_rle", "role"]
_BATCH_ROWS = 1 << 16


def truth_of_manifest(manifest: Manifest, split: str) -> GroundTruth:
    """Reads one split of a manifest as ground truth.

    Objects are what is to be found. An ignore row (crowd, group, depiction, inside) takes the
    detections that match it out of the count where its category has an object on the same image;
    elsewhere the image's lists already decide: a category that is neither annotated nor verified
    absent is not judged at all. An ignore row without a category says nothing about any.

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
    return checked(
        GroundTruth(
            name=f"{manifest.path} ({split})",
            images=images,
            objects=_objects(manifest, images, categories),
            categories=categories,
        )
    )


def _objects(manifest: Manifest, images: pa.Table, categories: pa.Table) -> pa.Table:
    """`OBJECTS`: the objects, and the ignore rows that have a say."""
    rows = _rows_on(manifest, images["image_id"].combine_chunks())
    index = PairIndex.of(images, categories)
    keys = index.keys(rows["image_id"].to_numpy(), pc.fill_null(rows["category_id"], -1).to_numpy())
    ignore = pc.not_equal(rows["role"], "object").to_numpy()
    has_category = pc.is_valid(rows["category_id"]).to_numpy()
    kept = ~ignore | (has_category & np.isin(keys, keys[~ignore]))
    rows = rows.append_column("ignore", pa.array(ignore)).filter(pa.array(kept))
    boxes = as_published(pc.list_flatten(rows["bbox"])).combine_chunks()
    return (
        rows.select(OBJECTS.names)
        .set_column(
            OBJECTS.get_field_index("bbox"), "bbox", pa.FixedSizeListArray.from_arrays(boxes, 4)
        )
        .set_column(
            OBJECTS.get_field_index("segmentation"),
            "segmentation",
            polygons_as_published(rows["segmentation"]),
        )
        .cast(OBJECTS)
    )


def _rows_on(manifest: Manifest, image_ids: pa.Array) -> pa.Table:
    """The annotations on some images; the others, of train mostly, never lie in memory at once."""
    path = manifest.path / "annotations.parquet"
    schema = pa.schema([ANNOTATIONS.schema.field(name) for name in _COLUMNS])
    try:
        with pq.ParquetFile(path) as file:
            batches = [
                pa.Table.from_batches([batch]).filter(
                    pc.is_in(batch["image_id"], value_set=image_ids)
                )
                for batch in file.iter_batches(_BATCH_ROWS, columns=_COLUMNS)
            ]
    except FileNotFoundError as error:
        raise InputError(f"{path}: missing. Build the manifest again.") from error
    except (pa.ArrowException, OSError, KeyError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read ({error}). Build the manifest again.") from error
    table = pa.concat_tables([schema.empty_table(), *batches])
    at = table.schema.get_field_index("category_id")
    return table.set_column(at, "category_id", table["category_id"].cast(pa.int64()))
