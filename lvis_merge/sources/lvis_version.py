"""Which published LVIS version a file's category list is."""

from __future__ import annotations

import hashlib
from typing import Literal

import pyarrow as pa

LvisVersion = Literal["v0.5", "v1", "custom"]

# Of the published lists: the sha256 of `id synset` lines by id.
_DIGESTS: dict[str, LvisVersion] = {
    "5b1683cd19b53d5c761a288b82e66360f48156710baab771e7d496f57bb9cff4": "v0.5",
    "fd32a20d65fe74ff58ec3415c83dfd57ad3c0fce39947d10ce12ffbc927c9260": "v1",
}


def lvis_version(categories: pa.Table) -> LvisVersion:
    """Tells the LVIS version from a category list.

    Args:
        categories: `CATEGORY_ROWS`, in any order.

    Returns:
        `v0.5` or `v1` if the set of (id, synset) equals the published one, else `custom`.
    """
    ids = categories["category_id"].to_pylist()
    synsets = [synset or "" for synset in categories["synset"].to_pylist()]
    lines = "".join(
        f"{number} {synset}\n" for number, synset in sorted(zip(ids, synsets, strict=True))
    )
    return _DIGESTS.get(hashlib.sha256(lines.encode()).hexdigest(), "custom")
