"""The views of an image that a detector is tested on: sizes, and mirrored or not."""

from __future__ import annotations

import re
from dataclasses import dataclass

from lvis_merge.errors import UsageError

_LONG_SIDE = (5, 3)  # of the short one: 600, 1000; 800, 1333; … 1400, 2333 (Tan et al. 2020)
_SIDES = re.compile(r"([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?")


@dataclass(frozen=True)
class Scale:
    """How large an image is made: as large as both bounds allow, its aspect ratio kept.

    Attributes:
        short: bound of the shorter side, pixels.
        long: bound of the longer side, pixels.
    """

    short: int
    long: int

    def __str__(self) -> str:
        return f"{self.short}x{self.long}"


def read_scales(text: str) -> tuple[Scale, ...]:
    """Reads `--scales`.

    Args:
        text: `SHORT` or `SHORTxLONG`, apart by commas; the long side is 5/3 of the short one where
            it is not given, as in the paper's (600, 1000), (800, 1333), … (1400, 2333).

    Raises:
        UsageError: something else, a long side below the short one, or a scale twice.
    """
    scales = []
    for part in text.split(","):
        found = _SIDES.fullmatch(part.strip())
        if found is None:
            raise UsageError(
                f"--scales {text}: {part.strip() or 'nothing'} is no scale. Write short sides in"
                " pixels, 600,800,1000, or both bounds, 600x1000,800x1333."
            )
        short = int(found[1])
        times, over = _LONG_SIDE
        scale = Scale(short, int(found[2]) if found[2] else round(short * times / over))
        if scale.long < scale.short:
            raise UsageError(f"--scales {text}: in {scale} the short side is the longer one.")
        if scale in scales:
            raise UsageError(f"--scales {text}: {scale} is there twice.")
        scales.append(scale)
    return tuple(scales)
