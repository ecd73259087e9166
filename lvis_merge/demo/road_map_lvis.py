"""The road-map world as LVIS and COCO annotate it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lvis_merge.demo.coco_json import CocoAnnotation, CocoImage
from lvis_merge.demo.identity import FlickrPhoto, capture_date, coco_image_url
from lvis_merge.demo.long_tail_lvis import LvisSplit, another_hand
from lvis_merge.demo.lvis_json import LvisAnnotation, LvisCategory, LvisImage
from lvis_merge.demo.paint import load_scenery
from lvis_merge.demo.road_map_classes import RoadMapClass
from lvis_merge.demo.road_map_plan import ImagePlan
from lvis_merge.demo.scene import Item, Scene

Classes = Mapping[str, RoadMapClass]


@dataclass(frozen=True)
class Shelved:
    """A picture with the identity that COCO gave it.

    Attributes:
        image_id: COCO image id.
        photo: the Flickr original.
        subset: its COCO 2017 folder.
        plan: what it shows, and what LVIS says of it.
        scene: where everything stands.
        place: its place in its part of the world, from which its chance comes.
    """

    image_id: int
    photo: FlickrPhoto
    subset: str
    plan: ImagePlan
    scene: Scene
    place: int


def annotate_lvis(
    shelved: Sequence[Shelved], classes: Classes, neg: int, rng: np.random.Generator
) -> LvisSplit:
    """What LVIS says: the annotated objects, and what was looked for.

    Args:
        shelved: the pictures, in the order of the file.
        classes: by name.
        neg: categories verified absent, per image.
        rng: the only source of chance.
    """
    split = LvisSplit([], [])
    names = sorted(classes, key=lambda name: classes[name].lvis_id)
    for one in shelved:
        for item in _annotated(one):
            place = len(split.annotations) + 1
            category = classes[item.class_name].lvis_id
            split.annotations.append(LvisAnnotation(place, one.image_id, category, item.visible))
        present = one.plan.present
        absent = [classes[name].lvis_id for name in names if name not in present]
        partly = (classes[one.plan.partly].lvis_id,) if one.plan.partly else ()
        split.images.append(
            LvisImage(
                id=one.image_id,
                width=one.scene.width,
                height=one.scene.height,
                coco_url=coco_image_url(one.subset, one.image_id),
                flickr_url=one.photo.coco_url(),
                license=_license(rng),
                date_captured=capture_date(rng),
                file_name=None,
                neg=tuple(int(category) for category in rng.permutation(absent)[:neg]),
                not_exhaustive=partly,
            )
        )
    return split


def _annotated(one: Shelved) -> list[Item]:
    """The items that LVIS annotates: the plan's first ones."""
    return list(one.scene.items[: len(one.plan.annotated)])


def exhaustive(split: LvisSplit, classes: Classes) -> LvisSplit:
    """The same objects, every category that an image does not show among its negatives.

    Args:
        split: rows of images on which every object is annotated.
        classes: by name.
    """
    ids = sorted(cls.lvis_id for cls in classes.values())
    shown: dict[int, set[int]] = {image.id: set() for image in split.images}
    for annotation in split.annotations:
        shown[annotation.image_id].add(annotation.category_id)
    images = [
        replace(image, neg=tuple(c for c in ids if c not in shown[image.id]), not_exhaustive=())
        for image in split.images
    ]
    return LvisSplit(images, split.annotations)


def lvis_categories(classes: Classes, train: LvisSplit, counted: LvisSplit) -> list[LvisCategory]:
    """The category list of a file.

    Args:
        classes: by name.
        train: gives the frequency: r up to 10 images, c up to 100, else f.
        counted: the file's own rows, for its counts.
    """
    train_images, images = _image_counts(train), _image_counts(counted)
    instances = Counter(annotation.category_id for annotation in counted.annotations)
    found = []
    for cls in sorted(classes.values(), key=lambda cls: cls.lvis_id):
        seen = train_images[cls.lvis_id]
        found.append(
            LvisCategory(
                id=cls.lvis_id,
                name=cls.name,
                synset=cls.synset,
                synonyms=(cls.name,),
                definition=cls.definition,
                frequency="r" if seen <= 10 else "c" if seen <= 100 else "f",
                image_count=images[cls.lvis_id],
                instance_count=instances[cls.lvis_id],
            )
        )
    return found


def _image_counts(split: LvisSplit) -> Counter[int]:
    pairs = {(annotation.image_id, annotation.category_id) for annotation in split.annotations}
    return Counter(category for _, category in pairs)


def annotate_coco(
    shelved: Sequence[Shelved], classes: Classes, rng: np.random.Generator
) -> tuple[list[CocoImage], list[CocoAnnotation]]:
    """What COCO says: every object of its classes, outlined by other hands than LVIS's.

    Args:
        shelved: the pictures, in the order of the file.
        classes: by name.
        rng: the only source of chance.
    """
    images: list[CocoImage] = []
    annotations: list[CocoAnnotation] = []
    for one in shelved:
        url = coco_image_url(one.subset, one.image_id)
        image = CocoImage(
            one.image_id, one.scene.width, one.scene.height, url, one.photo.coco_url(),
            _license(rng), capture_date(rng),
        )  # fmt: skip
        images.append(image)
        for item in one.scene.singles:
            category = classes[item.class_name].coco_id
            shape = another_hand(item.visible, image, rng)
            if category is not None and shape:
                annotations.append(CocoAnnotation(len(annotations) + 1, image, category, shape))
        if one.scene.crowd:
            category = classes[one.scene.crowd[0].class_name].coco_id
            heap = tuple(part for item in one.scene.crowd for part in item.visible)
            if category is not None:
                annotations.append(
                    CocoAnnotation(len(annotations) + 1, image, category, heap, crowd=True)
                )
    return images, annotations


def _license(rng: np.random.Generator) -> int:
    licenses = load_scenery()["licenses"]
    return int(licenses[int(rng.integers(len(licenses)))]["id"])
