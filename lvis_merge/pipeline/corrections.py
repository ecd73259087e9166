"""Applies a corrections file to the rows of a build, and keeps account of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.merge.corrections import (
    REJECT,
    RELABEL,
    Correction,
    Corrections,
    new_categories,
)

Labels = Callable[[np.ndarray], list[str]]
"""What the source calls some rows, given by position: int64 [k] -> k names."""


@dataclass
class AppliedCorrections:
    """What became of the corrections; sources that are read in threads share one.

    Attributes:
        corrections: the file; without rows where none was given.
        met: places of the corrections whose image or box was read.
        stale: places of those whose box has another source label now.
        unusable: places of relabellings of boxes that have no category.
        relabelled: boxes with another category than published, by source.
    """

    corrections: Corrections
    met: set[int] = field(default_factory=set)
    stale: set[int] = field(default_factory=set)
    unusable: set[int] = field(default_factory=set)
    relabelled: Counter[str] = field(default_factory=Counter)

    def rejected_images(self, source: str, image_ids: pa.Array | pa.ChunkedArray) -> np.ndarray:
        """Images to leave out.

        Args:
            source: of the images.
            image_ids: string [N], as published.

        Returns:
            bool [N].
        """
        wanted = {
            row.source_image_id: place
            for place, row in self._rows(source, REJECT)
            if not row.source_annotation_id
        }
        rejected = np.zeros(len(image_ids), dtype=bool)
        for row in _candidates(image_ids, wanted):
            rejected[row] = True
            self.met.add(wanted[image_ids[row].as_py()])
        return rejected

    def rejected_rows(
        self,
        source: str,
        image_ids: pa.Array | pa.ChunkedArray,
        annotation_ids: pa.Array | pa.ChunkedArray,
        labels: Labels,
    ) -> np.ndarray:
        """Boxes to leave out.

        Args:
            source: of the boxes.
            image_ids: string or int64 [N], ids of their images as published.
            annotation_ids: string or int64 [N], as published.
            labels: what the source calls them.

        Returns:
            bool [N].
        """
        rejected = np.zeros(len(annotation_ids), dtype=bool)
        for row, _ in self._boxes(source, REJECT, image_ids, annotation_ids, labels):
            rejected[row] = True
        return rejected

    def with_new_categories(
        self, annotations: pa.Table, images: pa.Table, categories: pa.Table
    ) -> pa.Table:
        """Gives boxes their new categories and keeps the published ones beside them.

        A COCO region that is relabelled matches no LVIS object any more: a match is one of equal
        categories.

        Args:
            annotations: `schema.ANNOTATIONS`, all of them.
            images: `schema.IMAGES`, all of them.
            categories: of the label space.

        Raises:
            InputError: a category that the label space lacks.
        """
        new = new_categories(self.corrections, categories)
        if not new:
            return annotations
        place = pc.index_in(annotations["image_id"], value_set=images["image_id"].combine_chunks())
        category = annotations["category_id"].combine_chunks()
        changed: dict[int, int] = {}
        sources = set(annotations["source"].unique().to_pylist())
        for source in sorted(sources & {self.corrections.rows[at].source for at in new}):
            rows = np.flatnonzero(pc.equal(annotations["source"], source).to_numpy())
            part = annotations.select(["source_annotation_id", "source_label"]).take(pa.array(rows))
            owners = images["source_image_id"].take(place.take(pa.array(rows)))
            found = self._boxes(
                source, RELABEL, owners, part["source_annotation_id"], _column(part["source_label"])
            )
            for row, at in found:
                published = category[int(rows[row])].as_py()
                if published is None:
                    self.unusable.add(at)
                elif published != new[at]:
                    changed[int(rows[row])] = new[at]
                    self.relabelled[source] += 1
        return _changed(annotations, changed)

    def report(self, warn: Callable[[str], None]) -> None:
        """Tells of corrections that were not applied."""
        every = set(range(len(self.corrections.rows)))
        for places, what in (
            (every - self.met, "name no image or box that this build read or chose"),
            (self.stale, "name a box that its source labels differently: of another release?"),
            (self.unusable, "relabel a box that has no category: put its class into the map"),
        ):
            if places:
                first = min(places)
                row, number = self.corrections.rows[first], self.corrections.numbers[first]
                key = " ".join(part for part in row.key if part)
                warn(
                    f"{self.corrections.name}: {len(places):,} rows {what}"
                    f" (row {number}: {key}); not applied"
                )

    def _rows(self, source: str, action: str) -> Iterator[tuple[int, Correction]]:
        for place, row in enumerate(self.corrections.rows):
            if row.source == source and row.action == action:
                yield place, row

    def _boxes(
        self,
        source: str,
        action: str,
        image_ids: pa.Array | pa.ChunkedArray,
        annotation_ids: pa.Array | pa.ChunkedArray,
        labels: Labels,
    ) -> Iterator[tuple[int, int]]:
        """Position of a box and place of its correction."""
        wanted: dict[str, dict[str, int]] = {}
        for place, correction in self._rows(source, action):
            if correction.source_annotation_id:
                of_id = wanted.setdefault(correction.source_annotation_id, {})
                of_id[correction.source_image_id] = place
        for row in _candidates(annotation_ids, wanted):
            found = wanted[str(annotation_ids[row].as_py())].get(str(image_ids[row].as_py()))
            if found is None:
                continue
            self.met.add(found)
            known = self.corrections.rows[found].source_label
            if known and labels(np.array([row]))[0] != known:
                self.stale.add(found)
            else:
                yield row, found


def _column(names: pa.ChunkedArray) -> Labels:
    return lambda rows: names.take(pa.array(rows)).to_pylist()


def _candidates(ids: pa.Array | pa.ChunkedArray, wanted: Mapping[str, object]) -> list[int]:
    """Positions of rows whose id is among some; ids are numbers or texts."""
    if not wanted:
        return []
    values = pa.array(sorted(wanted), pa.string())
    if pa.types.is_integer(ids.type):
        plain = pc.match_substring_regex(values, r"^(0|[1-9][0-9]{0,17})\z")
        values = values.filter(plain).cast(ids.type)
    hits = pc.is_in(ids, value_set=values).to_numpy(zero_copy_only=False)
    return np.flatnonzero(hits).tolist()  # type: ignore[no-any-return]


def _changed(annotations: pa.Table, changed: Mapping[int, int]) -> pa.Table:
    rows = np.array(sorted(changed), np.int64)
    values = np.array([changed[row] for row in rows.tolist()], np.int64)
    category = annotations["category_id"].combine_chunks()
    was = np.zeros(len(annotations), dtype=bool)
    was[rows] = True
    new = category.fill_null(0).to_numpy(zero_copy_only=False).copy()
    new[rows] = values
    columns = {
        "category_id": pa.array(new, pa.int32(), mask=category.is_null().to_numpy(False)),
        "relabelled_from": pc.if_else(pa.array(was), category, pa.scalar(None, pa.int32())),
        "matched_annotation_id": pc.if_else(
            pa.array(was), pa.scalar(None, pa.int64()), annotations["matched_annotation_id"]
        ),
    }
    for name, column in columns.items():
        field = annotations.schema.field(name)
        annotations = annotations.set_column(
            annotations.schema.get_field_index(name), field, column
        )
    return annotations
