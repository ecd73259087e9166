"""`make_world`: from a seed to a folder of input files and the options to build them with."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from tests.worlds.coco_files import write_coco_boxes, write_coco_own
from tests.worlds.extra_files import write_extras
from tests.worlds.lvis_files import write_lvis
from tests.worlds.mask_files import write_masks
from tests.worlds.open_images_files import OpenImagesFiles, write_open_images
from tests.worlds.photos import Photos
from tests.worlds.vocabulary import (
    DEFAULT_COCO_MAPPING,
    DEFAULT_MAPPING,
    Vocabulary,
    draw_vocabulary,
)
from tests.worlds.world import Options, World
from tests.worlds.writing import Writer

MAP_COLUMNS = ("mid", "open_images_name", "lvis_synset", "lvis_name", "relation", "note")
COCO_MAP_COLUMNS = ("coco_id", "coco_name", "lvis_synset", "lvis_name", "relation", "note")
LARGE_EVERY = 40
MASKS_EVERY = 3


def make_world(seed: int, folder: Path) -> World:
    """Writes the world of this seed into `folder` and says how to build it.

    The same seed gives the same bytes in one checkout; what may differ between checkouts is
    whether the default maps and the published category lists are there to be used.
    One world in `LARGE_EVERY` has 1,300 LVIS images, so that repeat factors exceed 1.
    """
    rng = Random(seed)
    writer = Writer(folder, rng)
    default_map = rng.random() < 0.2 and DEFAULT_MAPPING.exists()
    vocabulary = draw_vocabulary(rng, real_mids=default_map)
    photos = Photos(rng, shared=rng.choice((0.05, 0.2)))
    space = rng.choices(("lvis", "coco", "open_images"), (74, 12, 14))[0]
    chosen: dict[str, Any] = {"label_space": space, "seed": rng.choice((0, 0, 1, 7, 12345))}

    coco_ids: list[int] = []  # ids of COCO images, LVIS's too, that may be held out
    pictures: OpenImagesFiles | None = None
    if space == "lvis":
        large = seed % LARGE_EVERY == LARGE_EVERY // 2
        lvis = write_lvis(rng, writer, vocabulary, photos, large)
        coco_ids = [image["id"] for image in lvis.train_images[:25]]
        chosen |= {"lvis": lvis.train, "lvis_val": lvis.val, "lvis_test": lvis.test}
        if rng.random() < 0.75:
            chosen["coco"] = write_coco_boxes(rng, writer, lvis, vocabulary)
            chosen["coco_boxes"] = rng.choice(("all", "all", "unmatched", "unmatched", "off"))
            chosen["coco_mapping"] = coco_mapping(rng, writer, vocabulary)
    elif space == "coco":
        chosen["coco"], coco_ids = write_coco_own(rng, writer, vocabulary, photos)
    if space == "open_images" or (space == "lvis" and rng.random() < 0.78):
        pictures = write_open_images(rng, writer, vocabulary, photos)
        chosen |= open_images_options(rng, writer, vocabulary, pictures, default_map, space)
    chosen["holdout"] = hold_out(rng, writer, coco_ids, pictures, photos)
    if space == "lvis":
        # drawn apart: the rest of a world is what it was before there were extra sources
        its_rng = Random(f"extra {seed}")
        its_writer = Writer(folder, its_rng)
        ids = [*coco_ids, *lvis.val_ids]
        chosen |= write_extras(its_rng, its_writer, vocabulary, photos.drawn_by(its_rng), ids)
        writer.files += its_writer.files
    if pictures is not None and seed % MASKS_EVERY == 0:
        its_rng = Random(f"masks {seed}")
        its_writer = Writer(folder, its_rng)
        write_masks(its_rng, its_writer, pictures.folder)
        writer.files += its_writer.files
    return World(seed, folder, tuple(writer.files), Options(**chosen))


def coco_mapping(rng: Random, writer: Writer, vocabulary: Vocabulary) -> Path | None:
    if rng.random() < 0.3 and DEFAULT_COCO_MAPPING.exists():
        return None
    rows = [[str(value) for value in row] for row in vocabulary.coco_rows]
    return writer.csv("coco_map.csv", COCO_MAP_COLUMNS, rows)


def open_images_options(
    rng: Random,
    writer: Writer,
    vocabulary: Vocabulary,
    pictures: OpenImagesFiles,
    default_map: bool,
    space: str,
) -> dict[str, Any]:
    """Options and side tables: map, sizes, exclusions, selection."""
    options: dict[str, Any] = {"openimages": pictures.folder}
    if space == "open_images" and rng.random() < 0.35:
        options["mapping"] = "none"
    elif not default_map:
        rows = [list(row) for row in vocabulary.map_rows]
        options["mapping"] = writer.csv("map.csv", MAP_COLUMNS, rows)
    options["images"] = rng.choice(("all", "all", 1, 2, 3, 5, 5, 8, 12, 20000))
    options["selection"] = rng.choice(("balanced", "balanced", "random"))
    options["candidates"] = rng.choice(("all", "all", "sized"))
    options["unmapped"] = rng.choice(("ignore", "ignore", "drop"))

    sized = [i for i in pictures.ids if options["candidates"] == "all" or rng.random() < 0.7]
    sizes = [
        [image_id, str(rng.choice((1, 40, 683, 768, 1024))), str(rng.randint(1, 1100))]
        for image_id in (*rng.sample(sized, len(sized)), "1234abcd")
    ]
    options["openimages_sizes"] = writer.csv("sizes.csv", ("ImageID", "Width", "Height"), sizes)
    if rng.random() < 0.4:
        gone = [[i, "404"] for i in pictures.ids if rng.random() < 0.12]
        options["openimages_exclude"] = writer.csv(
            "failures.csv", ("ImageID", "Problem"), [*gone, ["ffffffffffffffff", "404"]]
        )
    return options


def hold_out(
    rng: Random,
    writer: Writer,
    coco_ids: list[int],
    pictures: OpenImagesFiles | None,
    photos: Photos,
) -> tuple[Path, ...]:
    """None to three hold-out files of different kinds."""
    image_ids = pictures.ids if pictures else []
    paths = []
    if rng.random() < 0.3:
        numbers = [n for n in coco_ids if rng.random() < 0.15] + [555_555]
        images = [{"id": n, "flickr_url": photos.coco_url(), "width": 3} for n in numbers]
        if rng.random() < 0.5:
            images.append({"id": 555_556})
        paths.append(writer.json("held_out.json", {"images": images, "annotations": []}, False))
    if rng.random() < 0.25:
        rows = [[str(n), "x"] for n in coco_ids if rng.random() < 0.15] + [["555557", "y"]]
        paths.append(writer.csv("held_out_ids.csv", ("image_id", "why"), rows))
    if rng.random() < 0.25:
        rows = [["test", i] for i in image_ids if rng.random() < 0.15]
        rows += [["test", "eeee1234"]]
        paths.append(writer.csv("held_out_open_images.csv", ("Subset", "ImageID"), rows))
    return tuple(paths)
