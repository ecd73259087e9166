"""Names and numbers that pictures carry: ids, Flickr addresses, authors, dates.

All are made up in the published forms. COCO ids start above the real ones (581,929), so nothing in
a demo world points at a real image.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_FIRST_COCO_ID = 600_000


@dataclass(frozen=True)
class FlickrPhoto:
    """The original of a picture.

    Attributes:
        photo_id: Flickr's number, the same in COCO and Open Images.
        secret: the second part of the file's name.
        server: folder on Flickr's static servers.
        farm: number of the static server.
    """

    photo_id: int
    secret: str
    server: int
    farm: int

    def coco_url(self) -> str:
        """The form that COCO and LVIS give in `flickr_url`."""
        place = f"farm{self.farm}.staticflickr.com/{self.server}"
        return f"http://{place}/{self.photo_id}_{self.secret}_z.jpg"

    def open_images_url(self) -> str:
        """The form that Open Images gives in `OriginalURL`."""
        place = f"farm{self.farm}.staticflickr.com/{self.server}"
        return f"https://{place}/{self.photo_id}_{self.secret}_o.jpg"


def hex_digits(rng: np.random.Generator, count: int) -> str:
    """A string of so many random hex digits."""
    return "".join("0123456789abcdef"[digit] for digit in rng.integers(0, 16, count))


def md5_text(rng: np.random.Generator) -> str:
    """Sixteen random bytes in base64, the form of Open Images' `OriginalMD5`."""
    return base64.b64encode(rng.bytes(16)).decode("ascii")


def coco_ids(rng: np.random.Generator, count: int) -> Sequence[int]:
    """Distinct image ids of at most six digits, in random order."""
    return [int(i) for i in rng.permutation(1_000_000 - _FIRST_COCO_ID)[:count] + _FIRST_COCO_ID]


def flickr_photos(rng: np.random.Generator, count: int) -> Sequence[FlickrPhoto]:
    """Photos with distinct ids of eight to ten digits."""
    ids = rng.permutation(count) * 7_919_377 + int(rng.integers(10_000_000, 90_000_000))
    return [
        FlickrPhoto(
            int(i), hex_digits(rng, 10), int(rng.integers(1000, 9000)), int(rng.integers(1, 10))
        )
        for i in ids
    ]


def coco_image_url(subset: str, image_id: int) -> str:
    """`coco_url` of an image; its last two parts are the file under an image root."""
    return f"http://images.cocodataset.org/{subset}/{image_id:012d}.jpg"


def capture_date(rng: np.random.Generator) -> str:
    """A moment of November 2013, when most of COCO was collected."""
    day = int(rng.integers(11, 28))
    hour, minute, second = (int(rng.integers(span)) for span in (24, 60, 60))
    return f"2013-11-{day:02d} {hour:02d}:{minute:02d}:{second:02d}"
