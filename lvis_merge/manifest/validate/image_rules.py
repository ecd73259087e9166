"""Images: ids, file names, URLs, photos, licences, leakage."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.image_roots import OUTSIDE
from lvis_merge.manifest.validate.columns import (
    Bools,
    Ints,
    equal,
    ints,
    isin,
    matches,
    same,
    valid,
)
from lvis_merge.manifest.validate.finding import Finding
from lvis_merge.manifest.validate.loaded import Loaded

_PUBLISHED_IDS = 1 << 51
_OPEN_IMAGES_IDS = 1 << 52
_HEX_DIGITS = 13  # of 52 bits
_OPEN_IMAGES_URL = "https://open-images-dataset.s3.amazonaws.com/"

_LAST_TWO_PARTS = (
    r"^(?:[^:/?#]+:)?(?://[^/?#]*)?(?:[^?#]*/)?(?P<folder>[^/?#]+)/+(?P<file>[^/?#]+)/*(?:[?#].*)?$"
)
_PHOTO = r"(?:^|/)(?P<photo>[0-9]{1,18})_[^/]*$"
_SUBSETS = {"train": "train", "validation": "val", "test": "test"}

_ONLY_OPEN_IMAGES = ("landing_url", "author", "author_url", "title")
_ONLY_COCO_LIKE = ("license_id", "date_captured", "source_file_name")


def image_ids(loaded: Loaded) -> Iterator[Finding]:
    """`image_id` follows from the source's id."""
    images = loaded.images
    found, published = ints(images["image_id"]), images["source_image_id"]
    coco_like = _coco_like(loaded)
    wrong = ~equal(published, images["image_id"].cast(pa.string()))
    wrong |= (found < 0) | (found >= _PUBLISHED_IDS)
    yield from loaded.broken(
        "image_id",
        "images",
        coco_like & wrong,
        lambda row: f"image_id is not the published id {published[row]}",
    )
    others = np.flatnonzero(~coco_like)
    expected = np.zeros(len(found), np.int64)
    expected[others] = _computed_ids(
        images["source"].take(others).to_pylist(), published.take(others).to_pylist()
    )
    yield from loaded.broken(
        "image_id",
        "images",
        ~coco_like & (found != expected),
        lambda row: f"image_id of {published[row]} should be {expected[row]}",
    )


def _computed_ids(sources: list[str], published: list[str]) -> Ints:
    ids = [
        _open_images_id(name) if source == "open_images" else _extra_id(source, name)
        for source, name in zip(sources, published, strict=True)
    ]
    return np.array(ids, np.int64)


def _open_images_id(published: str) -> int:
    try:
        return _OPEN_IMAGES_IDS + int(published[-_HEX_DIGITS:], 16)
    except ValueError:
        return -1


def _extra_id(source: str, published: str) -> int:
    digest = hashlib.sha256(f"{source}:{published}".encode()).digest()
    return _PUBLISHED_IDS + int.from_bytes(digest[:8], "big") % _PUBLISHED_IDS


def file_names(loaded: Loaded) -> Iterator[Finding]:
    """File names stay below the image root and follow from the URL (LVIS, COCO) or the id."""
    images = loaded.images
    name, url = images["file_name"], images["url"]
    yield from loaded.broken(
        "file_name",
        "images",
        matches(name, rf"^$|{OUTSIDE}"),
        lambda row: f"file_name {name[row]} leaves the image root",
    )
    from_url = last_two_parts(url)
    named = ~valid(url) & loaded.images_from("coco") & same(name, images["source_file_name"])
    yield from loaded.broken(
        "file_name",
        "images",
        _coco_like(loaded) & ~equal(name, from_url) & ~named,
        lambda row: f"file_name {name[row]} is not the end of url {url[row]}",
    )
    yield from _open_images_files(loaded)


def last_two_parts(url: pa.ChunkedArray) -> pa.ChunkedArray:
    """The end of a URL's path that serves as a file name; null where there is none."""
    parts = pc.extract_regex(url, _LAST_TWO_PARTS)
    return pc.binary_join_element_wise(
        pc.struct_field(parts, "folder"), pc.struct_field(parts, "file"), "/"
    )


