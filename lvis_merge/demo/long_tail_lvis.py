"""The long-tailed world as LVIS and COCO annotate it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lvis_merge.demo.classes import DemoClass
from lvis_merge.demo.coco_json import CocoAnnotation, CocoCategory, CocoImage
from lvis_merge.demo.identity import FlickrPhoto, capture_date, coco_image_url
from lvis_merge.demo.long_tail_plan import LvisPlan
from lvis_merge.demo.lvis_json import LvisAnnotation, LvisCategory, LvisImage
from lvis_merge.demo.paint import load_scenery
from lvis_merge.demo.pictures import Picture
from lvis_merge.demo.polygons import Shape, clip_to_frame
from lvis_merge.demo.scene import Item


@dataclass(frozen=True)
class Shelved:
    """A picture with the identity that COCO gave it.

    Attributes:
        image_id: COCO image id.
        photo: the Flickr original.
        subset: its COCO 2017 folder (`train2017`, ...).
        picture: what it shows.
        plan: how LVIS annotates it; None: it does not.
    """

    image_id: int
    photo: FlickrPhoto
    subset: str
    picture: Picture
    plan: LvisPlan | None = None


@dataclass(frozen=True)
class LvisSplit:
    """Rows of an LVIS file."""

    images: list[LvisImage]
    annotations: list[LvisAnnotation]


def annotate_lvis(
    shelved: Sequence[Shelved], classes: Mapping[str, DemoClass], rng: np.random.Generator
) -> LvisSplit:
    """What LVIS says of pictures: some categories, their objects, and what was looked for.

    Args:
        shelved: the pictures; those without a plan get neither lists nor annotations (test).
        classes: all classes.
        rng: the only source of chance.
    """
    split = LvisSplit([], [])
    for one in shelved:
        scene = one.picture.scene
        neg: tuple[int, ...] | None = None
        not_exhaustive: tuple[int, ...] = ()
        if one.plan is not None:
            items = _annotated(one.plan, scene.items)
            for item in items:
                category = classes[item.class_name].lvis_id
                assert category is not None  # plans annotate LVIS classes only
                place = len(split.annotations) + 1
                split.annotations.append(
                    LvisAnnotation(place, one.image_id, category, item.visible)
                )
            named = {item.class_name for item in items}
            partly = one.plan.partly if one.plan.partly in named else None
            not_exhaustive = _ids(classes, [partly] if partly else [])
            absent = [
                cls.name
                for cls in classes.values()
                if cls.lvis_id is not None and cls.name not in scene.present
            ]
            some = rng.permutation(absent)[: int(rng.integers(3, 9))]
            neg = _ids(classes, [str(name) for name in some])
        old = "val2014" if one.subset == "val2017" or rng.random() < 0.3 else "train2014"
        split.images.append(
            LvisImage(
                id=one.image_id,
                width=scene.width,
                height=scene.height,
                coco_url=coco_image_url(one.subset, one.image_id),
                flickr_url=one.photo.coco_url(),
                license=_license(rng),
                date_captured=capture_date(rng),
                file_name=f"COCO_{old}_{one.image_id:012d}.jpg" if one.plan is not None else None,
                neg=neg,
                not_exhaustive=not_exhaustive,
            )
        )
    return split


def _annotated(plan: LvisPlan, items: Sequence[Item]) -> list[Item]:
    """The items that LVIS annotates: of a class done only partly, about half."""
    found = [item for item in items if item.class_name in plan.annotated and item.unobstructed]
    mine = [item for item in found if item.class_name == plan.partly]
    left_out = {id(item) for item in mine[(len(mine) + 1) // 2 :]}
    return [item for item in found if id(item) not in left_out]


def _ids(classes: Mapping[str, DemoClass], names: Sequence[str]) -> tuple[int, ...]:
    found = (classes[name].lvis_id for name in names)
    return tuple(category for category in found if category is not None)


def _license(rng: np.random.Generator) -> int:
    licenses = load_scenery()["licenses"]
    return int(licenses[int(rng.integers(len(licenses)))]["id"])


def lvis_categories(
    classes: Mapping[str, DemoClass], train: LvisSplit, counted: LvisSplit
) -> list[LvisCategory]:
    """The category list of a file.

    Args:
        classes: all classes.
        train: gives the frequency: r up to 10 images, c up to 100, else f.
        counted: the file's own rows, for its counts.
    """
    train_images = _image_counts(train)
    images = _image_counts(counted)
    instances = Counter(annotation.category_id for annotation in counted.annotations)
    found = []
    for cls in classes.values():
        if cls.lvis_id is None:
            continue
        seen = train_images[cls.lvis_id]
        found.append(
            LvisCategory(
                id=cls.lvis_id,
                name=cls.name,
                synset=cls.synset,
                synonyms=cls.synonyms,
                definition=cls.definition,
                frequency="r" if seen <= 10 else "c" if seen <= 100 else "f",
                image_count=images[cls.lvis_id],
                instance_count=instances[cls.lvis_id],
            )
        )
    return sorted(found, key=lambda category: category.id)


def _image_counts(split: LvisSplit) -> Counter[int]:
    pairs = {(annotation.image_id, annotation.category_id) for annotation in split.annotations}
    return Counter(category for _, category in pairs)


def annotate_coco(
    shelved: Sequence[Shelved], classes: Mapping[str, DemoClass], rng: np.random.Generator
) -> tuple[list[CocoImage], list[CocoAnnotation]]:
    """What COCO says: every object of its classes, outlined by other hands than LVIS's.

    One row is broken as one of the real file's is: its box has no height.

    Args:
        shelved: the pictures, in the order of the file.
        classes: all classes.
        rng: the only source of chance.
    """
    images: list[CocoImage] = []
    annotations: list[CocoAnnotation] = []
    number = 0
    for one in shelved:
        scene = one.picture.scene
        url = coco_image_url(one.subset, one.image_id)
        image = CocoImage(
            one.image_id, scene.width, scene.height, url, one.photo.coco_url(),
            _license(rng), capture_date(rng),
        )  # fmt: skip
        images.append(image)
        for item in scene.singles:
            category = classes[item.class_name].coco_id
            shape = another_hand(item.visible, image, rng)
            if category is not None and shape:
                number += int(rng.integers(1, 60))
                annotations.append(CocoAnnotation(number, image, category, shape))
        if scene.crowd:
            category = classes[scene.crowd[0].class_name].coco_id
            if category is not None:
                number += int(rng.integers(1, 60))
                shape = tuple(part for item in scene.crowd for part in item.visible)
                annotations.append(CocoAnnotation(number, image, category, shape, crowd=True))
    last = annotations[-1]
    x, y = (float(value) for value in np.round(last.shape[0][0], 2))
    flat = (x, y, 9.5, 0.0)
    annotations.append(
        CocoAnnotation(number + 1, last.image, last.category_id, last.shape, bbox=flat)
    )
    return images, annotations


def another_hand(shape: Shape, image: CocoImage, rng: np.random.Generator) -> Shape:
    """The same outline drawn by someone else: points about a pixel off."""
    shift = rng.normal(0, 0.6, 2)
    moved = tuple(part + shift + rng.normal(0, 0.5, part.shape) for part in shape)
    return clip_to_frame(moved, image.width, image.height)


def coco_categories(classes: Mapping[str, DemoClass]) -> list[CocoCategory]:
    """The classes that COCO has, by id."""
    found = [
        CocoCategory(cls.coco_id, cls.coco_name, cls.coco_supercategory)
        for cls in classes.values()
        if cls.coco_id is not None
    ]
    return sorted(found, key=lambda category: category.id)
