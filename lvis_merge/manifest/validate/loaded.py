"""A manifest in memory as the rules see it: tables, record, maps and how rows join."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.manifest.record import KindCounts, ManifestRecord
from lvis_merge.manifest.tables import Tables
from lvis_merge.manifest.validate.columns import (
    Bools,
    Floats,
    Ints,
    equal,
    floats,
    ints,
    isin,
    places,
    valid,
)
from lvis_merge.manifest.validate.finding import Finding, Level

_KEYS = {
    "images": "image_id",
    "annotations": "annotation_id",
    "categories": "category_id",
    "rejects": "file",
}


@dataclass(frozen=True)
class Loaded:
    """Everything a rule may look at.

    Attributes:
        tables: of the declared schemas.
        record: `manifest.json`.
        maps: content of each file in `maps/`, by name.
    """

    tables: Tables
    record: ManifestRecord
    maps: Mapping[str, bytes]

    @property
    def images(self) -> pa.Table:
        """The table `images`."""
        return self.tables.images

    @property
    def annotations(self) -> pa.Table:
        """The table `annotations`."""
        return self.tables.annotations

    @property
    def categories(self) -> pa.Table:
        """The table `categories`."""
        return self.tables.categories

    @property
    def in_lvis_space(self) -> bool:
        """Whether the label space is LVIS's."""
        return self.record.label_space == "lvis"

    @cached_property
    def image_row(self) -> Ints:
        """For each annotation the row of its image, -1 if there is none."""
        return places(ints(self.images["image_id"]), ints(self.annotations["image_id"]))

    @cached_property
    def category_row(self) -> Ints:
        """For each annotation the row of its category, -1 if null or unknown."""
        return self._category_rows(self.annotations["category_id"])

    @cached_property
    def published_row(self) -> Ints:
        """As `category_row`, for the category before a correction."""
        annotations = self.annotations
        published = pc.coalesce(annotations["relabelled_from"], annotations["category_id"])
        return self._category_rows(published)

    def _category_rows(self, ids: pa.ChunkedArray) -> Ints:
        found = places(ints(self.categories["category_id"]), ints(ids))
        return np.where(valid(ids), found, -1)

    @cached_property
    def relabelled(self) -> Bools:
        """Annotations that a correction changed."""
        return valid(self.annotations["relabelled_from"])

    @cached_property
    def corrected_image(self) -> Bools:
        """Images with a corrected annotation: their lists speak of the published labels."""
        rows = self.image_row[self.relabelled & (self.image_row >= 0)]
        return np.bincount(rows, minlength=self.images.num_rows).astype(bool)

    @cached_property
    def is_object(self) -> Bools:
        """Annotations of role object."""
        return equal(self.annotations["role"], "object")

    @cached_property
    def is_train(self) -> Bools:
        """Images of split train."""
        return equal(self.images["split"], "train")

    @cached_property
    def on_train(self) -> Bools:
        """Annotations on images of split train."""
        return self.of_image(self.is_train)

    def of_image(self, flags: Bools) -> Bools:
        """A flag of images for each annotation; false where the image is unknown."""
        if len(flags) == 0:
            return np.zeros(len(self.image_row), bool)
        return flags[self.image_row] & (self.image_row >= 0)

    @cached_property
    def boxes(self) -> Floats:
        """Boxes, float64 `[N, 4]`: x, y, w, h in pixels, nan for null."""
        column = self.annotations["bbox"].combine_chunks()
        return floats(pc.list_flatten(column)).reshape(-1, 4)

    def rows_from(self, source: str) -> Bools:
        """Annotations of a source."""
        return self._from("annotations", source)

    def images_from(self, source: str) -> Bools:
        """Images of a source."""
        return self._from("images", source)

    @cached_property
    def _masks(self) -> dict[tuple[str, str], Bools]:
        return {}

    def _from(self, table: str, source: str) -> Bools:
        if (table, source) not in self._masks:
            column = getattr(self.tables, table)["source"]
            self._masks[table, source] = equal(column, source)
        return self._masks[table, source]

    @cached_property
    def extra_rows(self) -> Bools:
        """Annotations of extra sources."""
        return isin(self.annotations["source"], list(self.record.extras))

    @cached_property
    def extra_images(self) -> Bools:
        """Images of extra sources."""
        return isin(self.images["source"], list(self.record.extras))

    def counts(self, source: str, kind: str) -> KindCounts | None:
        """Counts of a source and kind, or None."""
        return self.record.counts.get(source, {}).get(kind)

    def dropped(self, source: str, kind: str) -> int:
        """Good rows left out, of a source and kind."""
        counts = self.counts(source, kind)
        return sum(counts.dropped.values()) if counts else 0

    def broken(
        self,
        rule: str,
        table: str,
        rows: Bools,
        message: str | Callable[[int], str],
        level: Level = "error",
    ) -> Iterator[Finding]:
        """The finding of a rule that some rows break, if any do.

        Args:
            rule: name of the rule.
            table: name of the table.
            rows: `[N]`, true where the rule is broken.
            message: what is wrong, of the first such row (0-based) if it is a function.
            level: error or warning.

        Yields:
            At most one finding, of the first row.
        """
        places_broken = np.flatnonzero(rows)
        if len(places_broken) == 0:
            return
        first = int(places_broken[0])
        text = message if isinstance(message, str) else message(first)
        more = len(places_broken) - 1
        if more:
            text += f", and {more:,} more row{'s' if more > 1 else ''} like it"
        key = f"{_KEYS[table]} {getattr(self.tables, table)[_KEYS[table]][first]}"
        yield Finding(level, rule, table, first + 1, key, text)
