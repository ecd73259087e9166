"""The Open Images folder of one world."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from tests.worlds.bad_csv import STRAY, spoil_boxes, spoil_labels, spoil_listing
from tests.worlds.photos import Photos
from tests.worlds.vocabulary import Vocabulary
from tests.worlds.writing import Writer

FOLDER = "open_images"
BOXES = (
    "ImageID", "Source", "LabelName", "Confidence", "XMin", "XMax", "YMin", "YMax",
    "IsOccluded", "IsTruncated", "IsGroupOf", "IsDepiction", "IsInside",
)  # fmt: skip
CLICKS = (
    "XClick1X", "XClick2X", "XClick3X", "XClick4X",
    "XClick1Y", "XClick2Y", "XClick3Y", "XClick4Y",
)  # fmt: skip
LABELS = ("ImageID", "Source", "LabelName", "Confidence")
LISTING = (
    "ImageID", "Subset", "OriginalURL", "OriginalLandingURL", "License", "AuthorProfileURL",
    "Author", "Title", "OriginalSize", "OriginalMD5", "Thumbnail300KURL", "Rotation",
)  # fmt: skip
TITLES = (
    "plain", "a, b and c", 'the "best" one', "two\nlines", 'Łódź, "ünïcode"', "", " blanks ", "'",
    "x" * 1200,
)  # fmt: skip


@dataclass
class Subset:
    name: str
    ids: list[str]
    boxes: list[list[str]] = field(default_factory=list)
    labels: list[list[str]] = field(default_factory=list)


@dataclass(frozen=True)
class OpenImagesFiles:
    folder: Path
    ids: list[str]


def draw_ids(rng: Random, count: int) -> list[str]:
    """Hex ids; some fall on one number mod 2^52, some differ only in case, some are short."""
    ids: list[str] = []
    while len(ids) < count:
        kind = rng.random()
        tail = f"{rng.randrange(16**13):013x}"
        if ids and kind < 0.12:
            new = f"{rng.randrange(16**3):03x}" + rng.choice(ids)[-13:].rjust(13, "0")
        elif ids and kind < 0.16:
            new = rng.choice(ids).upper()
        elif kind < 0.19:
            new = f"{rng.randrange(1, 4096):x}"
        elif kind < 0.21:
            new = f"abcd{rng.randrange(16**3):03x}{tail}"
        else:
            new = f"{rng.randrange(16**3):03x}{tail}"
        if new not in ids:
            ids.append(new)
    return ids


def coordinate_pair(rng: Random) -> tuple[str, str]:
    """min and max as published: six decimals, or shorter and odder spellings."""
    low, high = sorted(rng.sample(range(1_000_001), 2))
    if rng.random() < 0.15:
        low = 0
    if rng.random() < 0.15:
        high = 1_000_000
    return spelled(rng, low), spelled(rng, high)


def spelled(rng: Random, millionths: int) -> str:
    text = f"{millionths / 1_000_000:.6f}"
    kind = rng.random()
    if kind < 0.2:
        return text.rstrip("0").rstrip(".") or "0"
    if kind < 0.25:
        return f"{millionths}e-6"
    return text


def draw_flag(rng: Random, likely: float) -> str:
    kind = rng.random()
    if kind < likely:
        return "1"
    return rng.choices(("0", "-1", ""), (8, 1, 1))[0]


def draw_boxes(rng: Random, image_id: str, mids: list[str], flagged: float) -> list[list[str]]:
    rows = []
    for _ in range(rng.choice((0, 1, 2, 2, 3, 4, 6, 8))):
        xmin, xmax = coordinate_pair(rng)
        ymin, ymax = coordinate_pair(rng)
        flags = [draw_flag(rng, 0.3), draw_flag(rng, 0.3)]
        flags += [draw_flag(rng, flagged) for _ in range(3)]
        source = rng.choice(("xclick", "xclick", "activemil", ""))
        row = [image_id, source, rng.choice(mids), "1", xmin, xmax, ymin, ymax, *flags]
        rows.append(row)
        if rng.random() < 0.08:
            rows.append(list(row))
        if rng.random() < 0.1:  # differs late in the order: in a flag or the source
            near = list(row)
            place = rng.choice((1, 8, 9, 10, 11, 12))
            near[place] = "human" if place == 1 else rng.choice(("0", "1", "-1", ""))
            rows.append(near)
        if rng.random() < 0.05:
            rows.append([*row[:4], "0", "1", "0", "1", *flags])
    return rows


def draw_labels(
    rng: Random,
    image_id: str,
    mids: list[str],
    boxes: list[list[str]],
    edges: list[tuple[str, str]],
) -> list[list[str]]:
    """Present for most boxed classes, absent or both for some others."""
    rows = []
    flagged = {box[2] for box in boxes if "1" in box[11:13]}
    for mid in dict.fromkeys(box[2] for box in boxes):
        kind = rng.random()
        if mid in flagged and kind < 0.4:  # a drawing of it, verified not to be one
            rows.append([image_id, "verification", mid, "0"])
            continue
        if kind < 0.7:
            rows.append([image_id, "verification", mid, rng.choice(("1", "1", "1.0"))])
        if kind > 0.9 or kind < 0.08:
            rows.append([image_id, "verification", mid, "0"])
    for mid in rng.sample(mids, min(len(mids), rng.randint(0, 5))):
        rows.append([image_id, "crowdsource", mid, rng.choice(("0", "0", "0", "0.0", "1"))])
    for _ in range(rng.choice((0, 0, 0, 1))):
        mid = rng.choice(mids)
        rows += [[image_id, "verification", mid, "1"], [image_id, "verification", mid, "0"]]
    if edges and rng.random() < 0.25:  # both, and its parent absent
        parent, mid = rng.choice(edges)
        rows += [[image_id, "verification", mid, value] for value in "10"]
        rows.append([image_id, "verification", parent, "0"])
    return rows


def draw_hierarchy(rng: Random, mids: list[str]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """A tree of the MIDs below a root; some stand at several nodes, some edges are `Part`.

    Also gives the (parent, child) pairs of `Subcategory` edges, the root's left out.
    """
    edges: list[tuple[str, str]] = []
    order = rng.sample(mids, len(mids))
    root: dict[str, Any] = {"LabelName": "/m/0bl9f"}
    nodes = [root]
    for place, mid in enumerate(order):
        if rng.random() < 0.1 and place > 2:
            continue  # a class that the hierarchy lacks
        for _ in range(2 if rng.random() < 0.3 else 1):
            # parents come earlier in `order`, so that no class is above itself
            parents = [n for n in nodes if n["LabelName"] != mid]
            parent = parents[0] if rng.random() < 0.25 else rng.choice(parents)
            node: dict[str, Any] = {"LabelName": mid}
            edge = "Part" if rng.random() < 0.2 else "Subcategory"
            parent.setdefault(edge, []).append(node)
            nodes.append(node)
            if edge == "Subcategory" and parent is not root:
                edges.append((parent["LabelName"], mid))
    return root, edges


def listing_row(rng: Random, image_id: str, subset: str, photos: Photos) -> list[str]:
    rotation = rng.choices(
        ("0", "0.0", "", "nan", "90", "180", "270.0", "270"), (30, 8, 10, 4, 3, 2, 2, 2)
    )[0]
    url = photos.open_images_url() if rng.random() < 0.95 else ""
    landing = f"https://www.flickr.com/photos/someone/{rng.randrange(10**6)}"
    author = rng.choice(("Jane Doe", "Doe, Jane", 'J "D" Doe', "", "木村"))
    return [
        image_id, subset, url, rng.choice((landing, landing, "")),
        rng.choice(("https://creativecommons.org/licenses/by/2.0/", "")),
        "https://www.flickr.com/people/x/", author, rng.choice(TITLES),
        str(rng.randrange(10**6)), "md5==", "", rotation,
    ]  # fmt: skip


def write_open_images(
    rng: Random, writer: Writer, vocabulary: Vocabulary, photos: Photos
) -> OpenImagesFiles:
    """Writes the folder; a subset's list and labels, and the hierarchy, may be missing."""
    mids = [mid for mid, _ in vocabulary.classes]
    tree, edges = draw_hierarchy(rng, mids)
    mapped = [row[0] for row in vocabulary.map_rows if row[0] in mids] or mids
    newer = rng.random() < 0.35
    with_lists = rng.random() < 0.85
    with_labels = rng.random() < 0.85
    names = [
        n for n, p in (("train", 0.93), ("validation", 0.5), ("test", 0.4)) if rng.random() < p
    ]
    names = names or ["validation"]
    ids = draw_ids(rng, rng.randint(5, 40))
    flagged = rng.choice((0.05, 0.15, 0.3))
    listed_elsewhere: list[str] = []
    for place, name in enumerate(names):
        subset = Subset(name, ids[place :: len(names)])
        for image_id in subset.ids:
            likely = [*rng.sample(mids, rng.randint(1, 3)), rng.choice(mapped), rng.choice(mapped)]
            boxes = draw_boxes(rng, image_id, likely, flagged)
            subset.boxes += boxes
            subset.labels += draw_labels(rng, image_id, mids, boxes, edges)
        listing = [listing_row(rng, image_id, name, photos) for image_id in subset.ids]
        has_list = with_lists and rng.random() < 0.9
        if has_list and listed_elsewhere and rng.random() < 0.3:
            listing.append(listing_row(rng, rng.choice(listed_elsewhere), name, photos))
        if has_list:
            listed_elsewhere += subset.ids
            write_listing(rng, writer, name, listing)
        boxes = subset.boxes
        if len(boxes) > 2 and rng.random() < 0.5:
            boxes = spoil_boxes(rng, boxes, name)
        write_boxes(rng, writer, name, boxes, newer)
        if with_labels and rng.random() < 0.9:
            labels = subset.labels
            if labels and rng.random() < 0.5:
                labels = spoil_labels(rng, labels, name)
            rng.shuffle(labels)
            stem = f"{name}-annotations-human-imagelabels-boxable.csv"
            write_csv(rng, writer, f"oidv7-{stem}" if newer else stem, LABELS, labels, newer)
            with_boxless = name == "train" and "test" not in names and rng.random() < 0.3
            if with_boxless:  # labels of a subset without boxes are not read
                other = "test-annotations-human-imagelabels-boxable.csv"
                write_csv(rng, writer, other, LABELS, [["zz", "v", mids[0], "7"]], False)
    if newer:
        rows = [[mid, label] for mid, label in vocabulary.classes]
        stem = "oidv7-class-descriptions-boxable.csv"
        writer.csv(f"{FOLDER}/{stem}", ("LabelName", "DisplayName"), rows)
    else:
        rows = [[mid, label] for mid, label in vocabulary.classes]
        writer.csv(f"{FOLDER}/class-descriptions-boxable.csv", None, rows)
    if rng.random() < 0.85:
        text = json.dumps(tree, indent=2)
        writer.text(f"{FOLDER}/bbox_labels_600_hierarchy.json", text)
    return OpenImagesFiles(writer.folder / FOLDER, [*ids, *STRAY.values()])


