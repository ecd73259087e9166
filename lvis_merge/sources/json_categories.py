"""Category rows of LVIS and COCO files. A bad one stops the build: everything refers to them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.errors import InputError
from lvis_merge.sources.tables import CATEGORY_ROWS

_CategoryId = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
_Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]


class CocoCategory(msgspec.Struct):
    """What is read of a COCO category."""

    id: _CategoryId
    name: str


class LvisCategory(CocoCategory, kw_only=True):
    """What is read of an LVIS category."""

    synset: str
    frequency: Literal["r", "c", "f"]
    synonyms: list[str] | None = None
    definition: str | None = msgspec.field(default=None, name="def")
    image_count: _Count | None = None
    instance_count: _Count | None = None


def read_categories(path: Path, rows: Any, row_type: type[CocoCategory]) -> pa.Table:
    """Checks category rows.

    Args:
        path: the file, for messages.
        rows: the file's `categories`.
        row_type: `CocoCategory` or `LvisCategory`.

    Returns:
        `CATEGORY_ROWS`, by id.

    Raises:
        InputError: no row, a field that no row has, a malformed row, or an id that is there twice.
    """
    if not isinstance(rows, list):
        raise InputError(f"{path}: `categories` is no array. Give an LVIS or COCO annotation file.")
    if not rows:
        raise InputError(f"{path}: `categories` is empty. Give an LVIS or COCO annotation file.")
    needed = [field.encode_name for field in msgspec.structs.fields(row_type) if field.required]
    missing = [
        name for name in needed if not any(isinstance(row, dict) and name in row for row in rows)
    ]
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        raise InputError(
            f"{path}: no row of `categories` has {names}, so it is a file of another kind. Give"
            f" {'an LVIS' if row_type is LvisCategory else 'a COCO'} annotation file."
        )
    categories = [
        _category(path, number, row, row_type) for number, row in enumerate(rows, start=1)
    ]
    places: dict[int, int] = {}
    for number, category in enumerate(categories, start=1):
        if category.id in places:
            raise InputError(
                f"{path}: category id {category.id} is in row {places[category.id]} and again in"
                f" row {number} of `categories`. Give each category an id of its own."
            )
        places[category.id] = number
    columns = {
        "category_id": "id",
        "image_count_published": "image_count",
        "instance_count_published": "instance_count",
    }
    table = pa.table(
        {
            field.name: pa.array(
                [getattr(row, columns.get(field.name, field.name), None) for row in categories],
                field.type,
            )
            for field in CATEGORY_ROWS
        },
        schema=CATEGORY_ROWS,
    )
    return table.take(pc.sort_indices(table, [("category_id", "ascending")]))


def _category(path: Path, number: int, row: Any, row_type: type[CocoCategory]) -> CocoCategory:
    try:
        category = msgspec.convert(row, row_type)
        msgspec.json.encode(category)  # a lone surrogate cannot be stored
        return category
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise InputError(
            f"{path}: row {number} of `categories` is malformed ({error})."
            " Mend it: every annotation refers to the categories."
        ) from error
