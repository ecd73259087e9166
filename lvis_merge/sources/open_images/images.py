"""The image lists: every image's id, Flickr photo and rotation; later the chosen ones in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.sources.csv_chunks import row_texts
from lvis_merge.sources.csv_rows import IMAGE_ID, ROTATION, TEXT, parse_rows
from lvis_merge.sources.csv_table import CsvTable
from lvis_merge.sources.flickr import flickr_photo_id
from lvis_merge.sources.open_images.boxes import image_ids
from lvis_merge.sources.open_images.ids import IdIndex, hex_keys
from lvis_merge.sources.open_images.scan import (
    SOURCE,
    Advance,
    ChunkScan,
    FileScan,
    ImageRuns,
    gather,
    read_ranges,
    scan_table,
)
from lvis_merge.sources.rejects import Reject, rejects_table
from lvis_merge.sources.tables import REJECT_ROWS

NEEDED = ("ImageID",)
DETAILS = ("OriginalURL", "OriginalLandingURL", "License", "AuthorProfileURL", "Author", "Title")


@dataclass(frozen=True)
class ImageList:
    """Every image of the folder that is known and not rejected.

    An image that only boxes speak of may stand in several subsets.

    Attributes:
        ids: string [N], ImageIDs, by subset and place in the list.
        subset: int8 [N], place of the subset among the folder's subsets.
        flickr_photo_id: int64 [N], nullable.
        rotated: bool [N], stored sideways or upside down.
        scans: by subset, the first pass over its list, or None where it has none.
        rejects: bad rows.
        rows: by subset, data rows of its list.
    """

    ids: pa.Array
    subset: np.ndarray
    flickr_photo_id: pa.Array
    rotated: np.ndarray
    scans: tuple[FileScan | None, ...]
    rejects: pa.Table
    rows: tuple[int, ...]

    @property
    def listed(self) -> np.ndarray:
        """bool [N]: whether the image has a row in a list (else it is known from its boxes)."""
        has_list = np.array([scan is not None for scan in self.scans], dtype=bool)
        return np.asarray(has_list[self.subset])

    def index(self, subset: int) -> IdIndex:
        """Places of one subset's images."""
        here = np.flatnonzero(self.subset == subset).astype(np.int32)
        return IdIndex.of(self.ids.take(pa.array(here)), here)


@dataclass(frozen=True)
class _Found:
    ids: pa.Array
    numbers: np.ndarray
    flickr: pa.Array
    rotated: np.ndarray


def _look(columns: tuple[str, ...], data: bytes) -> ChunkScan:
    kinds = {"ImageID": IMAGE_ID}
    kinds |= {"OriginalURL": TEXT} if "OriginalURL" in columns else {}
    kinds |= {"Rotation": ROTATION} if "Rotation" in columns else {}
    parsed = parse_rows(data, columns, kinds)
    table = parsed.table
    urls = table["OriginalURL"] if "OriginalURL" in columns else pa.nulls(len(table), pa.string())
    flickr = flickr_photo_id(urls)
    if isinstance(flickr, pa.ChunkedArray):
        flickr = flickr.combine_chunks()
    found = _Found(
        table["ImageID"].combine_chunks(),
        parsed.numbers,
        flickr,
        _rotated(table["Rotation"].combine_chunks())
        if "Rotation" in columns
        else np.zeros(len(table), bool),
    )
    return ChunkScan(parsed.rows, parsed.rejects, ImageRuns.concat(()), found)


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


def scan_list(table: CsvTable, advance: Advance) -> FileScan:
    """First pass over one image list."""
    return scan_table(table, "image", _look, advance)


def ids_of_boxes(table: CsvTable, advance: Advance) -> pa.Array:
    """The distinct images of a box table, for a subset without an image list; in file order."""
    _, parts = read_ranges(table, image_ids, advance)
    return pc.unique(pa.concat_arrays([pa.array([], pa.string()), *parts]))


def join_lists(
    scans: Sequence[FileScan | None], from_boxes: Sequence[pa.Array | None]
) -> ImageList:
    """One list of images from those of the subsets; a repeated id is rejected.

    Args:
        scans: by subset, the first pass over its list, or None.
        from_boxes: by subset, the ids of its box rows where there is no list, else None.
    """
    parts = [
        _from_scan(scan) if scan is not None else _from_ids(ids)
        for scan, ids in zip(scans, from_boxes, strict=True)
    ]
    subset = np.repeat(np.arange(len(parts), dtype=np.int8), [len(part.ids) for part in parts])
    ids = pa.concat_arrays([pa.array([], pa.string()), *(part.ids for part in parts)])
    # a subset without a list has whatever images its boxes are on
    listed = np.array([scan is not None for scan in scans], dtype=bool)[subset]
    first = ~listed
    first[listed] = _first_of_each(ids.filter(pa.array(listed)))
    repeated = np.flatnonzero(~first)
    starts = np.cumsum([0, *(len(part.ids) for part in parts)])
    rejects = [scan.rejects for scan in scans if scan is not None]
    for place, scan in enumerate(scans):
        here = repeated[(repeated >= starts[place]) & (repeated < starts[place + 1])]
        if scan is not None and len(here):
            rejects.append(_repeated_rows(scan, parts[place].numbers[here - starts[place]]))
    kept = pa.array(np.flatnonzero(first))
    return ImageList(
        ids.take(kept),
        subset[first],
        pa.concat_arrays([pa.array([], pa.int64()), *(part.flickr for part in parts)]).take(kept),
        np.concatenate([np.zeros(0, bool), *(part.rotated for part in parts)])[first],
        tuple(scans),
        pa.concat_tables([rejects_table(SOURCE, "", "image", ()), *rejects]),
        tuple(scan.rows if scan is not None else 0 for scan in scans),
    )


