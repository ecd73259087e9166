"""Which images the report shows: few, the same each time, telling ones first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from lvis_merge.image_roots import ImageRoot, find_image
from lvis_merge.manifest.tables import Tables
from lvis_merge.report.drawing import Sample, draw_sample
from lvis_merge.report.rows import Rows, read_rows

MOST_SAMPLES = 8
_TRIES_PER_SOURCE = 400
"""Files looked for before a source counts as not downloaded."""

_TELLING = 6
"""Boxes that fill a small picture well."""

_MANY = 12
"""More objects or regions than this crowd a small picture."""


def sample_images(
    tables: Tables, roots: Sequence[ImageRoot], most: int = MOST_SAMPLES
) -> list[Sample]:
    """Chooses and draws sample images.

    Sources share the strip; images with objects and ignore regions come first, then those with
    rare categories and a handful of boxes, each with a category that no earlier one showed.

    Args:
        tables: the manifest's tables, whole.
        roots: where images may be, tried in turn.
        most: how many.

    Returns:
        At most `most` samples; none where no image is found.
    """
    if not roots:
        return []

    rows = read_rows(tables.images, tables.annotations, tables.categories)
    samples: list[Sample] = []
    for place, path in _shared(rows, tables, roots, most):
        chosen = np.flatnonzero(rows.image == place)
        annotations = tables.annotations.take(pa.array(chosen))
        image = tables.images.slice(place, 1).to_pylist()[0]
        sample = draw_sample(path, image, annotations, tables.categories)
        if sample is not None:
            samples.append(sample)
        if len(samples) == most:
            break
    return samples


def _shared(
    rows: Rows, tables: Tables, roots: Sequence[ImageRoot], most: int
) -> Iterator[tuple[int, Path]]:
    """Images that are there, (row, file): one source after the other, in turn."""
    queues = [
        list(_found(candidates, source, tables, roots, most))
        for source, candidates in _candidates(rows, tables)
    ]
    for turn in range(max(map(len, queues), default=0)):
        for queue in queues:
            if turn < len(queue):
                yield queue[turn]


def _found(
    candidates: np.ndarray,
    source: str,
    tables: Tables,
    roots: Sequence[ImageRoot],
    most: int,
) -> Iterator[tuple[int, Path]]:
    names = tables.images["file_name"]
    found = 0
    for place in candidates[:_TRIES_PER_SOURCE].tolist():
        path = find_image(names[place].as_py(), source, roots)
        if path is not None:
            yield place, path
            found += 1
            # twice as many as wanted, for the case that some cannot be drawn
            if found == 2 * most:
                return


def _candidates(rows: Rows, tables: Tables) -> Iterator[tuple[str, np.ndarray]]:
    """Rows of `images` by source, best first; sources that add to LVIS come first."""
    objects = rows.objects_per_image
    ignored = np.bincount(rows.image[~rows.is_object], minlength=rows.images)
    is_rare = np.array([f == "r" for f in tables.categories["frequency"].to_pylist()], bool)
    named = rows.is_object & (rows.category >= 0)
    rare = np.zeros(rows.images, bool)
    rare[rows.image[named][is_rare[rows.category[named]]]] = True
    first_category = np.full(rows.images, -1)
    backwards = np.flatnonzero(named)[::-1]
    first_category[rows.image[backwards]] = rows.category[backwards]
    for code in reversed(range(len(rows.sources))):
        of_source = np.flatnonzero((rows.image_source == code) & (objects > 0))
        if not len(of_source):
            continue
        order = np.lexsort(
            (
                of_source,
                np.abs(objects[of_source] + ignored[of_source] - _TELLING),
                ~rare[of_source],
                (objects[of_source] > _MANY) | (ignored[of_source] > _MANY),
                ignored[of_source] == 0,
            )
        )
        ranked = of_source[order]
        # the best image of each category before the second best of any
        _, first = np.unique(first_category[ranked], return_index=True)
        is_first = np.zeros(len(ranked), bool)
        is_first[first] = True
        yield (
            rows.sources[code],
            np.concatenate([ranked[is_first], ranked[~is_first]]),
        )
