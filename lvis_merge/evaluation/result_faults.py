"""What can be wrong with an entry of a results file, in words for the user."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lvis_merge.errors import InputError

Fault = Literal["malformed", "image_id", "category_id", "score", "bbox", "segmentation", "uneven"]
FAULTS: tuple[Fault, ...] = (
    "malformed",
    "image_id",
    "category_id",
    "score",
    "bbox",
    "segmentation",
    "uneven",
)
"""In the order in which they are looked for; an entry has the first."""


@dataclass
class Faults:
    """The bad entries of a file: the first one stops, or where it is lenient they are counted.

    Attributes:
        file: the results, for messages.
        lenient: whether to drop bad entries and go on.
        counts: dropped entries by fault.
    """

    file: str
    lenient: bool
    counts: Counter[str] = field(default_factory=Counter)

    def add(self, fault: Fault, entry: int, message: str) -> None:
        """Counts a bad entry.

        Args:
            fault: which.
            entry: 1-based place in the file.
            message: what is wrong, and what to do.

        Raises:
            InputError: bad entries are not to be dropped.
        """
        if not self.lenient:
            raise InputError(
                f"{self.file}: entry {entry:,}: {message}"
                " Or --lenient: such entries are dropped and counted."
            )
        self.counts[fault] += 1


def malformed(value: Any) -> str:
    """What keeps a JSON value from being an entry."""
    if not isinstance(value, dict):
        return f"is {_shown(value)}, not an object. Write image_id, category_id, score, bbox."
    for name in ("image_id", "category_id", "score"):
        if name not in value:
            return f"has no {name}. Write it."
    for name in ("image_id", "category_id"):
        if not _is_integer(value[name]):
            return f"{name} is {_shown(value[name])}, not an integer. Write it as one."
    if not _is_number(value["score"]):
        return f"score is {_shown(value['score'])}, not a number. Write one in [0, 1]."
    box, mask = value.get("bbox"), value.get("segmentation")
    if box is not None and not (
        isinstance(box, list) and len(box) == 4 and all(map(_is_number, box))
    ):
        return f"bbox is {_shown(box)}, not four numbers x, y, w, h. Write those."
    if mask is not None and not _is_run_lengths(mask):
        return (
            "segmentation is not compressed run lengths, an object of size [height, width] and"
            " counts (a string). Encode it with pycocotools.mask."
        )
    return "holds a number or text that JSON or 64 bits cannot. Write it again."


def unknown_image(image_id: int, truth: str) -> str:
    """About an image that the ground truth lacks."""
    return (
        f"image_id {image_id} is not in {truth}. Evaluate with the annotations of the images that"
        " were detected on."
    )


def unknown_category(category_id: int, truth: str, advice: str) -> str:
    """About a category that the ground truth lacks."""
    return f"category_id {category_id} is not in {truth}. {advice}"


def bad_score(score: float) -> str:
    """About a score outside [0, 1], or NaN."""
    return f"score is {score:g}, not in [0, 1]. Write probabilities."


def bad_box(box: Sequence[float]) -> str:
    """About a box that is not finite, or of negative size."""
    words = ", ".join(f"{value:g}" for value in box)
    finite = all(map(math.isfinite, box))
    wrong = "its width or height is negative" if finite else "it is not finite"
    return f"bbox is [{words}]: {wrong}. Write x, y, w, h in pixels."


def wrong_size(size: Sequence[int], height: int, width: int) -> str:
    """About a mask of another size than its image."""
    return (
        f"segmentation is {size[0]} x {size[1]}, the image is {height} x {width} (height x width)."
        " Resize the mask to the image as published."
    )


def damaged_mask(pixels: int | None, height: int, width: int) -> str:
    """About run lengths that do not decode, or do not fill their image."""
    wrong = (
        "counts do not decode"
        if pixels is None
        else f"counts fill {pixels:,} pixels, the image has {height * width:,}"
    )
    return f"segmentation: {wrong}. Encode the mask again, with pycocotools.mask."


def without_kind() -> str:
    """About an entry with nothing to compare."""
    return "has neither bbox nor segmentation. Write one of them, or both."


def uneven(has: str, lacks: str) -> str:
    """About an entry that has not what the first one has."""
    return f"has {has}, the first entry has {lacks}. Write the same fields in every entry."


def _is_integer(value: Any) -> bool:
    return type(value) is int and -(2**63) <= value < 2**63


def _is_number(value: Any) -> bool:
    return type(value) in (int, float)


def _is_run_lengths(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("counts"), str):
        return False
    size = value.get("size")
    return isinstance(size, list) and len(size) == 2 and all(map(_is_integer, size))


def _shown(value: Any) -> str:
    """A value as JSON would have it, cut."""
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
