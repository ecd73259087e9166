"""The four tables of a manifest, together."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

from lvis_merge.manifest.schema import TABLES, TableSpec


@dataclass(frozen=True)
class Tables:
    """A manifest's tables in memory, each of its declared schema and in its declared order.

    Attributes:
        images: `schema.IMAGES`.
        annotations: `schema.ANNOTATIONS`.
        categories: `schema.CATEGORIES`.
        rejects: `schema.REJECTS`.
    """

    images: pa.Table
    annotations: pa.Table
    categories: pa.Table
    rejects: pa.Table

    def named(self) -> list[tuple[TableSpec, pa.Table]]:
        """Each table with its declaration, in the declared order."""
        return [(spec, getattr(self, spec.name)) for spec in TABLES]
