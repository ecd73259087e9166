"""Saved views: one click, or one address, for each thing that people check in a merge."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.inspect import checks
from lvis_merge.inspect.documents import OBJECTS, PREDICTIONS, REGIONS, sample_id
from lvis_merge.inspect.label_texts import LabelTexts
from lvis_merge.inspect.predictions import FALSE_POSITIVE, NEITHER, TRUE_POSITIVE
from lvis_merge.merge.rules import IGNORE_REASONS, SOURCE_ORDER

MOST_OF_A_SOURCE = 100
"""Images of each source in a view of one category."""

_BLUE, _ORANGE, _GREEN, _PURPLE, _GREY = "#56B4E9", "#E69F00", "#009E73", "#CC79A7", "#999999"


@dataclass(frozen=True)
class SideBySide:
    """One mapped category.

    Attributes:
        name: of the category.
        images: ids of images with an object of it, LVIS and Open Images in turn.
    """

    name: str
    images: tuple[int, ...]


def side_by_side(boxes: pa.Table, texts: LabelTexts) -> list[SideBySide]:
    """The categories that both LVIS and Open Images have objects of.

    Args:
        boxes: `image_id`, `category_id`, `source`, `role` of the boxes shown.
        texts: of the manifest.

    Returns:
        By name; at most `MOST_OF_A_SOURCE` images of each source, the first by id.
    """
    objects = boxes.filter(pc.equal(boxes["role"], "object"))
    pairs = {
        source: _images_by_category(objects.filter(pc.equal(objects["source"], source)))
        for source in ("lvis", "open_images")
    }
    found = []
    for category in sorted(set(pairs["lvis"]) & set(pairs["open_images"])):
        ours, theirs = pairs["lvis"][category], pairs["open_images"][category]
        longer = max(len(ours), len(theirs))
        turns = [
            turn
            for place in range(longer)
            for turn in (ours[place : place + 1], theirs[place : place + 1])
        ]
        images = dict.fromkeys(image for turn in turns for image in turn)
        found.append(SideBySide(texts.names[category], tuple(images)))
    return sorted(found, key=lambda one: one.name)


def _images_by_category(objects: pa.Table) -> dict[int, list[int]]:
    category = objects["category_id"].to_numpy().astype(np.int64)
    image = objects["image_id"].to_numpy()
    order = np.lexsort((image, category))
    category, image = category[order], image[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (category[1:] != category[:-1]) | (image[1:] != image[:-1])
    category, image = category[new], image[new]
    values, starts = np.unique(category, return_index=True)
    ends = np.append(starts, len(category))[1:]
    return {
        int(value): image[start : min(end, start + MOST_OF_A_SOURCE)].tolist()
        for value, start, end in zip(values, starts, ends, strict=True)
    }


def save_views(dataset: Any, boxes: pa.Table, texts: LabelTexts, with_predictions: bool) -> None:
    """Saves the views.

    Args:
        dataset: a `fiftyone.Dataset` with the fields declared.
        boxes: `image_id`, `category_id`, `source`, `role`, `ignore_reason` of the boxes shown.
        texts: of the manifest.
        with_predictions: whether there are results.
    """
    from fiftyone import ViewField
    from fiftyone.core.utils import to_slug

    def marked(check: str) -> Any:
        # found by an index; filtering boxes reads every document
        return dataset.match(ViewField("checks").contains(check))

    taken: set[str] = set()

    def save(name: str, view: Any, meaning: str, colour: str) -> None:
        try:
            slug = to_slug(name)
        except ValueError:  # letters that no address has: the view would have none
            return
        # of two names that give one address (`hot dog`, `hot_dog`) the first has it
        if slug not in taken:
            taken.add(slug)
            dataset.save_view(name, view, description=meaning, color=colour)

    here = set(pc.unique(boxes["source"]).to_pylist())
    for source in (*SOURCE_ORDER, *sorted(here.difference(SOURCE_ORDER))):
        save(
            f"source {source}",
            dataset.match(ViewField("source") == source)
            if source != "coco"
            else marked_any(dataset, ("coco_box", "crowd")),
            f"Images with rows of {source}",
            _BLUE,
        )
    for reason in IGNORE_REASONS:
        if pc.any(pc.equal(boxes["ignore_reason"], reason)).as_py():
            save(
                f"ignored {reason}",
                marked(checks.ignored(reason)).filter_labels(REGIONS, ViewField("label") == reason),
                f"Ignore regions of reason {reason}",
                _ORANGE,
            )
    save(
        "rare from open images",
        marked(checks.RARE_GAIN).filter_labels(
            OBJECTS, (ViewField("source") == "open_images") & (ViewField("frequency") == "rare")
        ),
        "Objects of LVIS's rare categories that Open Images brought",
        _PURPLE,
    )
    save(
        "coco without lvis",
        marked(checks.UNMATCHED).filter_labels(
            REGIONS,
            (ViewField("label") == "coco_box") & ViewField("matched").is_in([False]),
        ),
        "COCO boxes that outline no LVIS object of their category",
        _ORANGE,
    )
    save("boxes only", marked(checks.BOX_ONLY), "Images whose objects have no mask", _GREY)
    for kind, meaning in (
        (checks.TINY, f"Objects with a side below {checks.TINY_PIXELS:g} pixels"),
        (checks.HUGE, f"Objects of more than {checks.HUGE_SHARE:.0%} of their image"),
        (checks.OUTSIDE, "Objects that reach over the edge of their image"),
    ):
        save(
            f"{kind} boxes",
            marked(checks.suspicious(kind)).filter_labels(OBJECTS, ViewField("suspicion") == kind),
            meaning,
            _GREY,
        )
    save("missing images", marked(checks.MISSING), "Images whose file was not found", _GREY)
    if with_predictions:
        for outcome in (TRUE_POSITIVE, FALSE_POSITIVE, NEITHER):
            save(
                f"predicted {outcome}",
                dataset.filter_labels(PREDICTIONS, ViewField("outcome") == outcome),
                f"Detections that are {outcome}, at IoU 0.5",
                _GREEN,
            )
        save(
            "missed objects",
            dataset.match(ViewField("missed") > 0),
            "Images with missed objects",
            _GREEN,
        )
    for category in side_by_side(boxes, texts):
        save(
            f"both {category.name}",
            dataset.select(
                [sample_id(image) for image in category.images], ordered=True
            ).filter_labels(OBJECTS, ViewField("label") == category.name),
            f"{category.name}: LVIS and Open Images in turn",
            _PURPLE,
        )


def marked_any(dataset: Any, reasons: tuple[str, ...]) -> Any:
    """Images with an ignore region of one of some reasons."""
    from fiftyone import ViewField

    return dataset.match(
        ViewField("checks").contains([checks.ignored(reason) for reason in reasons])
    )
