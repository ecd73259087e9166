"""The rows that Open Images publishes of the candidates: boxes, image lists, verified labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lvis_merge.demo.classes import DemoClass, Hierarchy
from lvis_merge.demo.identity import hex_digits, md5_text
from lvis_merge.demo.long_tail_open_images import Candidate
from lvis_merge.demo.open_images_csv import BoxRow, ImageRow, LabelRow, Row
from lvis_merge.demo.paint import load_scenery
from lvis_merge.demo.pictures import Turn
from lvis_merge.demo.polygons import Box, extent

BUILDING = "Building"


@dataclass(frozen=True)
class BadRows:
    """Rows that the merge must set aside, as text.

    Attributes:
        boxes: two broken boxes, an unknown class, an unknown image, a short row, a bad flag.
        images: an image listed twice.
        labels: a confidence between 0 and 1, an unknown image.
    """

    boxes: tuple[Row, ...]
    images: tuple[Row, ...]
    labels: tuple[Row, ...]


def box_rows(
    candidate: Candidate, classes: Mapping[str, DemoClass], rng: np.random.Generator
) -> list[BoxRow]:
    """Boxes of one image, in its stored frame.

    Args:
        candidate: the image.
        classes: all classes.
        rng: the only source of chance (order of the rows).
    """
    scene = candidate.picture.scene
    machine = candidate.kind == "machine"
    source = "activemil" if machine else "xclick"

    def row(name: str, box: Box, flags: tuple[int, int, int, int, int]) -> BoxRow:
        known = (-1, -1, -1, -1, -1) if machine else flags
        place = _normalised(box, scene.width, scene.height, candidate.turn)
        return BoxRow(candidate.image_id, source, classes[name].mid, place, known)

    found: list[BoxRow] = []
    for item in scene.singles:
        if not classes[item.class_name].mid or item.class_name in candidate.unboxed:
            continue
        depiction, inside = item.style == "depiction", item.style == "inside"
        truncated = item.truncated or inside
        flags = (int(item.occluded), int(truncated), 0, int(depiction), int(inside))
        found.append(row(item.class_name, item.box, flags))
    if scene.crowd:
        name = scene.crowd[0].class_name
        if classes[name].mid and name not in candidate.unboxed:
            heap = tuple(part for item in scene.crowd for part in item.visible)
            found.append(row(name, extent(heap), (1, 0, 1, 0, 0)))
    if candidate.kind == "duplicate" and found:
        found.append(found[0])
    return [found[int(place)] for place in rng.permutation(len(found))]


def _normalised(
    box: Box, width: float, height: float, turn: Turn
) -> tuple[float, float, float, float]:
    """XMin, XMax, YMin, YMax of an upright box in the stored frame."""
    low_x, high_x = box[0] / width, (box[0] + box[2]) / width
    low_y, high_y = box[1] / height, (box[1] + box[3]) / height
    if turn == 90:
        low_x, high_x, low_y, high_y = 1 - high_y, 1 - low_y, low_x, high_x
    elif turn == 180:
        low_x, high_x, low_y, high_y = 1 - high_x, 1 - low_x, 1 - high_y, 1 - low_y
    elif turn == 270:
        low_x, high_x, low_y, high_y = low_y, high_y, 1 - high_x, 1 - low_x
    return max(low_x, 0.0), min(high_x, 1.0), max(low_y, 0.0), min(high_y, 1.0)


def image_row(candidate: Candidate, rng: np.random.Generator) -> ImageRow:
    """An image's line in its list: where it came from and whom to thank."""
    scenery = load_scenery()
    who = int(rng.integers(len(scenery["authors"])))
    user = f"{1000 + who:08d}@N0{who % 8}"
    url = candidate.photo.open_images_url()
    rotation = f"{candidate.turn}.0"
    if candidate.turn == 0 and rng.random() < 0.15:
        rotation = "nan" if rng.random() < 0.2 else ""
    return ImageRow(
        image_id=candidate.image_id,
        subset=candidate.subset,
        original_url=url,
        landing_url=f"https://www.flickr.com/photos/{user}/{candidate.photo.photo_id}",
        author_url=f"https://www.flickr.com/people/{user}/",
        author=scenery["authors"][who],
        title=scenery["titles"][int(rng.integers(len(scenery["titles"])))],
        original_size=int(rng.integers(200_000, 6_000_000)),
        original_md5=md5_text(rng),
        thumbnail_url="" if rng.random() < 0.1 else url.replace("_o.jpg", "_z.jpg"),
        rotation=rotation,
    )


