"""Pixels of an image in the frame that the manifest's boxes are in.

The frame is the image as stored, EXIF orientation not applied; only where the stored size differs
from the manifest's and the upright size equals it, the image is turned upright.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from lvis_merge.errors import InputError


class ImageError(InputError):
    """An image that cannot be used.

    Attributes:
        fault: missing, unreadable or wrong_size.
    """

    def __init__(self, message: str, fault: str) -> None:
        super().__init__(message)
        self.fault = fault

    def __reduce__(self) -> tuple[type[ImageError], tuple[str, str]]:
        """Comes whole out of a worker process."""
        return type(self), (str(self), self.fault)


def read_in_frame(path: Path, width: int, height: int, name: str) -> np.ndarray:
    """Reads an image.

    Args:
        path: the file.
        width: of the manifest's frame, pixels.
        height: of the manifest's frame, pixels.
        name: what messages call the image.

    Returns:
        uint8 [height, width, 3], BGR.

    Raises:
        ImageError: the file cannot be read or is cut short, or neither its stored nor its upright
            size is the manifest's.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageError(f"{name}: {path} cannot be read ({error}).", "unreadable") from error
    stored = _decode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if stored is None:
        raise ImageError(
            f"{name}: {path} is damaged, cut short or no image. Fetch it again.", "unreadable"
        )
    if stored.shape[:2] == (height, width):
        return stored
    upright = _decode(data, cv2.IMREAD_COLOR)
    if upright is not None and upright.shape[:2] == (height, width):
        return upright
    raise ImageError(
        f"{name}: {path} is {stored.shape[1]} x {stored.shape[0]} pixels, the manifest says"
        f" {width} x {height}. Its boxes are in another frame: fetch the image again, or build the"
        " manifest from the sizes of the images that you have.",
        "wrong_size",
    )


def _decode(data: bytes, flags: int) -> np.ndarray | None:
    """None of a damaged file. Of one cut short OpenCV would make a half grey picture from disk."""
    try:
        image: np.ndarray | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        return None
    return image
