"""What a generated world is: its files and the build options drawn for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """Options of one `lvis-merge build`; None leaves an option at its default.

    Attributes:
        mapping: a CSV, "none", or None for the default map; `coco_mapping` likewise.
        images: how many Open Images images, or "all".
    """

    lvis: Path | None = None
    lvis_val: Path | None = None
    lvis_test: Path | None = None
    coco: Path | None = None
    openimages: Path | None = None
    mapping: Path | str | None = None
    coco_mapping: Path | None = None
    images: int | str = "all"
    selection: str = "balanced"
    candidates: str = "all"
    openimages_sizes: Path | None = None
    openimages_exclude: Path | None = None
    coco_boxes: str = "all"
    unmapped: str = "ignore"
    holdout: tuple[Path, ...] = ()
    extra: tuple[str, ...] = ()
    extra_exhaustive: tuple[str, ...] = ()
    label_space: str = "lvis"
    max_rejects: str = "1000"
    seed: int = 0

    def arguments(self) -> list[str]:
        """The same as arguments of `lvis-merge build`, without `--out`."""
        arguments: list[str] = []
        for name, value in vars(self).items():
            for item in value if isinstance(value, tuple) else (value,):
                if item is not None:
                    arguments += [f"--{name.replace('_', '-')}", str(item)]
        return arguments


@dataclass(frozen=True)
class World:
    """One generated world.

    Attributes:
        seed: that it was made from.
        folder: that holds all its files.
        files: every file written.
        options: to build it with.
    """

    seed: int
    folder: Path
    files: tuple[Path, ...]
    options: Options
