"""Open Images V5 at its true size: boxes, verified labels, image list and image sizes."""

from __future__ import annotations

import csv
import json
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from text_columns import (
    as_text,
    hexadecimal,
    pick,
    random_text,
    rows,
    table_of_millionths,
    write_text,
)
from world_vocabularies import OPEN_IMAGES_BOXES, OpenImagesClasses, open_images_classes

IMAGES = 1_743_042
LABELS = 9_900_000
CHUNK = 125_000
LEAKS = 40
BOX_HEADER = (
    b"ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,"
    b"IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n"
)
IMAGE_HEADER = (
    b"ImageID,Subset,OriginalURL,OriginalLandingURL,License,AuthorProfileURL,Author,Title,"
    b"OriginalSize,OriginalMD5,Thumbnail300KURL,Rotation\n"
)
LABEL_HEADER = b"ImageID,Source,LabelName,Confidence\n"
HEXDIGITS = "0123456789abcdef"
BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
SIZES = ("1024,768", "1024,683", "768,1024", "683,1024", "1024,680", "1024,576", "1024,1024")


def boxes_per_image(rng: np.random.Generator, scale: float) -> NDArray[np.int64]:
    """Number of boxes of each image: skewed, at least 1, exactly as many as published in all."""
    images, total = int(IMAGES * scale), int(OPEN_IMAGES_BOXES * scale)
    counts = 1 + rng.geometric(images / total, images) - 1
    short = total - int(counts.sum())
    # Images are topped up or relieved one box at a time until the total is right.
    while short != 0:
        able = np.arange(images) if short > 0 else np.flatnonzero(counts > 1)
        hit = rng.choice(able, min(abs(short), len(able)), replace=False)
        counts[hit] += 1 if short > 0 else -1
        short = total - int(counts.sum())
    return counts


def box_classes(
    rng: np.random.Generator, counts: NDArray[np.int64], weights: NDArray[np.float64]
) -> NDArray[np.int64]:
    """Class of each box: an image's boxes share a few classes, the totals stay as published."""
    kinds = np.minimum(counts, rng.integers(1, 6, len(counts)))
    first = np.cumsum(kinds) - kinds
    drawn = rng.choice(len(weights), int(kinds.sum()), p=weights)
    slot = (rng.random(int(counts.sum())) * np.repeat(kinds, counts)).astype(np.int64)
    picked: NDArray[np.int64] = drawn[np.repeat(first, counts) + slot]
    return picked


def flag_table() -> pa.Array:
    """Ends of box rows: the five flags, each 0, 1 or -1, as digits to base 3."""
    states = ("0", "1", "-1")
    return pa.array([
        "".join(f",{states[i // 3**k % 3]}" for k in range(5)) + "\n" for i in range(243)
    ])  # fmt: skip


