"""Entries of a JSON results file as columns, each checked against what it may name."""

from __future__ import annotations

import math
from itertools import chain
from typing import Annotated, Any

import msgspec
import numpy as np
import pyarrow as pa

from lvis_merge.evaluation import entry_checks, result_faults
from lvis_merge.evaluation.detections import Detections
from lvis_merge.evaluation.known import Known
from lvis_merge.evaluation.pairs import Bools, Ints
from lvis_merge.evaluation.result_faults import Fault, Faults
from lvis_merge.sources.json_scan import value_of

_Int64 = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_NO_BOX = (math.nan,) * 4
_WORDS = {
    (True, True): "bbox and segmentation",
    (True, False): "only bbox",
    (False, True): "only segmentation",
    (False, False): "neither bbox nor segmentation",
}


class _Mask(msgspec.Struct, gc=False):
    size: tuple[_Int64, _Int64]
    counts: str


class _Entry(msgspec.Struct, gc=False):
    """What is read of an entry; JSON types are taken strictly, `1.0` is no integer."""

    image_id: _Int64
    category_id: _Int64
    score: float
    bbox: tuple[float, float, float, float] | None = None
    segmentation: _Mask | None = None

    @property
    def kinds(self) -> tuple[bool, bool]:
        """Whether it has a box, and a mask."""
        return self.bbox is not None, self.segmentation is not None


_DECODER = msgspec.json.Decoder(list[_Entry])


class EntryColumns:
    """Collects the entries of a file; see `RowSink`.

    Attributes:
        seen: how many there were, good or bad.
    """

    def __init__(self, known: Known, faults: Faults) -> None:
        self._known = known
        self._faults = faults
        self._kinds: tuple[bool, bool] | None = None
        self._blocks: list[Detections] = []
        self.seen = 0

    def plain(self, array: bytes) -> int:
        """Takes entries that all have the right fields and types."""
        try:
            entries = _DECODER.decode(array)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return 0
        if entries:
            self._take(entries)
        self.seen += len(entries)
        return len(entries)

    def odd(self, row: bytes) -> None:
        """Takes an entry that `plain` refuses: malformed, or with numbers that JSON lacks."""
        try:
            value = value_of(row)
        except RecursionError:
            value = "lists in lists in lists"
        entry = _as_entry(value)
        if entry is not None:
            self._take([entry])
        else:
            message = result_faults.malformed(value)
            self._faults.add("malformed", self.seen + 1, message)
        self.seen += 1

    def finish(self) -> Detections:
        """The good entries."""
        boxes, masks = self._kinds or (True, False)
        blocks = self._blocks or [_NOTHING]

        def joined(name: str) -> Any:
            return np.concatenate([getattr(block, name) for block in blocks])

        return Detections(
            entry=joined("entry"),
            image_id=joined("image_id"),
            category_id=joined("category_id"),
            score=joined("score"),
            bbox=joined("bbox") if boxes else None,
            mask=pa.concat_arrays([block.mask for block in blocks]) if masks else None,
        )

    def _take(self, entries: list[_Entry]) -> None:
        count = len(entries)
        boxes = chain.from_iterable([entry.bbox or _NO_BOX for entry in entries])
        masks = [entry.segmentation for entry in entries]
        block = Detections(
            entry=np.arange(self.seen + 1, self.seen + count + 1),
            image_id=np.fromiter([entry.image_id for entry in entries], np.int64, count),
            category_id=np.fromiter([entry.category_id for entry in entries], np.int64, count),
            score=np.fromiter([entry.score for entry in entries], np.float64, count),
            bbox=np.fromiter(boxes, np.float64, 4 * count).reshape(count, 4),
            mask=pa.array([mask and mask.counts for mask in masks], pa.large_string()),
        )

        def tell(fault: Fault, row: int) -> None:
            message = self._message(fault, block, row, entries[row])
            self._faults.add(fault, self.seen + row + 1, message)

        self._blocks.append(entry_checks.good_entries(block, self._checks(block, entries), tell))

    def _checks(self, block: Detections, entries: list[_Entry]) -> dict[Fault, Bools]:
        """Which entries are bad, by fault, in the order in which they are told."""
        # attributes read in the list itself: a call of a property for each entry takes longer than
        # decoding it
        has_box = np.array([entry.bbox is not None for entry in entries], np.bool_)
        has_mask = np.array([entry.segmentation is not None for entry in entries], np.bool_)
        kinds = np.stack([has_box, has_mask], axis=1)
        if self._kinds is None and kinds.any():
            self._kinds = entries[int(np.argmax(kinds.any(axis=1)))].kinds
        found = entry_checks.checks(block, self._known)
        fits = self._fits(block.image_id, entries) if has_mask.any() else has_mask
        return {
            **found,
            "bbox": has_box & found["bbox"],
            "segmentation": has_mask & ~found["image_id"] & ~fits,
            "uneven": (kinds != (self._kinds or (True, False))).any(axis=1),
        }

    def _fits(self, image_id: Ints, entries: list[_Entry]) -> Bools:
        """Which masks are of their image's size; only those of known images are looked at."""
        expected = self._known.size(image_id)
        if expected is None:
            return np.ones(len(entries), np.bool_)
        sizes = [entry.segmentation.size if entry.segmentation else (0, 0) for entry in entries]
        fits: Bools = (np.array(sizes, np.int64) == expected).all(axis=1)
        return fits

    def _message(self, fault: Fault, block: Detections, row: int, entry: _Entry) -> str:
        if fault == "uneven":
            if self._kinds is None:
                return result_faults.without_kind()
            return result_faults.uneven(_WORDS[entry.kinds], _WORDS[self._kinds])
        if fault == "segmentation" and entry.segmentation:
            expected = self._known.size(block.image_id[row : row + 1])
            assert expected is not None
            height, width = expected[0].tolist()
            return result_faults.wrong_size(entry.segmentation.size, height, width)
        return entry_checks.message(fault, block, row, self._known)


_NOTHING = Detections(
    entry=np.zeros(0, np.int64),
    image_id=np.zeros(0, np.int64),
    category_id=np.zeros(0, np.int64),
    score=np.zeros(0),
    bbox=np.zeros((0, 4)),
    mask=pa.array([], pa.large_string()),
)


def _as_entry(value: Any) -> _Entry | None:
    """An entry that is sound but for a NaN or an infinity; None if it is malformed."""
    try:
        return msgspec.convert(value, _Entry)
    except (msgspec.ValidationError, OverflowError):
        return None