def _open_images_files(loaded: Loaded) -> Iterator[Finding]:
    images = loaded.images
    open_images = loaded.images_from("open_images")
    name, published = images["file_name"], images["source_image_id"]
    subset = pc.struct_field(
        pc.extract_regex(name, r"^(?P<subset>train|validation|test)/"), "subset"
    )
    expected = pc.binary_join_element_wise(
        subset, pc.binary_join_element_wise(published, "jpg", "."), "/"
    )
    yield from loaded.broken(
        "file_name",
        "images",
        open_images & ~equal(name, expected),
        lambda row: f"file_name {name[row]} is not SUBSET/{published[row]}.jpg",
    )
    yield from loaded.broken(
        "url",
        "images",
        open_images
        & ~equal(images["url"], pc.binary_join_element_wise(_OPEN_IMAGES_URL, name, "")),
        lambda row: f"url is not {_OPEN_IMAGES_URL}{name[row]}",
    )
    split = images["split"]
    if loaded.record.label_space == "open_images":
        of_subset = pc.index_in(subset, pa.array(list(_SUBSETS)))
        right = equal(split, pa.array(list(_SUBSETS.values())).take(of_subset.combine_chunks()))
    else:
        right = equal(split, "train")
    yield from loaded.broken(
        "split",
        "images",
        open_images & ~right,
        lambda row: f"split is {split[row]}, and the file is {name[row]}",
    )


def image_columns(loaded: Loaded) -> Iterator[Finding]:
    """Sizes, and columns that only some sources fill."""
    images = loaded.images
    for side in ("width", "height"):
        yield from loaded.broken(
            "size", "images", ints(images[side]) < 1, f"{side} is not a positive number of pixels"
        )
    for names, without in (
        (_ONLY_OPEN_IMAGES, _coco_like(loaded) | loaded.extra_images),
        (_ONLY_COCO_LIKE, loaded.images_from("open_images")),
    ):
        for name in names:
            yield from loaded.broken(
                "source_column",
                "images",
                without & valid(images[name]),
                f"{name} is set, and this source has none",
            )
    splits = list(loaded.record.splits)
    yield from loaded.broken(
        "split",
        "images",
        _coco_like(loaded) & ~isin(images["split"], splits),
        "manifest.json knows no LVIS or COCO file of this split",
    )


def photos(loaded: Loaded) -> Iterator[Finding]:
    """The Flickr photo is the one of the URL, and no train image shares one with val or test."""
    images = loaded.images
    photo = images["flickr_photo_id"]
    digits = pc.struct_field(pc.extract_regex(images["original_url"], _PHOTO), "photo")
    yield from loaded.broken(
        "flickr_photo_id",
        "images",
        ~same(photo, digits.cast(pa.int64())),
        lambda row: f"flickr_photo_id {photo[row]} is not of {images['original_url'][row]}",
    )
    held = photo.filter(pa.array(~loaded.is_train)).drop_null().unique()
    yield from loaded.broken(
        "leakage",
        "images",
        loaded.is_train & isin(photo, held.to_pylist()),
        lambda row: f"Flickr photo {photo[row]} of a train image is in val or test too",
        "error" if loaded.in_lvis_space else "warning",
    )


def licences(loaded: Loaded) -> Iterator[Finding]:
    """`license` of an LVIS or COCO image is the URL that its file lists for `license_id`."""
    images = loaded.images
    for split, origin in loaded.record.splits.items():
        urls = licence_urls(origin.licenses)
        listed = pc.index_in(images["license_id"], pa.array(list(urls), pa.int32()))
        expected = pa.array(list(urls.values()), pa.string()).take(listed.combine_chunks())
        mine = _coco_like(loaded) & equal(images["split"], split)
        yield from loaded.broken(
            "license",
            "images",
            mine & ~same(images["license"], pa.chunked_array([expected])),
            lambda row: f"license is not the one of license_id {images['license_id'][row]}",
        )


def licence_urls(licenses: Any) -> dict[int, str | None]:
    """URLs by licence id, as a file lists them."""
    entries = [entry for entry in licenses or [] if isinstance(entry, dict)]
    return {
        entry["id"]: entry.get("url")
        for entry in entries
        if isinstance(entry.get("id"), int) and abs(entry["id"]) < 1 << 31
    }


def _coco_like(loaded: Loaded) -> Bools:
    return loaded.images_from("lvis") | loaded.images_from("coco")