def sides(rng: np.random.Generator, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lower and upper coordinate of boxes along one axis, in millionths."""
    extent = (1_000_000 * rng.beta(0.9, 2.2, count)).astype(np.int64).clip(1000, 1_000_000)
    low = (rng.random(count) * (1_000_001 - extent)).astype(np.int64)
    return low, low + extent


def title_table(rng: np.random.Generator, count: int) -> pa.Array:
    """Titles as CSV fields: some with commas, doubled quotes or letters outside ASCII."""
    words = [
        "day", "trip", "IMG", "São Paulo", "the", "market", "garden", "DSC", "Zürich", "old",
        "summer", "2009", "bike", "party", "wedding", "lake", "京都", "street", "cat",
    ]  # fmt: skip
    titles = []
    for length, draws in zip(rng.integers(1, 7, count), rng.random((count, 7)), strict=True):
        title = " ".join(words[int(d * len(words))] for d in draws[:length])
        if draws[6] < 0.15:
            title = f'"{title}, {words[int(draws[0] * len(words))]}"'
        elif draws[6] < 0.17:
            title = f'"{title} ""at home"""'
        titles.append(title if draws[6] < 0.98 else "")
    return pa.array(titles)


def write_open_images(folder: Path, seed: int, leaks: NDArray[np.int64], scale: float) -> None:
    """Write an Open Images V5 train folder and ``sizes.csv`` beside it.

    Args:
        folder: where the CSV files go; created.
        seed: the same seed gives the same bytes.
        leaks: Flickr photo ids of LVIS val images; as many Open Images photos carry them.
        scale: 1.0 is the published size.
    """
    folder.mkdir(parents=True, exist_ok=True)
    classes = open_images_classes()
    with (folder / "class-descriptions-boxable.csv").open("w", newline="", encoding="utf-8") as f:
        listed = zip(classes.mids, classes.names, strict=True)
        csv.writer(f, lineterminator="\n").writerows(listed)
    (folder / "bbox_labels_600_hierarchy.json").write_text(json.dumps(classes.hierarchy), "utf-8")
    rng = np.random.default_rng([seed, 1])
    counts = boxes_per_image(rng, scale)
    images = len(counts)
    ids = np.unique(rng.integers(0, 2**64, images + 1000, dtype=np.uint64))
    ids = np.sort(rng.choice(ids, images, replace=False))
    photos = 10_000_000 + 2 * rng.choice(4_000_000_000, images, replace=False) + 1
    hit = rng.choice(images, min(len(leaks), LEAKS), replace=False)
    photos[hit] = leaks[: len(hit)]
    titles, millionths = title_table(rng, 40_000), table_of_millionths()
    names = {
        "boxes": folder / "train-annotations-bbox.csv",
        "labels": folder / "train-annotations-human-imagelabels-boxable.csv",
        "images": folder / "train-images-boxable-with-rotation.csv",
        "sizes": folder.parent / "open_images_sizes.csv",
    }
    started, written = time.perf_counter(), 0
    with (
        names["boxes"].open("wb") as boxes,
        names["labels"].open("wb") as labels,
        names["images"].open("wb") as listing,
        names["sizes"].open("wb") as sizes,
    ):
        boxes.write(BOX_HEADER)
        labels.write(LABEL_HEADER)
        listing.write(IMAGE_HEADER)
        sizes.write(b"ImageID,Width,Height\n")
        for chunk, start in enumerate(range(0, images, CHUNK)):
            part = slice(start, min(start + CHUNK, images))
            rng = np.random.default_rng([seed, 2, chunk])
            text = hexadecimal(ids[part])
            image, label = _box_keys(rng, counts[part], classes.weights)
            write_text(boxes, _box_text(rng, text, image, label, classes, millionths))
            upto = int(LABELS * scale * part.stop / images)
            write_text(labels, _label_text(rng, text, image, label, classes, upto - written))
            written = upto
            write_text(listing, _image_text(rng, text, photos[part], titles))
            shape = pick(pa.array(SIZES), rng.integers(0, len(SIZES), len(text)))
            write_text(sizes, rows(text, ",", shape, "\n"))
            seconds = time.perf_counter() - started
            print(f"open images: {part.stop:,}/{images:,} images, {seconds:.0f} s", file=sys.stderr)


def _box_keys(
    rng: np.random.Generator, counts: NDArray[np.int64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Image (place in the chunk) and class of each box, by image, then class."""
    image = np.repeat(np.arange(len(counts), dtype=np.int64), counts)
    key = np.sort(image * 1024 + box_classes(rng, counts, weights))
    return key // 1024, key % 1024


def _box_text(
    rng: np.random.Generator,
    ids: pa.Array,
    image: NDArray[np.int64],
    label: NDArray[np.int64],
    classes: OpenImagesClasses,
    millionths: pa.Array,
) -> pa.Array:
    count = len(image)
    xmin, xmax = sides(rng, count)
    # As published, boxes of one class of an image come by ascending XMin.
    order = np.argsort(((image * 1024 + label) << 20) + xmin, kind="stable")
    xmin, xmax = xmin[order], xmax[order]
    ymin, ymax = sides(rng, count)
    machine = rng.random(count) < 0.09
    chance = rng.random((5, count)) < np.array([0.6, 0.25, 0.06, 0.012, 0.002])[:, None]
    flags = np.where(machine, 242, chance.T @ (3 ** np.arange(5)))
    mids = pa.array([f",{mid},1," for mid in classes.mids])
    source = pick(pa.array([",xclick", ",activemil"]), machine.astype(np.int8))
    return rows(
        pick(ids, image), source, pick(mids, label),
        pick(millionths, xmin), ",", pick(millionths, xmax), ",",
        pick(millionths, ymin), ",", pick(millionths, ymax), pick(flag_table(), flags),
    )  # fmt: skip


def _label_text(
    rng: np.random.Generator,
    ids: pa.Array,
    image: NDArray[np.int64],
    label: NDArray[np.int64],
    classes: OpenImagesClasses,
    count: int,
) -> pa.Array:
    """Present: the classes boxed. Absent: random others, to make up ``count`` rows in all."""
    present = np.unique(image * 1024 + label)
    others = max(count - len(present), 0)
    absent = rng.integers(0, len(ids), others) * 1024
    # Annotators were asked about likely classes, so that frequent ones are refuted more often.
    absent += rng.choice(len(classes.weights), others, p=np.sqrt(classes.weights)
                         / np.sqrt(classes.weights).sum())  # fmt: skip
    both = np.sort(np.concatenate([present * 2 + 1, absent * 2])[:count])
    mids = pa.array([f"{mid},{state}\n" for mid in classes.mids for state in (0, 1)])
    origin = pa.array([",verification,", ",crowdsource-verification,"])
    return rows(
        pick(ids, both // 2048),
        pick(origin, (rng.random(len(both)) < 0.3).astype(np.int8)),
        pick(mids, both % 2048),
    )


def _image_text(
    rng: np.random.Generator, ids: pa.Array, photos: NDArray[np.int64], titles: pa.Array
) -> pa.Array:
    count = len(ids)
    photo, secret = as_text(photos), random_text(rng, count, 10, HEXDIGITS)
    author = as_text(rng.integers(0, 60_000, count))
    server = as_text(rng.integers(1000, 9999, count))
    small = rows("https://c", as_text(rng.integers(1, 9, count)), ".staticflickr.com/", server,
                 "/", photo, "_", secret, "_z.jpg,")  # fmt: skip
    small = pa.compute.if_else(pa.array(rng.random(count) < 0.97), small, ",")
    turned = rng.choice(5, count, p=[0.30, 0.66, 0.02, 0.005, 0.015])
    return rows(
        ids, ",train,https://farm", as_text(rng.integers(1, 9, count)), ".staticflickr.com/",
        server, "/", photo, "_", secret, "_o.jpg,https://www.flickr.com/photos/author", author,
        "/", photo, ",https://creativecommons.org/licenses/by/2.0/,",
        "https://www.flickr.com/people/author", author, "/,Author ", author, ",",
        pick(titles, rng.integers(0, len(titles), count)), ",",
        as_text(rng.integers(200_000, 9_000_000, count)), ",", random_text(rng, count, 22, BASE64),
        "==,", small, pick(pa.array(["", "0.0", "90.0", "180.0", "270.0"]), turned), "\n",
    )  # fmt: skip
