"""Tags set in the App on boxes and images, as columns of what they are on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lvis_merge.inspect.documents import OBJECTS, PREDICTIONS, REGIONS
from lvis_merge.merge.corrections import REJECT, RELABEL

if TYPE_CHECKING:
    import fiftyone as fo

_RELABEL = f"{RELABEL}:"
_BOX_FIELDS = ("source", "source_annotation_id", "source_label", "tags")


@dataclass(frozen=True)
class Tag:
    """One tag that asks for a correction.

    Attributes:
        source: of the image or box.
        image: id of the image, as published.
        box: id of the box, as published; empty: the image is meant.
        label: what the source calls the box.
        action: reject or relabel.
        name: the new category, as written in the tag.
        has_category: whether the box has a category to be replaced.
    """

    source: str
    image: str
    box: str
    label: str
    action: str
    name: str = ""
    has_category: bool = True


@dataclass
class FoundTags:
    """What the tags of some data sets say.

    Attributes:
        tags: those that ask for a correction, in the order of images.
        of_images: tags relabel:NAME on images; each stands in `tags` once for every object.
        others: tags that mean nothing here, and how often they occur.
        on_predictions: tags on detections, which are no part of a manifest.
    """

    tags: list[Tag] = field(default_factory=list)
    of_images: int = 0
    others: Counter[str] = field(default_factory=Counter)
    on_predictions: int = 0


def read_tags(dataset: fo.Dataset, into: FoundTags) -> None:
    """Adds the tags of a data set that `inspect` loaded."""
    from fiftyone import ViewField

    tagged = dataset.match(ViewField("tags").length() > 0)
    for image in _rows(tagged, ("source", "source_image_id", "tags")):
        for action, name in _actions(image["tags"], into.others):
            if action == REJECT:
                into.tags.append(Tag(image["source"], image["source_image_id"], "", "", REJECT))
            else:
                into.of_images += 1
                one = dataset.match(ViewField("source_image_id") == image["source_image_id"])
                one = one.match(ViewField("source") == image["source"])
                for box in _boxes(one, OBJECTS, ()):
                    into.tags.append(_tag(box, action, name))
    for name_of_field, more in ((OBJECTS, ()), (REGIONS, ("category",))):
        boxes = dataset.filter_labels(name_of_field, ViewField("tags").length() > 0)
        for box in _boxes(boxes, name_of_field, more):
            for action, name in _actions(box["tags"], into.others):
                into.tags.append(_tag(box, action, name))
    if dataset.has_field(PREDICTIONS):
        counted = dataset.count_label_tags(label_fields=[PREDICTIONS])
        into.on_predictions += sum(counted.values())


def _rows(view: Any, columns: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for values in zip(*view.values(list(columns)), strict=True):
        yield dict(zip(columns, values, strict=True))


def _boxes(view: Any, label_field: str, more: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """The boxes of a view, each with the id of its image."""
    names = (*_BOX_FIELDS, *more)
    paths = [f"{label_field}.detections.{name}" for name in names]
    for image, *columns in zip(*view.values(["source_image_id", *paths]), strict=True):
        for values in zip(*columns, strict=True):
            yield {"image": image, **dict(zip(names, values, strict=True))}


def _actions(tags: list[str], others: Counter[str]) -> Iterator[tuple[str, str]]:
    """(action, category name) of each tag that asks for a correction."""
    for tag in tags:
        if tag == REJECT:
            yield REJECT, ""
        elif tag.startswith(_RELABEL):
            yield RELABEL, tag.removeprefix(_RELABEL).strip()
        else:
            others[tag] += 1


def _tag(box: dict[str, Any], action: str, name: str) -> Tag:
    return Tag(
        box["source"],
        box["image"],
        box["source_annotation_id"],
        box["source_label"],
        action,
        name,
        "category" not in box or box["category"] is not None,
    )
