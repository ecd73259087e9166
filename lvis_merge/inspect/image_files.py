"""The picture of each image, or a stand-in that says that it is missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from lvis_merge.image_roots import ImageRoot, find_image
from lvis_merge.inspect.documents import ImageFile
from lvis_merge.whole_file import whole_file

_LONG_SIDE = 640
_STEPS = 20
"""Shapes (width over height) of stand-ins by unit: a few dozen files serve any data set."""

_GROUND, _INK = (58, 58, 58), (222, 222, 222)
_TEXT = "image not found"


def image_files(images: pa.Table, roots: Sequence[ImageRoot], folder: Path) -> list[ImageFile]:
    """Looks for every image.

    Args:
        images: `source`, `file_name`, `width` and `height`.
        roots: where images may be, tried in turn.
        folder: where the stand-ins are, or are drawn.

    Returns:
        One for each row.
    """
    files = []
    for source, name, width, height in zip(
        *(images[column].to_pylist() for column in ("source", "file_name", "width", "height")),
        strict=True,
    ):
        found = find_image(name, source, roots)
        if found is not None:
            files.append(ImageFile(str(found.absolute()), False))
        else:
            shape = min(max(1, round(_STEPS * width / height)), _STEPS**2) / _STEPS
            files.append(ImageFile(str(folder / f"missing_{shape:.2f}.png"), True))
    for path in {Path(file.path) for file in files if file.missing}:
        if not path.exists():
            _draw(path, float(path.stem.removeprefix("missing_")))
    return files


def _draw(path: Path, shape: float) -> None:
    from PIL import Image, ImageDraw, ImageFont

    long = max(shape, 1.0)
    picture = Image.new(
        "RGB", (round(_LONG_SIDE * shape / long), round(_LONG_SIDE / long)), _GROUND
    )
    pen = ImageDraw.Draw(picture)
    pen.text(
        (picture.width / 2, picture.height / 2),
        _TEXT,
        fill=_INK,
        font=ImageFont.load_default(28),
        anchor="mm",
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as partial:
        picture.save(partial)