def write_listing(rng: Random, writer: Writer, subset: str, rows: list[list[str]]) -> None:
    if len(rows) > 2 and rng.random() < 0.5:
        rows = spoil_listing(rng, rows)
    rng.shuffle(rows)
    stem = "train-images-boxable" if subset == "train" else f"{subset}-images"
    header: tuple[str, ...] = LISTING
    if rng.random() < 0.1:  # an older list without rotation and without some columns
        keep = [0, 1, 2, 4, 7]
        header = tuple(LISTING[place] for place in keep)
        rows = [[row[place] for place in keep] if len(row) == len(LISTING) else row for row in rows]
    write_csv(rng, writer, f"{stem}-with-rotation.csv", header, rows, False)


def write_boxes(
    rng: Random, writer: Writer, subset: str, rows: list[list[str]], newer: bool
) -> None:
    rng.shuffle(rows)
    header: tuple[str, ...] = BOXES
    name = f"{subset}-annotations-bbox.csv"
    if newer and subset == "train":
        name = f"oidv6-{name}"
        header = (*BOXES, *CLICKS)
        rows = [[*row, *["-1.000000"] * len(CLICKS)] for row in rows]
    write_csv(rng, writer, name, header, rows, newer)


def write_csv(
    rng: Random,
    writer: Writer,
    name: str,
    header: tuple[str, ...],
    rows: list[list[str]],
    may_reorder: bool,
) -> None:
    """Writes a counted CSV into the folder; columns are read by name, so they may be moved."""
    if may_reorder and rng.random() < 0.5:
        places = rng.sample(range(len(header)), len(header))
        rows = [
            [row[place] for place in places] if len(row) == len(header) else row for row in rows
        ]
        header = tuple(header[place] for place in places)
    writer.csv(f"{FOLDER}/{name}", header, rows, compress=True, counted=True)
