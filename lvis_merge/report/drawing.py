"""Draws an image with its objects and ignore regions, small enough to embed."""

from __future__ import annotations

import base64
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lvis_merge.report.findings import REASON_NAMES

if TYPE_CHECKING:
    from PIL import Image, ImageDraw

LONG_SIDE = 440
"""Pixels of a picture; the report shows it at about half of that, sharp on dense screens."""

MOST_BYTES = 40_000
MASK_COLOUR, BOX_COLOUR, IGNORE_COLOUR = (86, 180, 233), (230, 159, 0), (255, 255, 255)
"""Okabe and Ito's sky blue and orange, told apart by every reader; ignore regions are white."""

_SHADE = (0, 0, 0)
_DASH = 7
_LETTERS = 20
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Sample:
    """One picture of the strip.

    Attributes:
        data_uri: the picture with its boxes, as a JPEG data URI.
        width: pixels.
        height: pixels.
        source: the image's source.
        name: the image's id as published.
        objects: names of its objects' categories, with the count where above 1.
        ignored: reasons of its ignore regions, likewise.
        credit: author and licence as far as known, else empty.
    """

    data_uri: str
    width: int
    height: int
    source: str
    name: str
    objects: str
    ignored: str
    credit: str


def draw_sample(
    path: Path, image: dict[str, Any], annotations: pa.Table, categories: pa.Table
) -> Sample | None:
    """Draws one image.

    Args:
        path: the image file.
        image: its row of `images`.
        annotations: its rows of `annotations`.
        categories: the label space.

    Returns:
        The sample; None where the file cannot be read or is of another size than the manifest says.
    """
    picture = _opened(path, image["width"], image["height"])
    if picture is None:
        return None
    scale = picture.width / image["width"], picture.height / image["height"]
    names = dict(
        zip(categories["category_id"].to_pylist(), categories["name"].to_pylist(), strict=True)
    )
    rows = annotations.to_pylist()
    for row in (r for r in rows if r["role"] == "ignore"):
        _hatch(picture, _box(row, scale))
    objects = [r for r in rows if r["role"] == "object"]
    for row in objects:
        _outline(picture, row, scale, (image["width"], image["height"]))
    _write_names(picture, [(str(names[r["category_id"]]), _box(r, scale)) for r in objects])
    return Sample(
        data_uri="data:image/jpeg;base64," + base64.b64encode(_jpeg(picture)).decode(),
        width=picture.width,
        height=picture.height,
        source=image["source"],
        name=image["source_image_id"],
        objects=_counted(str(names[r["category_id"]]) for r in objects),
        ignored=_counted(REASON_NAMES[r["ignore_reason"]] for r in rows if r["role"] == "ignore"),
        credit=_credit(image),
    )


def _opened(path: Path, width: int, height: int) -> Image.Image | None:
    """The image as stored, resized; turned by its EXIF tag only if that alone gives the size."""
    from PIL import Image, ImageOps

    reduction = max(width, height) / LONG_SIDE
    target = max(1, round(width / reduction)), max(1, round(height / reduction))
    try:
        with Image.open(path) as file:
            stored = file.size
            file.draft("RGB", (2 * max(target), 2 * max(target)))
            picture: Image.Image = file
            if stored != (width, height):
                if stored != (height, width) or file.getexif().get(_ORIENTATION, 1) < 5:
                    return None
                picture = ImageOps.exif_transpose(file)
            return picture.convert("RGB").resize(target, Image.Resampling.LANCZOS)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        # Pillow's ways to say that a file is missing, damaged, no image or too large
        return None


def _box(row: dict[str, Any], scale: tuple[float, float]) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 in pixels of the resized picture."""
    x, y, w, h = row["bbox"]
    return x * scale[0], y * scale[1], (x + w) * scale[0], (y + h) * scale[1]


def _outline(
    picture: Image.Image,
    row: dict[str, Any],
    scale: tuple[float, float],
    size: tuple[int, int],
) -> None:
    """Polygons or the bitmap's edge where there is one, else the box."""
    from PIL import ImageDraw

    pen = ImageDraw.Draw(picture)
    if row["mask_rle"]:
        _paint_edge(picture, row["mask_rle"], size)
    elif row["segmentation"]:
        for part in row["segmentation"]:
            points = zip(part[::2], part[1::2], strict=True)
            _trace(pen, [(x * scale[0], y * scale[1]) for x, y in points], MASK_COLOUR)
    else:
        x0, y0, x1, y1 = _box(row, scale)
        _trace(pen, [(x0, y0), (x1, y0), (x1, y1), (x0, y1)], BOX_COLOUR)


