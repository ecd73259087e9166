"""Masks of a block of annotation rows: polygons, or a bitmap as COCO run lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated

import msgspec

from lvis_merge.sources.polygons import PolygonColumn, parse_polygons

NO_MASK = b"[]"
_Run = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]
_Length = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]


class _RunLengths(msgspec.Struct):
    size: tuple[_Length, _Length]
    counts: str | list[_Run]


_DECODER = msgspec.json.Decoder(_RunLengths)


@dataclass(frozen=True)
class Bitmap:
    """A bitmap mask.

    Attributes:
        counts: COCO compressed run lengths.
        height: of the bitmap.
        width: of the bitmap.
    """

    counts: str
    height: int
    width: int


@dataclass(frozen=True)
class MaskColumn:
    """The masks of N rows.

    Attributes:
        polygons: of all rows; no parts where there is no mask or a bitmap.
        bitmaps: the others, by position.
    """

    polygons: PolygonColumn
    bitmaps: dict[int, Bitmap] = field(default_factory=dict)


def read_masks(texts: Sequence[bytes | msgspec.Raw]) -> MaskColumn | None:
    """Reads the `segmentation` texts of a block of rows.

    Args:
        texts: valid JSON values; an empty array means no mask.

    Returns:
        The masks, or None if a text is neither polygons nor run lengths.
    """
    polygons = parse_polygons(texts)
    if polygons is not None:
        return MaskColumn(polygons)
    plain = [bytes(text) for text in texts]
    bitmaps = {}
    for row, text in enumerate(plain):
        if text.startswith(b"{"):
            bitmap = _read_bitmap(text)
            if bitmap is None:
                return None
            bitmaps[row] = bitmap
            plain[row] = NO_MASK
    polygons = parse_polygons(plain) if bitmaps else None
    return None if polygons is None else MaskColumn(polygons, bitmaps)


def _read_bitmap(text: bytes) -> Bitmap | None:
    try:
        mask = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    height, width = mask.size
    if isinstance(mask.counts, str):
        return Bitmap(mask.counts, height, width)
    return Bitmap(_compressed(mask.counts), height, width)


def _compressed(counts: list[int]) -> str:
    from pycocotools import mask as coco_mask

    # The size only rides along: the compressed counts do not depend on it.
    encoded: bytes = coco_mask.frPyObjects({"size": [1, 1], "counts": counts}, 1, 1)["counts"]
    return encoded.decode("ascii")
