"""Results of an expert, class ids replaced by LVIS's; what has no LVIS category is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from lvis_merge.evaluation.known import Known
from lvis_merge.testing.experts.partners import ExpertClass
from lvis_merge.testing.pools import pool_writer, read_pool

_ROWS_AT_ONCE = 1 << 16


@dataclass(frozen=True)
class ClassCount:
    """One class and how many detections there were of it."""

    of: ExpertClass
    detections: int


@dataclass(frozen=True)
class Converted:
    """What became of an expert's results: entries = kept + dropped.

    Attributes:
        results: name of the file.
        entries: how many there were.
        bad: bad entries by fault; dropped.
        classes: all classes, by id.
        category_names: LVIS names by id, of the categories that classes went to.
        had_masks: the results had masks, which are not carried on.
    """

    results: str
    entries: int
    bad: dict[str, int]
    classes: tuple[ClassCount, ...]
    category_names: dict[int, str]
    had_masks: bool

    @property
    def kept(self) -> int:
        """Detections of shared categories."""
        return sum(one.detections for one in self.classes if one.of.category_id is not None)

    @property
    def without_partner(self) -> tuple[ClassCount, ...]:
        """Classes that are no LVIS category."""
        return tuple(one for one in self.classes if one.of.category_id is None)

    @property
    def several(self) -> dict[int, list[ClassCount]]:
        """By LVIS category, the classes where there is more than one."""
        found: dict[int, list[ClassCount]] = {}
        for one in self.classes:
            if one.of.category_id is not None:
                found.setdefault(one.of.category_id, []).append(one)
        return {category: classes for category, classes in found.items() if len(classes) > 1}


def convert(
    path: str,
    classes: Sequence[ExpertClass],
    names: dict[int, str],
    source: str,
    out: Path,
    *,
    lenient: bool = False,
) -> Converted:
    """Reads an expert's results and writes those of shared categories, in their order.

    Args:
        path: results or a pool, with boxes.
        classes: of the expert, by id.
        names: LVIS names by id.
        source: what the class ids are from, for messages.
        out: what to write; it carries the list of categories that the expert knows.
        lenient: drop and count bad entries.

    Raises:
        InputError: the results cannot be used.
    """
    class_ids = np.array([one.class_id for one in classes], np.int64)
    known = Known(
        source,
        category_ids=class_ids,
        category_advice="Give the map or the --manifest that has the expert's ids.",
    )
    pool = read_pool(path, known, lenient=lenient)
    found = pool.results.detections
    place = np.searchsorted(class_ids, found.category_id)
    counts = np.bincount(place, minlength=len(classes)).tolist()
    partner = np.array([-1 if c.category_id is None else c.category_id for c in classes], np.int64)
    category_id = partner[place]
    rows = np.flatnonzero(category_id >= 0)
    kept = replace(found, category_id=category_id, mask=None)
    with pool_writer(out, known_category_ids=np.unique(partner[partner >= 0])) as writer:
        for start in range(0, len(rows), _ROWS_AT_ONCE):
            writer.write(kept.at(rows[start : start + _ROWS_AT_ONCE]))
    used = {one.category_id for one in classes}
    return Converted(
        results=pool.results.name,
        entries=pool.results.entries,
        bad=dict(pool.results.faults.counts),
        classes=tuple(ClassCount(*pair) for pair in zip(classes, counts, strict=True)),
        category_names={number: name for number, name in names.items() if number in used},
        had_masks=found.mask is not None,
    )
