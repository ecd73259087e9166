"""Is what arrived the image that was asked for?"""

from __future__ import annotations

import io

from lvis_merge.fetch.trouble import Reason, Trouble
from lvis_merge.sources.sizes import StoredSize, size_of

_SHRINK = 8
_MOST_PIXELS = {"JPEG": 89_000_000, "PNG": 64_000_000}
"""Where Pillow begins to warn; no photo of these data sets comes near."""

_FORMATS = ("JPEG", "PNG")
_PAGE = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body", b"{")


def check_image(data: bytes, width: int | None = None, height: int | None = None) -> StoredSize:
    """Decodes an image to its last byte.

    JPEGs are decoded at an eighth of their size: the whole stream is read all the same, so that one
    cut short is found out, in half the time. Python's lock is free meanwhile.

    Args:
        data: the file.
        width: of the frame that its boxes are in, pixels; None where not known.
        height: as `width`.

    Returns:
        The size as stored.

    Raises:
        Trouble: no JPEG or PNG, damaged or cut short, or neither its stored nor its upright size
            is the one given.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            # Pillow only warns, and turning its warning into an error is not safe in threads
            if image.width * image.height > _MOST_PIXELS[str(image.format)]:
                raise Image.DecompressionBombError(
                    f"{image.width} x {image.height} pixels: a decompression bomb?"
                )
            size = size_of(image)
            image.draft(None, (max(image.width // _SHRINK, 1), max(image.height // _SHRINK, 1)))
            image.load()
    except UnidentifiedImageError as error:
        raise Trouble(Reason.no_image, _what_it_is(data)) from error
    except Exception as error:  # Pillow's readers of damaged files raise what they like
        raise Trouble(Reason.damaged, str(error) or type(error).__name__) from error
    if width is not None and height is not None and not size.fits(width, height):
        stored = f"{size.width} x {size.height} pixels, the manifest says {width} x {height}"
        raise Trouble(Reason.wrong_size, stored)
    return size


def _what_it_is(data: bytes) -> str:
    if not data:
        return "an empty file"
    if data.lstrip()[:9].lower().startswith(_PAGE):
        return "a page, not an image"
    return f"{len(data):,} bytes that are no JPEG"
