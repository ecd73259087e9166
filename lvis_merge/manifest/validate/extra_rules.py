"""Extra sources: what the record says of them, and which rows and images they may have."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.manifest.record import RECORD_FILE
from lvis_merge.manifest.validate.columns import Bools, equal, floats, isin, same, valid
from lvis_merge.manifest.validate.finding import Finding, error
from lvis_merge.manifest.validate.image_rules import last_two_parts, licence_urls
from lvis_merge.manifest.validate.loaded import Loaded
from lvis_merge.merge.rules import SOURCE_ORDER

_NAME = re.compile(r"[a-z0-9_]+")
_ROUNDING = 2.0**-22  # as of the boxes that areas are computed from


def recorded(loaded: Loaded) -> Iterator[Finding]:
    """An extra source has a name of its own, a map, an input and counts."""
    record = loaded.record
    roles = {one.role for one in record.inputs}
    for name, origin in record.extras.items():
        where = f"extras: {name}"
        if not _NAME.fullmatch(name) or name in SOURCE_ORDER:
            yield _wrong(f"{where} cannot be the name of an extra source")
        if not loaded.in_lvis_space:
            yield _wrong(f"{where} is in label space {record.label_space}, not lvis")
        if origin.map not in record.maps:
            yield _wrong(f"{where} has the map {origin.map}, which is not in maps")
        if f"extra/{name}" not in roles:
            yield _wrong(f"{where} has no file among the inputs")
        if set(record.counts.get(name, {})) != {"image", "annotation"}:
            yield _wrong(f"counts: {name} image or annotation is missing, or one too many is there")
    for name in record.counts:
        if name not in SOURCE_ORDER and name not in record.extras:
            yield _wrong(f"counts: {name} is no source")


def images(loaded: Loaded) -> Iterator[Finding]:
    """Images of extra sources are of train, with the names and licences that their file gives."""
    table = loaded.images
    mine = loaded.extra_images
    name, given = table["file_name"], table["source_file_name"]
    yield from loaded.broken(
        "split", "images", mine & ~loaded.is_train, "an image of an extra source is not of train"
    )
    named = valid(given) & ~equal(given, "")
    expected = pc.if_else(pa.array(named), given.combine_chunks(), last_two_parts(table["url"]))
    yield from loaded.broken(
        "file_name",
        "images",
        mine & ~same(name, expected),
        lambda row: f"file_name {name[row]} is neither the source's nor the end of its URL",
    )
    for source, origin in loaded.record.extras.items():
        urls = licence_urls(origin.licenses)
        listed = pc.index_in(table["license_id"], pa.array(list(urls), pa.int32()))
        licence = pa.array(list(urls.values()), pa.string()).take(listed.combine_chunks())
        yield from loaded.broken(
            "license",
            "images",
            loaded.images_from(source) & ~same(table["license"], pa.chunked_array([licence])),
            lambda row: f"license is not the one of license_id {table['license_id'][row]}",
        )


def rows(loaded: Loaded) -> Iterator[Finding]:
    """Rows of extra sources: objects, unmapped classes, crowds of mapped ones."""
    annotations = loaded.annotations
    mine, ignored = loaded.extra_rows, loaded.extra_rows & ~loaded.is_object
    reason = annotations["ignore_reason"]
    category = valid(annotations["category_id"])
    yield from loaded.broken(
        "role",
        "annotations",
        ignored & ~isin(reason, ["crowd", "unmapped"]),
        "ignore regions of an extra source are crowd or unmapped",
    )
    yield from loaded.broken(
        "role",
        "annotations",
        mine & (equal(reason, "unmapped") == category),
        "a row of an extra source without a category is unmapped, and no other is",
    )
    masked = valid(annotations["segmentation"]) | valid(annotations["mask_rle"])
    yield from loaded.broken(
        "mask", "annotations", ignored & masked, "an ignore region of an extra source has no mask"
    )
    area, of_box = floats(annotations["area"]), loaded.boxes[:, 2] * loaded.boxes[:, 3]
    yield from loaded.broken(
        "area",
        "annotations",
        ignored & ~np.isclose(area, of_box, rtol=_ROUNDING, atol=1e-30),
        lambda row: f"area is {area[row]}, and w*h of an ignore region is {of_box[row]}",
    )
    has_object = _images_with(loaded, mine & loaded.is_object)
    corrected = "corrections" in {one.role for one in loaded.record.inputs}
    yield from loaded.broken(
        "candidate",
        "images",
        loaded.extra_images & ~has_object & (not corrected),
        "an image of an extra source has no object",
    )


def _images_with(loaded: Loaded, chosen: Bools) -> Bools:
    places = loaded.image_row[chosen & (loaded.image_row >= 0)]
    return np.bincount(places, minlength=loaded.images.num_rows).astype(bool)


def _wrong(message: str) -> Finding:
    return error("record", RECORD_FILE, message)