def label_rows(
    candidate: Candidate,
    classes: Mapping[str, DemoClass],
    hierarchy: Hierarchy,
    rng: np.random.Generator,
) -> list[LabelRow]:
    """Verified labels of one image: all true, except on a contradictory one.

    Present: what is boxed, and what a `label_only` or `no_box` image leaves unboxed. Absent: some
    classes that are not drawn, some of them parents of none that is. A building is never drawn, so
    it may be absent beside a violin: the two are joined by a `Part` edge.

    Args:
        candidate: the image.
        classes: all classes.
        hierarchy: over their MIDs.
        rng: the only source of chance.
    """
    image = candidate.image_id
    silent = candidate.unboxed if candidate.kind == "unverified" else frozenset()
    drawn = {classes[name].mid for name in candidate.picture.scene.present} - {""}
    hushed = {classes[name].mid for name in silent}
    leaves = [cls.mid for cls in classes.values() if cls.mid and cls.mid not in drawn]
    parents = [mid for mid in hierarchy.inner() if not hierarchy.descendants(mid) & drawn]
    absent = [str(mid) for mid in rng.permutation(leaves)[: int(rng.integers(3, 7))]]
    absent += [str(mid) for mid in rng.permutation(parents)[: int(rng.integers(0, 3))]]
    building = next(mid for mid, name in hierarchy.names.items() if name == BUILDING)
    music = {mid for parent, mid in hierarchy.part if parent == building}
    if any(hierarchy.descendants(mid) & drawn for mid in music) or rng.random() < 0.1:
        absent.append(building)
    rows = [LabelRow(image, mid, True) for mid in sorted(drawn - hushed)]
    rows += [
        LabelRow(image, mid, False, "crowdsource-verification") for mid in dict.fromkeys(absent)
    ]
    if candidate.kind == "contradictory":
        rows.append(LabelRow(image, absent[0], True, "crowdsource-verification"))
    return rows


def bad_rows(
    candidates: Sequence[Candidate], classes: Mapping[str, DemoClass], rng: np.random.Generator
) -> BadRows:
    """A few rows of each kind that a real file may have, few enough for any limit.

    Args:
        candidates: of the train subset.
        classes: all classes.
        rng: the only source of chance.
    """
    plain = [one for one in candidates if one.kind == "plain"]
    known, stranger = plain[0].image_id, hex_digits(rng, 16)
    mid, flags = classes["coin"].mid, ["0", "0", "0", "0", "0"]
    boxes: tuple[Row, ...] = (
        [known, "xclick", mid, "1", "0.600000", "0.250000", "0.100000", "0.400000", *flags],
        [known, "xclick", mid, "1", "0.700000", "1.020000", "0.100000", "0.400000", *flags],
        [known, "xclick", "/m/0notaclass", "1", "0.1", "0.2", "0.1", "0.2", *flags],
        [stranger, "xclick", mid, "1", "0.100000", "0.300000", "0.100000", "0.400000", *flags],
        [known, "xclick", mid, "1", "0.100000"],
        [known, "xclick", mid, "1", "0.1", "0.2", "0.1", "0.2", "2", "0", "0", "0", "0"],
    )
    images = (image_row(plain[-1], rng).fields(),)
    labels: tuple[Row, ...] = (
        [known, "machine", mid, "0.6"],
        [stranger, "verification", mid, "1"],
    )
    return BadRows(boxes, images, labels)
