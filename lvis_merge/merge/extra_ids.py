"""Image ids of extra sources, which give their own ids and know nothing of each other's."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

IMAGE_ID_OFFSET = 1 << 51
"""Above the ids of LVIS and COCO, below those of Open Images."""

_COCO_IMAGE = r"^https?://images\.cocodataset\.org/[^/?#]+/(?P<id>[0-9]{1,18})\.jpg$"


def extra_image_ids(name: str, published: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Manifest ids.

    Args:
        name: of the source.
        published: string [N], its own ids.

    Returns:
        int64 [N]: 2^51 + (the first 8 bytes, big-endian, of sha256("NAME:id") mod 2^51).
    """
    start = hashlib.sha256(f"{name}:".encode())

    def number(text: str) -> int:
        digest = start.copy()
        digest.update(text.encode())
        return int.from_bytes(digest.digest()[:8], "big") % IMAGE_ID_OFFSET

    return IMAGE_ID_OFFSET + np.array([number(text) for text in published.to_pylist()], np.int64)


def coco_image_ids(urls: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """int64 [N]: the COCO image that a URL on COCO's own server is of; -1: none."""
    found = pc.struct_field(pc.extract_regex(urls, _COCO_IMAGE), "id")
    return np.asarray(found.cast(pa.int64()).fill_null(-1).to_numpy())


def id_collisions(
    image_ids: np.ndarray, published: np.ndarray, free: np.ndarray, earlier: Sequence[pa.Table]
) -> np.ndarray:
    """Images whose manifest id one of an earlier source has, or one of their own with a lower id.

    Args:
        image_ids: int64 [N], manifest ids.
        published: int64 [N], the source's own.
        free: bool [N], images that no earlier rule leaves out.
        earlier: images of earlier sources.

    Returns:
        bool [N].
    """
    hit = np.zeros(len(image_ids), dtype=bool)
    for table in earlier:
        hit |= np.isin(image_ids, table["image_id"].to_numpy())
    places = np.flatnonzero(free & ~hit)
    order = places[np.lexsort((published[places], image_ids[places]))]
    again = image_ids[order][1:] == image_ids[order][:-1]
    hit[order[1:][again]] = True
    return hit
