"""Reads a small TOML file."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

_MOST_BYTES = 100_000
"""Hundreds of runs. tomllib's time grows with the square of a dotted key's length."""


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file says.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too long, not UTF-8 or no TOML.
    """
    with path.open("rb") as file:
        data = file.read(_MOST_BYTES + 1)
    if len(data) > _MOST_BYTES:
        raise ValueError(f"is longer than {_MOST_BYTES:,} bytes")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except RecursionError as error:
        raise ValueError("lists in lists, too deep to read") from error
