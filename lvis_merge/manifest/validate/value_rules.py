"""Enumerated values and names of sources."""

from __future__ import annotations

from collections.abc import Iterator

from lvis_merge.manifest.schema import TABLES
from lvis_merge.manifest.validate.columns import isin, valid
from lvis_merge.manifest.validate.finding import Finding
from lvis_merge.manifest.validate.loaded import Loaded

_ROW_SOURCES = {"lvis": ("lvis", "coco", "open_images"), "coco": ("coco",)}
_IMAGE_SOURCES = {"lvis": ("lvis", "open_images"), "coco": ("coco",)}
_OPEN_IMAGES = ("open_images",)


def enumerations(loaded: Loaded) -> Iterator[Finding]:
    """Enumerated columns hold the declared values only."""
    for spec in TABLES:
        table = getattr(loaded.tables, spec.name)
        for column in spec.columns:
            if column.values:
                values = table[column.name]
                wrong = valid(values) & ~isin(values, list(column.values))
                yield from loaded.broken(
                    "value",
                    spec.name,
                    wrong,
                    lambda row, values=values, column=column: (  # type: ignore[misc]
                        f"{column.name} is {values[row]}, not one of {', '.join(column.values)}"
                    ),
                )


def sources(loaded: Loaded) -> Iterator[Finding]:
    """A source is one of the label space's, or an extra one that the record names."""
    space = loaded.record.label_space
    for table, allowed in (
        ("images", _IMAGE_SOURCES.get(space, _OPEN_IMAGES)),
        ("annotations", _ROW_SOURCES.get(space, _OPEN_IMAGES)),
        ("rejects", _ROW_SOURCES.get(space, _OPEN_IMAGES)),
    ):
        column = getattr(loaded.tables, table)["source"]
        yield from loaded.broken(
            "source",
            table,
            ~isin(column, [*allowed, *loaded.record.extras]),
            lambda row, column=column: (  # type: ignore[misc]
                f"source {column[row]} is none of this label space ({space}), nor an extra one of"
                " manifest.json"
            ),
        )