def _trace(
    pen: ImageDraw.ImageDraw, corners: list[tuple[float, float]], colour: tuple[int, int, int]
) -> None:
    """A closed line, dark below and coloured above, so that it shows on any background."""
    for ink, width in ((_SHADE, 7), (colour, 4)):
        pen.line([*corners, *corners[:2]], fill=ink, width=width, joint="curve")


def _paint_edge(picture: Image.Image, counts: str, size: tuple[int, int]) -> None:
    """The outline of a bitmap mask of the full image."""
    import numpy as np
    from PIL import Image, ImageChops, ImageFilter
    from pycocotools import mask as coco_mask

    bitmap = coco_mask.decode({"size": [size[1], size[0]], "counts": counts.encode()})
    full = Image.fromarray(np.ascontiguousarray(bitmap * np.uint8(255)))
    inside = full.resize(picture.size, Image.Resampling.NEAREST)
    for ink, width in ((_SHADE, 7), (MASK_COLOUR, 5)):
        edge = ImageChops.subtract(inside.filter(ImageFilter.MaxFilter(width)), inside)
        picture.paste(ink, (0, 0), edge)


def _hatch(picture: Image.Image, box: tuple[float, float, float, float]) -> None:
    """Diagonal lines and a dashed border over an ignore region."""
    from PIL import Image, ImageDraw

    x0, y0, x1, y1 = (round(v) for v in box)
    x0, y0 = max(x0, 0), max(y0, 0)
    x1, y1 = min(x1, picture.width - 1), min(y1, picture.height - 1)
    if x1 <= x0 or y1 <= y0:
        return
    region = picture.crop((x0, y0, x1 + 1, y1 + 1))
    lined = region.copy()
    pen = ImageDraw.Draw(lined)
    for start in range(-region.height, region.width, 12):
        pen.line([(start, region.height), (start + region.height, 0)], fill=IGNORE_COLOUR, width=2)
    picture.paste(Image.blend(region, lined, 0.5), (x0, y0))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((x0, y0, x1, y1), outline=_SHADE, width=2)
    for start in range(0, x1 - x0, 2 * _DASH):
        for y in (y0, y1):
            pen.line(
                [(x0 + start, y), (min(x0 + start + _DASH, x1), y)], fill=IGNORE_COLOUR, width=2
            )
    for start in range(0, y1 - y0, 2 * _DASH):
        for x in (x0, x1):
            pen.line(
                [(x, y0 + start), (x, min(y0 + start + _DASH, y1))], fill=IGNORE_COLOUR, width=2
            )


def _write_names(
    picture: Image.Image, placed: Sequence[tuple[str, tuple[float, float, float, float]]]
) -> None:
    """Names above their boxes; one that would cover another is left out."""
    from PIL import ImageDraw, ImageFont

    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default(_LETTERS)
    taken: list[tuple[float, float, float, float]] = []
    for name, (x0, y0, _, _) in placed:
        width = pen.textlength(name, font=font) + 8
        x = min(max(x0, 0), max(picture.width - width, 0))
        y = min(max(y0 - _LETTERS - 5, 0), picture.height - _LETTERS - 4)
        box = (x, y, x + width, y + _LETTERS + 4)
        if any(x < b[2] and b[0] < box[2] and y < b[3] and b[1] < box[3] for b in taken):
            continue
        taken.append(box)
        pen.rectangle(box, fill=_SHADE)
        pen.text((x + 4, y), name, fill=IGNORE_COLOUR, font=font)


def _jpeg(picture: Image.Image) -> bytes:
    """JPEG of at most `MOST_BYTES`, the best of a few qualities."""
    for quality in (82, 72, 60, 45):
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=quality, optimize=True, subsampling=0)
        if buffer.tell() <= MOST_BYTES:
            break
    return buffer.getvalue()


def _counted(words: Iterable[str]) -> str:
    """`cat, dog ×2`, in the order of first appearance."""
    return ", ".join(word if n == 1 else f"{word} ×{n}" for word, n in Counter(words).items())


def _credit(image: dict[str, Any]) -> str:
    """Author and licence, as CC BY asks for."""
    licence = image["license"] or ""
    if match := re.search(r"creativecommons\.org/licenses/([a-z-]+)/([\d.]+)", licence):
        licence = f"CC {match[1].upper()} {match[2]}"
    return ", ".join(part for part in (image["author"], licence) if part)
