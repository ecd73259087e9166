"""Leakage: which train images share an id or a photo with held-out ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from tests.reference.coco_json import is_image_id
from tests.reference.reading import Row, csv_dicts, json_members
from tests.reference.values import flickr_photo_id


def open_images_number(source_image_id: str) -> int:
    """`image_id` of an Open Images image: its last 13 hex digits above 2^52."""
    return 2**52 + int(source_image_id, 16) % 2**52


@dataclass
class HoldOut:
    """Manifest image ids and Flickr photo ids that no train image may have."""

    image_ids: set[int] = field(default_factory=set)
    photo_ids: set[int] = field(default_factory=set)

    def add(self, image_id: int, flickr_url: str | None) -> None:
        self.image_ids.add(image_id)
        photo = flickr_photo_id(flickr_url)
        if photo is not None:
            self.photo_ids.add(photo)

    def leaks(self, image_id: int, photo_id: int | None) -> bool:
        return image_id in self.image_ids or (photo_id is not None and photo_id in self.photo_ids)


def read_hold_out(lvis_rows: list[Row], paths: tuple[Path, ...]) -> HoldOut:
    """From the good image rows of the LVIS val and test files, and all of the given files."""
    held = HoldOut()
    for row in lvis_rows:
        if row.reason is None:
            held.add(row.data["id"], row.data.get("flickr_url"))
    for path in paths:
        if ".json" in path.suffixes:
            for image, _ in json_members(path)["images"]:
                if is_image_id(image.get("id")):
                    held.add(image["id"], image.get("flickr_url"))
        else:
            for line in csv_dicts(path):
                if line.get("image_id") is not None:
                    held.image_ids.add(int(str(line["image_id"])))
                if line.get("ImageID") is not None:
                    held.image_ids.add(open_images_number(str(line["ImageID"])))
    return held
