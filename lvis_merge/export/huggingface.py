"""A folder that Hugging Face `datasets` loads: Parquet with the features in it, a row an image.

    OUT/README.md                             the data set card, which names the file of each split
    OUT/data/train-00000-of-00001.parquet     a row an image
    OUT/categories.parquet                    the manifest's: what the class names do not say

`datasets.load_dataset("OUT")` gives images by path; objects and ignore regions are lists of one
struct a box, whose `category` is a ClassLabel, 0..C-1 in the order of category_id.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from lvis_merge.export.images import image_paths
from lvis_merge.export.options import Exported
from lvis_merge.export.split_rows import SplitRows, by_whole_images, one_chunk
from lvis_merge.image_roots import ImageRoot
from lvis_merge.manifest import Manifest
from lvis_merge.manifest.schema import ANNOTATIONS, IMAGES

_IMAGES_A_GROUP = 1_000

_IMAGE_COLUMNS = (
    "image_id", "file_name", "width", "height", "source", "source_image_id", "url", "license",
    "author", "author_url", "title", "landing_url", "neg_category_ids",
    "not_exhaustive_category_ids", "pos_category_ids",
)  # fmt: skip
_OBJECT_COLUMNS = (
    "annotation_id", "category_id", "bbox", "area", "segmentation", "mask_rle", "source",
    "source_annotation_id", "source_label",
)  # fmt: skip
_REGION_COLUMNS = (
    "annotation_id", "category_id", "bbox", "ignore_reason", "source", "source_annotation_id",
    "source_label",
)  # fmt: skip
_READ = tuple(dict.fromkeys(("image_id", "role", *_OBJECT_COLUMNS, *_REGION_COLUMNS)))

_PATH = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
"""How `datasets` stores an image."""


def write_huggingface(
    folder: Path,
    splits: Sequence[SplitRows],
    roots: Sequence[ImageRoot],
    advance: Callable[[int], None],
) -> list[Exported]:
    """Writes the folder.

    Args:
        folder: an empty folder.
        splits: the splits.
        roots: where images are. With any, `image` holds absolute paths, and `datasets` decodes it;
            without, and for images that no root has, the manifest's relative file names.
        advance: told how many images were written.

    Raises:
        InputError: a table is missing or damaged.
    """
    manifest = splits[0].manifest
    (folder / "data").mkdir()
    exported = [
        _write_split(folder / "data" / _file_name(split.split), split, roots, advance)
        for split in splits
    ]
    shutil.copyfile(manifest.path / "categories.parquet", folder / "categories.parquet")
    (folder / "README.md").write_text(_card(splits), encoding="utf-8")
    return exported


def _file_name(split: str) -> str:
    return f"{split}-00000-of-00001.parquet"


def _card(splits: Sequence[SplitRows]) -> str:
    files = "\n".join(
        f"  - split: {one.split}\n    path: data/{_file_name(one.split)}" for one in splits
    )
    return (
        f"---\nconfigs:\n- config_name: default\n  data_files:\n{files}\n---\n\n"
        "Written by `lvis-merge export --format huggingface`. A category in none of an image's"
        " lists is unknown there. Boxes are x, y, width, height in pixels of the image as stored:"
        " EXIF orientation not applied.\n"
    )


def _write_split(
    path: Path, split: SplitRows, roots: Sequence[ImageRoot], advance: Callable[[int], None]
) -> Exported:
    found = image_paths(split.images, roots) if roots else []
    names = split.images["file_name"].to_pylist()
    if found:
        names = [str(place or name) for place, name in zip(found, names, strict=True)]
    paths = pa.array(names, pa.string())
    schema = _schema(split.manifest, decode=bool(roots))
    objects = regions = 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for images, annotations in by_whole_images(split, _READ):
            rows = _rows(split, images, annotations, paths)
            writer.write_table(pa.table(rows, schema=schema), row_group_size=_IMAGES_A_GROUP)
            objects += len(rows["objects"].flatten())
            regions += len(rows["ignore_regions"].flatten())
            advance(len(images))
    counts = {"images_missing": found.count(None)}
    return Exported(split.split, f"data/{path.name}", len(names), objects, regions, counts)


def _rows(
    split: SplitRows, images: range, annotations: pa.Table, paths: pa.Array
) -> dict[str, pa.Array]:
    """A range of images with all their annotations."""
    table = split.images.slice(images.start, len(images)).combine_chunks()
    place = paths.slice(images.start, len(images))
    rows = {name: one_chunk(table[name]) for name in _IMAGE_COLUMNS}
    ids = split.manifest.categories["category_id"].combine_chunks()
    columns = {
        **{name: one_chunk(annotations[name]) for name in annotations.column_names},
        "category": pc.index_in(
            one_chunk(annotations["category_id"]), value_set=ids, skip_nulls=True
        ).cast(pa.int64()),
    }
    labelled = pa.table(columns)
    is_object = pc.equal(labelled["role"], "object")
    return {
        "image": pa.StructArray.from_arrays(
            [pa.nulls(len(place), pa.binary()), place], ["bytes", "path"]
        ),
        **rows,
        "objects": _lists(labelled.filter(is_object), ("category", *_OBJECT_COLUMNS), rows),
        "ignore_regions": _lists(
            labelled.filter(pc.invert(is_object)), ("category", *_REGION_COLUMNS), rows
        ),
    }


def _lists(table: pa.Table, names: Sequence[str], images: dict[str, pa.Array]) -> pa.ListArray:
    """The rows of each image as a list of structs."""
    table = table.combine_chunks()
    ids = images["image_id"].to_numpy()
    ends = np.searchsorted(table["image_id"].to_numpy(), [*ids, ids[-1] + 1] if len(ids) else [0])
    structs = pa.StructArray.from_arrays([one_chunk(table[name]) for name in names], list(names))
    return pa.ListArray.from_arrays(pa.array(ends.astype(np.int32)), structs)


def _schema(manifest: Manifest, decode: bool) -> pa.Schema:
    """The Arrow schema, with what `datasets` reads of it."""
    types: dict[str, pa.DataType] = {"image": _PATH}
    types |= {name: IMAGES.schema.field(name).type for name in _IMAGE_COLUMNS}
    for name, columns in (("objects", _OBJECT_COLUMNS), ("ignore_regions", _REGION_COLUMNS)):
        members = [("category", pa.int64())]
        members += [(column, ANNOTATIONS.schema.field(column).type) for column in columns]
        types[name] = pa.list_(pa.struct(members))
    features = {name: _feature(kind) for name, kind in types.items()}
    features["image"] = {"decode": decode, "_type": "Image"}
    label = {"names": _class_names(manifest), "_type": "ClassLabel"}
    for name in ("objects", "ignore_regions"):
        features[name]["feature"]["category"] = label
    info = json.dumps({"info": {"features": features}}, ensure_ascii=False)
    return pa.schema(list(types.items()), metadata={"huggingface": info})


def _feature(kind: pa.DataType) -> dict[str, Any]:
    """An Arrow type as `datasets` spells it."""
    if pa.types.is_struct(kind):
        return {field.name: _feature(field.type) for field in kind}
    if pa.types.is_fixed_size_list(kind):
        return {"feature": _feature(kind.value_type), "length": kind.list_size, "_type": "List"}
    if pa.types.is_list(kind):
        return {"feature": _feature(kind.value_type), "_type": "List"}
    return {"dtype": {"float": "float32", "double": "float64"}.get(str(kind), str(kind)),
            "_type": "Value"}  # fmt: skip


def _class_names(manifest: Manifest) -> list[str]:
    """Names by category_id; `datasets` refuses two classes of one name."""
    rows = manifest.arrow("categories", ["category_id", "name"]).to_pylist()
    uses = Counter(row["name"] for row in rows)
    return [
        row["name"] if uses[row["name"]] == 1 else f"{row['name']} ({row['category_id']})"
        for row in rows
    ]
