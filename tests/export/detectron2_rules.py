"""What detectron2's `load_lvis_json` asks of a file, field by field.

It reads the file with lvis.LVIS. Of an image it takes `coco_url`, whose last two parts are folder
and file below the image root, `height`, `width`, `id`, `not_exhaustive_category_ids` and
`neg_category_ids` (none if absent); of an annotation `image_id`, `bbox`, `category_id` (less 1, so
that it begins at 0) and `segmentation`: polygons, at least one, each of 3 points or more. Ids of
annotations must differ.
"""

from __future__ import annotations

from typing import Any

from lvis import LVIS


def records(lvis: LVIS) -> list[dict[str, Any]]:
    """The records it makes, or an AssertionError or KeyError where it would refuse the file."""
    ids = [annotation["id"] for rows in lvis.img_ann_map.values() for annotation in rows]
    assert len(ids) == len(set(ids))
    found = []
    for number, image in sorted(lvis.imgs.items()):
        folder, name = image["coco_url"].split("/")[-2:]
        objects = []
        for annotation in lvis.img_ann_map[number]:
            assert annotation["image_id"] == number
            parts = annotation["segmentation"]
            assert parts
            assert all(len(part) >= 6 and len(part) % 2 == 0 for part in parts)
            objects.append((annotation["bbox"], annotation["category_id"] - 1, parts))
        found.append(
            {
                "file": f"{folder}/{name}",
                "size": (image["height"], image["width"]),
                "neg": image.get("neg_category_ids", []),
                "not_exhaustive": image.get("not_exhaustive_category_ids", []),
                "objects": objects,
            }
        )
    return found
