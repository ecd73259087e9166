"""What people look for first: each image is marked with the checks that it has something for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

TINY, HUGE, OUTSIDE = "tiny", "huge", "outside"
TINY_PIXELS = 3.0
"""A box with a side shorter than this shows hardly anything."""

HUGE_SHARE = 0.98
"""A box of more than this share of its image outlines nothing."""

OUTSIDE_PIXELS = 1.0
"""Boxes may be this far over the image's edge: publishers round."""

RARE_GAIN = "rare category from Open Images"
UNMATCHED = "COCO box without LVIS object"
BOX_ONLY = "objects without mask"
MISSING = "image file missing"


@dataclass(frozen=True)
class Frame:
    """Width and height of an image in pixels."""

    width: int
    height: int


def suspicion(box: tuple[float, float, float, float], frame: Frame) -> str | None:
    """Why a box may be wrong by its size or place: outside, huge, tiny or None.

    Args:
        box: x, y, w, h in pixels.
        frame: of its image.
    """
    x, y, w, h = box
    beyond = max(-x, -y, x + w - frame.width, y + h - frame.height)
    if beyond > OUTSIDE_PIXELS:
        return OUTSIDE
    if w * h > HUGE_SHARE * frame.width * frame.height:
        return HUGE
    return TINY if min(w, h) < TINY_PIXELS else None


def suspicious(kind: str) -> str:
    """The check of images with an object of some suspicion."""
    return f"{kind} box"


def ignored(reason: str) -> str:
    """The check of images with an ignore region of some reason."""
    return f"ignored: {reason}"


def image_checks(
    objects: list[dict[str, Any]], regions: list[dict[str, Any]], missing: bool
) -> Iterator[str]:
    """The checks that an image's labels have something for, each once.

    Args:
        objects: labels of its objects.
        regions: labels of its ignore regions.
        missing: whether there is no image file.
    """
    if missing:
        yield MISSING
    if any(box["source"] == "open_images" and box["frequency"] == "rare" for box in objects):
        yield RARE_GAIN
    if objects and not any("mask" in box for box in objects):
        yield BOX_ONLY
    for kind in (TINY, HUGE, OUTSIDE):
        if any(box["suspicion"] == kind for box in objects):
            yield suspicious(kind)
    if any(is_unmatched(region) for region in regions):
        yield UNMATCHED
    for reason in sorted({region["label"] for region in regions}):
        yield ignored(reason)


def is_unmatched(region: dict[str, Any]) -> bool:
    """Whether an ignore region is a COCO box that outlines no LVIS object."""
    return bool(region["label"] == "coco_box" and region["matched"] is False)