def _from_scan(scan: FileScan) -> _Found:
    """The ranges' finds as one, rows numbered in the file from 0."""
    return _Found(
        pa.concat_arrays([pa.array([], pa.string()), *(found.ids for found in scan.found)]),
        np.concatenate(
            [
                np.zeros(0, np.int64),
                *(f.numbers + base for f, base in zip(scan.found, scan.bases, strict=True)),
            ]
        ),
        pa.concat_arrays([pa.array([], pa.int64()), *(found.flickr for found in scan.found)]),
        np.concatenate([np.zeros(0, bool), *(found.rotated for found in scan.found)]),
    )


def _from_ids(ids: pa.Array | None) -> _Found:
    ids = pa.array([], pa.string()) if ids is None else ids
    return _Found(
        ids,
        np.zeros(len(ids), np.int64),
        pa.nulls(len(ids), pa.int64()),
        np.zeros(len(ids), bool),
    )


def _first_of_each(ids: pa.Array) -> np.ndarray:
    """bool [N]: not a repetition of an earlier id."""
    keys, regular = hex_keys(ids)
    first = np.ones(len(ids), dtype=bool)
    places = np.flatnonzero(regular)
    order = np.argsort(keys[places], kind="stable")
    ordered = keys[places][order]
    first[places[order[1:][ordered[1:] == ordered[:-1]]]] = False
    seen: set[str] = set()
    for place in np.flatnonzero(~regular).tolist():
        text = ids[place].as_py()
        first[place] = text not in seen
        seen.add(text)
    return first


def _repeated_rows(scan: FileScan, rows: np.ndarray) -> pa.Table:
    table = scan.table
    ranges = np.searchsorted(scan.bases, rows, side="right") - 1
    rejects = [REJECT_ROWS.empty_table()]
    for place in np.unique(ranges).tolist():
        texts = row_texts(table.ranges[place].read())
        file = table.file_of(place)
        first = scan.bases[table.first_ranges[file]]
        repeated = [
            Reject(int(row - first) + 1, "duplicate_id", texts[int(row - scan.bases[place])])
            for row in rows[ranges == place]
        ]
        rejects.append(rejects_table(SOURCE, table.files[file].name, "image", repeated))
    return pa.concat_tables(rejects)


def details(images: ImageList, chosen: np.ndarray, advance: Advance) -> pa.Table:
    """The list rows of the chosen images: `image` (place) and the columns of `DETAILS`.

    Args:
        images: the lists.
        chosen: bool [N].
        advance: told of each finished range.
    """
    schema = pa.schema([("image", pa.int32()), *((name, pa.string()) for name in DETAILS)])
    tables = [schema.empty_table()]
    for subset, scan in enumerate(images.scans):
        if scan is None:
            continue
        kinds = {"ImageID": IMAGE_ID}
        kinds |= {name: TEXT for name in DETAILS if name in scan.table.columns}
        index = images.index(subset)
        table = gather(_with_runs(scan, index), kinds, chosen, index, advance)
        for name in DETAILS:
            if name not in kinds:
                table = table.append_column(name, pa.nulls(len(table), pa.string()))
        table = table.select(schema.names)
        # a rejected repetition of an id stands behind its first row
        _, first = np.unique(table["image"].to_numpy(), return_index=True)
        tables.append(table.take(pa.array(np.sort(first))))
    return pa.concat_tables(tables).combine_chunks()


def _with_runs(scan: FileScan, index: IdIndex) -> FileScan:
    """The scan with one run per row, so that rows can be gathered by image."""
    runs = []
    for found in scan.found:
        image = index.find(found.ids)
        known = image >= 0
        numbers = found.numbers[known].astype(np.int32)
        ones = np.ones(len(numbers), np.int32)
        runs.append(ImageRuns(image[known], ones * 0, numbers, numbers, ones))
    return FileScan(
        scan.table, scan.rows, scan.rejects, ImageRuns.concat(runs), scan.found, scan.bases
    )
