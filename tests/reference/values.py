"""Texts and numbers: what parses, and rounding to float32."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
HEXADECIMAL = re.compile(r"[0-9a-fA-F]+")
FLAGS = {"1": True, "0": False, "-1": None, None: None}


class NotAValueError(ValueError):
    """A field that does not parse to its type."""


def number(text: str | None) -> float:
    """A CSV number as float64; nan and inf are numbers, blanks are not stripped."""
    if text is None or not (DECIMAL.fullmatch(text) or NOT_FINITE.fullmatch(text)):
        raise NotAValueError(text)
    return float(text)


def flag(text: str | None) -> bool | None:
    """An Open Images flag: 1, 0, or null for -1 and empty."""
    if text not in FLAGS:
        raise NotAValueError(text)
    return FLAGS[text]


def image_id(text: str | None) -> str:
    """An Open Images ImageID, kept as published."""
    if text is None or not HEXADECIMAL.fullmatch(text):
        raise NotAValueError(text)
    return text


def rotation(text: str | None) -> int:
    """Degrees; 0 where empty or nan."""
    if text is None:
        return 0
    value = number(text)
    if value != value:
        return 0
    if value not in (0, 90, 180, 270):
        raise NotAValueError(text)
    return int(value)


def confidence(text: str | None) -> int:
    value = number(text)
    if value not in (0, 1):
        raise NotAValueError(text)
    return int(value)


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    return is_integer(value) or isinstance(value, float)


def float32(value: float) -> float:
    """Rounds to float32 and gives the Python float of that."""
    return float(np.float32(value))


def flickr_photo_id(url: str | None) -> int | None:
    """The digits before the first `_` in the last path part, if these are 1 to 18 digits."""
    if url is None:
        return None
    last = url.split("/")[-1]
    if "_" not in last:
        return None
    digits = last.split("_")[0]
    return int(digits) if re.fullmatch("[0-9]{1,18}", digits) else None
