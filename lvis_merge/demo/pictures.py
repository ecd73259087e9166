"""From plans to JPEG files: each picture draws its chance from its own key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from PIL import Image

from lvis_merge.demo.classes import DemoClass
from lvis_merge.demo.paint import paint
from lvis_merge.demo.scene import Scene, ScenePlan, compose

Key: TypeAlias = tuple[int, int, int]
Turn: TypeAlias = Literal[0, 90, 180, 270]
Progress: TypeAlias = Callable[[int, int], None]

# Open Images' Rotation is the counter-clockwise turn that sets a stored image upright; so the
# stored one is the upright one turned clockwise by as much.
_TO_STORED: dict[int, Image.Transpose] = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Picture:
    """A composed scene and the key (seed, stream, place) that its chance comes from."""

    key: Key
    scene: Scene


@dataclass(frozen=True)
class Print:
    """A file to write of a picture.

    Attributes:
        path: JPEG file; its folder exists.
        picture: what it shows; two prints may show the same picture.
        turn: Open Images' `Rotation`: the file is stored turned clockwise by as much.
        scale: size of the print relative to the scene.
    """

    path: Path
    picture: Picture
    turn: Turn = 0
    scale: float = 1.0

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the stored file, pixels."""
        scene = self.picture.scene
        width, height = round(scene.width * self.scale), round(scene.height * self.scale)
        return (height, width) if self.turn in (90, 270) else (width, height)


def take(key: Key, plan: ScenePlan, classes: Mapping[str, DemoClass]) -> Picture:
    """Compose a plan with the chance of a key."""
    return Picture(key, compose(plan, classes, np.random.default_rng((*key, 0))))


def develop(
    prints: Sequence[Print], classes: Mapping[str, DemoClass], progress: Progress | None
) -> None:
    """Paint and write all prints.

    Args:
        prints: files to write, in this order.
        classes: looks of every class in them.
        progress: called with (files written, files in all) after each.
    """
    for done, made in enumerate(prints, start=1):
        key = made.picture.key
        image = paint(made.picture.scene, classes, np.random.default_rng((*key, 1)))
        if made.turn:
            image = image.transpose(_TO_STORED[made.turn])
        if image.size != made.size:
            image = image.resize(made.size, Image.Resampling.BICUBIC)
        image.save(made.path, "JPEG", quality=90)
        if progress is not None:
            progress(done, len(prints))
