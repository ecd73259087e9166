"""The image lists: every image's id, Flickr photo and rotation; later the chosen ones in full."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.sources.csv_rows import IMAGE_ID, ROTATION, TEXT, parse_rows
from lvis_merge.sources.flickr import flickr_photo_id
from lvis_merge.sources.open_images.gather import gather
from lvis_merge.sources.open_images.ids import IdIndex, manifest_image_ids
from lvis_merge.sources.open_images.scan import (
    CHUNK,
    Advance,
    ChunkScan,
    FileScan,
    Spans,
    all_rejects,
    first_reason,
)

NEEDED = ("ImageID",)
DETAILS = ("OriginalURL", "OriginalLandingURL", "License", "AuthorProfileURL", "Author", "Title")
LISTED = pa.schema(
    [
        CHUNK,
        ("image_id", pa.int64()),
        ("id", pa.string()),
        ("row", pa.int32()),
        ("flickr_photo_id", pa.int64()),
        ("rotated", pa.bool_()),
    ]
)
"""Rows of an image list: `row` is the number in the range, `rotated` sideways or upside down."""
IMAGES = pa.schema([pa.field("subset", pa.int8()), *LISTED])
"""Images that are known and not rejected, by `subset` (its place), `chunk` and `row`.

Of an image that is known from its boxes alone, chunk and row are those of its first box row; it may
stand in several subsets.
"""


def look_at_list(repeated: Spans, columns: tuple[str, ...], data: bytes) -> ChunkScan:
    """The first pass over a range, a `Look`; finds `LISTED`.

    Args:
        repeated: rows that repeat the id of an earlier one.
        columns: of the file.
        data: the range.
    """
    kinds = {"ImageID": IMAGE_ID}
    kinds |= {"OriginalURL": TEXT} if "OriginalURL" in columns else {}
    kinds |= {"Rotation": ROTATION} if "Rotation" in columns else {}
    parsed = parse_rows(data, columns, kinds)
    table = parsed.table
    ids = table["ImageID"].combine_chunks()
    urls = table["OriginalURL"] if "OriginalURL" in columns else pa.nulls(len(table), pa.string())
    rotated = np.zeros(len(table), bool)
    if "Rotation" in columns:
        rotated = _rotated(table["Rotation"].combine_chunks())
    found = pa.table(
        [
            pa.array(manifest_image_ids(ids)),
            ids,
            pa.array(parsed.numbers, pa.int32()),
            flickr_photo_id(urls),
            pa.array(rotated),
        ],
        schema=LISTED.remove(0),
    )
    bad = {"duplicate_id": repeated.hold(parsed.numbers)}
    rejects = all_rejects(parsed, first_reason(bad), tuple(bad), data)
    return ChunkScan(parsed.rows, rejects, found)


def _rotated(column: pa.Array) -> np.ndarray:
    """Rotation 90, 180 or 270; 0, empty and nan are upright as far as is known."""
    turned = np.array(
        [
            text is not None and float(text) == float(text) and float(text) != 0.0
            for text in column.dictionary.to_pylist()
        ]
        + [False],
        dtype=bool,
    )
    turned_rows = turned[column.indices.fill_null(len(turned) - 1).to_numpy()]
    return np.asarray(turned_rows)


def first_of_each(lists: Sequence[pa.Table | None]) -> tuple[pa.Table, pa.Table]:
    """The images of the lists' rows: an id counts where it is first, over the subsets in order.

    Args:
        lists: by subset, rows of `LISTED` in any order, those of an id all there; None without a
            list.

    Returns:
        `IMAGES` in their order, and the rows that repeat an id, likewise.
    """
    parts = [IMAGES.empty_table()]
    for subset, rows in enumerate(lists):
        if rows is not None:
            parts.append(_of_subset(subset, _in_file_order(rows, "row")))
    table = pa.concat_tables(parts).combine_chunks()
    first = np.zeros(len(table), dtype=bool)
    first[_first_places(table["id"])] = True
    return table.filter(pa.array(first)), table.filter(pa.array(~first))


def images_of_runs(subset: int, runs: pa.Table) -> pa.Table:
    """The images of a subset without a list, known from its box rows.

    Args:
        subset: its place.
        runs: `chunk`, `image_id`, `id`, `first` of all runs of these images, in any order.

    Returns:
        `IMAGES` in their order.
    """
    runs = _in_file_order(runs, "first")
    first = runs.take(pa.array(_first_places(runs["id"])))
    rows = pa.table(
        [
            *(first[name] for name in ("chunk", "image_id", "id", "first")),
            pa.nulls(len(first), pa.int64()),
            pa.array(np.zeros(len(first), bool)),
        ],
        schema=LISTED,
    )
    return _of_subset(subset, rows)


def _in_file_order(rows: pa.Table, number: str) -> pa.Table:
    chunk, row = (rows[name].to_numpy().astype(np.int64) for name in ("chunk", number))
    return rows.take(pa.array(np.argsort(chunk << 32 | row, kind="stable")))


def _first_places(ids: pa.ChunkedArray) -> np.ndarray:
    """int64, ascending: where each text is for the first time."""
    codes = pc.dictionary_encode(ids).combine_chunks().indices.to_numpy()
    return np.sort(np.unique(codes, return_index=True)[1])


def _of_subset(subset: int, rows: pa.Table) -> pa.Table:
    column = pa.array(np.full(len(rows), subset, np.int8))
    return rows.add_column(0, IMAGES.field("subset"), column).select(IMAGES.names)


def runs_of_rows(images: pa.Table) -> pa.Table:
    """`chunk`, `first`, `last` and `good` of the list rows of some `IMAGES`, a run each."""
    one = pa.array(np.ones(len(images), np.int32))
    columns = [images["chunk"], images["row"], images["row"], one]
    return pa.table(columns, names=["chunk", "first", "last", "good"])


def details(scans: Sequence[FileScan | None], images: pa.Table, advance: Advance) -> pa.Table:
    """The list rows of some images: `image` (place) and the columns of `DETAILS`.

    Args:
        scans: by subset, the first pass over its list, or None where it has none.
        images: `IMAGES`, the chosen ones; an image's place is its row.
        advance: told of each finished range.
    """
    schema = pa.schema([("image", pa.int32()), *((name, pa.string()) for name in DETAILS)])
    tables = [schema.empty_table()]
    for subset, scan in enumerate(scans):
        if scan is None:
            continue
        kinds = {"ImageID": IMAGE_ID}
        kinds |= {name: TEXT for name in DETAILS if name in scan.table.columns}
        places = np.flatnonzero(images["subset"].to_numpy() == subset)
        here = images.take(pa.array(places))
        index = IdIndex(here["id"].combine_chunks(), places)
        table = gather(scan.table, kinds, runs_of_rows(here), index, advance)
        for name in DETAILS:
            if name not in kinds:
                table = table.append_column(name, pa.nulls(len(table), pa.string()))
        tables.append(table.select(schema.names))
    return pa.concat_tables(tables).combine_chunks()
