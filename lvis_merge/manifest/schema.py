"""The manifest's tables, declared once.

Everything else is derived from these declarations: the Arrow schemas that the writer casts to, the
columns that the reader and `validate` expect, the tables of `manifests/README.md` and the Croissant
record sets. Boxes are x, y, w, h in pixels of the image as stored; ranges are half-open.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from lvis_merge.labelmap.relations import RELATIONS
from lvis_merge.merge.rules import FREQUENCIES, IGNORE_REASONS, ROLES, SPLITS
from lvis_merge.sources.tables import IDS, POLYGONS, REJECT_KINDS, REJECT_REASONS

SCHEMA_VERSION = 1

ROW_GROUP_ROWS = 65_536

BBOX = pa.list_(pa.float32(), 4)


@dataclass(frozen=True)
class Column:
    """One column of a manifest table.

    Attributes:
        name: column name, part of the contract.
        type: Arrow type as stored.
        meaning: one sentence for the README and Croissant.
        nullable: whether null is a legal value.
        values: the legal values of an enumerated string column, else empty.
    """

    name: str
    type: pa.DataType
    meaning: str
    nullable: bool = False
    values: tuple[str, ...] = ()

    @property
    def field(self) -> pa.Field:
        """The Arrow field."""
        return pa.field(self.name, self.type, nullable=self.nullable)


@dataclass(frozen=True)
class TableSpec:
    """One table of the manifest.

    Attributes:
        name: file stem: `images` is `images.parquet`.
        meaning: one sentence.
        order: how rows are ordered, in words.
        columns: the columns in file order.
    """

    name: str
    meaning: str
    order: str
    columns: tuple[Column, ...]

    @property
    def file_name(self) -> str:
        """Base name of the Parquet file."""
        return f"{self.name}.parquet"

    @cached_property
    def schema(self) -> pa.Schema:
        """The Arrow schema as written."""
        return pa.schema([column.field for column in self.columns])

    def empty(self) -> pa.Table:
        """A table with no rows."""
        return self.schema.empty_table()

    def build(self, columns: dict[str, Any]) -> pa.Table:
        """A table of this schema from arrays; a column not given is null in every row.

        Args:
            columns: arrays or chunked arrays of equal length, castable to the declared types.

        Returns:
            The table, columns in the declared order, each one chunk.

        Raises:
            KeyError: a column that the table does not declare.
            pa.ArrowInvalid: a value that the declared type cannot hold.
        """
        unknown = set(columns) - set(self.schema.names)
        if unknown:
            raise KeyError(f"{self.name} has no column {', '.join(sorted(unknown))}")
        length = len(next(iter(columns.values()))) if columns else 0
        arrays = []
        for field in self.schema:
            value = columns.get(field.name)
            array = pa.nulls(length, field.type) if value is None else value
            if isinstance(array, pa.ChunkedArray):
                array = array.combine_chunks()
            arrays.append(array if array.type == field.type else array.cast(field.type))
        return pa.table(arrays, schema=self.schema)


_STRING, _INT32, _INT64 = pa.string(), pa.int32(), pa.int64()
_FLOAT64, _BOOL = pa.float64(), pa.bool_()

IMAGES = TableSpec(
    "images",
    "One row per image, with what is known about it besides its boxes.",
    "by image_id",
    (
        Column(
            "image_id",
            _INT64,
            "LVIS and COCO: their id. Open Images: 2^52 + (ImageID as hex mod 2^52). Extra sources:"
            " 2^51 + (first 8 bytes of sha256 of NAME:id, mod 2^51)",
        ),
        Column("source", _STRING, "lvis, coco (label space coco), open_images or an extra's name"),
        Column("source_image_id", _STRING, "the image's id as published"),
        Column(
            "split",
            _STRING,
            "train, val or test; Open Images is train, except in its own label space",
            values=SPLITS,
        ),
        Column("file_name", _STRING, "below an image root: train2017/000000391895.jpg"),
        Column("source_file_name", _STRING, "file name as the source file had it", True),
        Column("url", _STRING, "where `lvis-merge fetch` gets the image", True),
        Column("original_url", _STRING, "the Flickr file", True),
        Column("landing_url", _STRING, "the Flickr page", True),
        Column("width", _INT32, "pixels, of the frame that the boxes are in"),
        Column("height", _INT32, "pixels, of the frame that the boxes are in"),
        Column("flickr_photo_id", _INT64, "the Flickr photo, from the original URL", True),
        Column("license", _STRING, "URL of the image's licence", True),
        Column("license_id", _INT32, "licence id in the source file (LVIS, COCO)", True),
        Column("author", _STRING, "who to name (Open Images)", True),
        Column("author_url", _STRING, "the author's page (Open Images)", True),
        Column("title", _STRING, "the photo's title (Open Images)", True),
        Column("date_captured", _STRING, "as the source file had it (LVIS, COCO)", True),
        Column("neg_category_ids", IDS, "categories verified absent"),
        Column(
            "not_exhaustive_category_ids",
            IDS,
            "categories present, with not every instance annotated",
        ),
        Column("pos_category_ids", IDS, "categories verified or annotated as present"),
    ),
)

ANNOTATIONS = TableSpec(
    "annotations",
    "One row per object or ignore region.",
    "by image_id, then source (lvis, coco, open_images, extras), then source annotation id",
    (
        Column("annotation_id", _INT64, "1..N in row order"),
        Column("image_id", _INT64, "the image"),
        Column("category_id", _INT32, "category; null on ignore rows that have none", True),
        Column("bbox", BBOX, "x, y, w, h in pixels"),
        Column(
            "area",
            _FLOAT64,
            "square pixels: LVIS's published one; the mask's; else w*h",
        ),
        Column("segmentation", POLYGONS, "polygons by part: x0, y0, x1, y1, … in pixels", True),
        Column("mask_rle", _STRING, "COCO compressed counts, for bitmap masks", True),
        Column("role", _STRING, "object, or ignore (kept out of sampling)", values=ROLES),
        Column(
            "ignore_reason",
            _STRING,
            "why a row is an ignore region; null on objects",
            True,
            IGNORE_REASONS,
        ),
        Column("source", _STRING, "the data set that the row came from"),
        Column(
            "source_annotation_id",
            _STRING,
            "LVIS, COCO: the id. Open Images: ImageID:rank, rank from 1 over the image's good rows",
        ),
        Column("source_label", _STRING, "LVIS or COCO category name; Open Images MID"),
        Column(
            "map_relation",
            _STRING,
            "relation of the map row used",
            True,
            RELATIONS,
        ),
        Column("annotation_method", _STRING, "Open Images `Source`: xclick, activemil, …", True),
        Column(
            "matched_annotation_id",
            _INT64,
            "on a COCO ignore row: the LVIS object of the same category with IoU >= 0.5",
            True,
        ),
        Column("is_occluded", _BOOL, "Open Images flag; null is unknown", True),
        Column("is_truncated", _BOOL, "Open Images flag; null is unknown", True),
        Column("is_group_of", _BOOL, "Open Images flag; null is unknown", True),
        Column("is_depiction", _BOOL, "Open Images flag; null is unknown", True),
        Column("is_inside", _BOOL, "Open Images flag; null is unknown", True),
        Column("relabelled_from", _INT32, "category before a correction, if one was made", True),
    ),
)

CATEGORIES = TableSpec(
    "categories",
    "The label space that the manifest was built in.",
    "by category_id",
    (
        Column("category_id", _INT32, "LVIS or COCO id; 1..C by MID for Open Images"),
        Column("name", _STRING, "LVIS, COCO or Open Images name"),
        Column("source_label", _STRING, "MID or COCO name in those label spaces", True),
        Column("synset", _STRING, "WordNet synset (LVIS)", True),
        Column("synonyms", pa.list_(_STRING), "names of the synset (LVIS)", True),
        Column("definition", _STRING, "definition of the synset (LVIS)", True),
        Column(
            "frequency",
            _STRING,
            "rare, common or frequent as LVIS publishes it; AP_r/c/f are defined by it",
            True,
            FREQUENCIES,
        ),
        Column("image_count_published", _INT64, "train images, as the LVIS file says", True),
        Column("instance_count_published", _INT64, "train instances, as the LVIS file says", True),
        Column("image_count_lvis", _INT64, "LVIS train images, recounted before hold-out", True),
        Column("instance_count_lvis", _INT64, "LVIS train instances, recounted likewise", True),
        Column("image_count", _INT64, "train images with an object, after the merge"),
        Column("instance_count", _INT64, "objects on train images, after the merge"),
        Column(
            "frequency_merged",
            _STRING,
            "r (at most 10 images), c (at most 100) or f, after the merge",
            values=FREQUENCIES,
        ),
        Column("f", _FLOAT64, "image_count / train images with at least one object"),
        Column("repeat_factor", _FLOAT64, "max(1, sqrt(0.001 / f)); 1 without an object"),
        Column("is_tail", _BOOL, "tail class of the equalization loss (LVIS label space)", True),
    ),
)

REJECTS = TableSpec(
    "rejects",
    "Every input row that was not used because it was bad.",
    "by source, file, row",
    (
        Column("source", _STRING, "lvis, coco, open_images or an extra's name"),
        Column("file", _STRING, "base name of the file"),
        Column("kind", _STRING, "what the row describes", values=REJECT_KINDS),
        Column("row", _INT64, "1-based, header not counted; in JSON the place in its array"),
        Column("reason", _STRING, "what was wrong, the first of the rules", values=REJECT_REASONS),
        Column("raw", _STRING, "the row's text, cut at 1,000 characters"),
    ),
)

TABLES = (IMAGES, ANNOTATIONS, CATEGORIES, REJECTS)
