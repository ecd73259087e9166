"""Images with their boxes as the documents that FiftyOne's database holds.

They are written by the thousand: plain dictionaries, one pass, no FiftyOne object per box.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from lvis_merge.inspect.checks import Frame, image_checks, suspicion
from lvis_merge.inspect.label_texts import LabelTexts
from lvis_merge.inspect.masks import bitmap_mask, mask_text, polygon_mask
from lvis_merge.inspect.shuffling import scattered

OBJECTS, REGIONS, PREDICTIONS = "objects", "ignore_regions", "predictions"
EVIDENCE = {
    "present": "pos_category_ids",
    "absent": "neg_category_ids",
    "not_exhaustive": "not_exhaustive_category_ids",
}
"""Fields of verified labels, and the columns that they come from."""

IMAGE_COLUMNS = (
    "image_id", "source", "source_image_id", "split", "file_name", "width", "height", "license",
    "author", "landing_url", *EVIDENCE.values(),
)  # fmt: skip
"""What a document needs of `images`."""

_LABEL_IDS, _EVIDENCE_IDS, _PREDICTION_IDS = (kind << 88 for kind in (1, 2, 3))
_FLAGS = ("occluded", "truncated", "group_of", "depiction", "inside")
_BINARY = "00"


@dataclass(frozen=True)
class ImageFile:
    """Where the picture of an image is.

    Attributes:
        path: what the App opens.
        missing: whether that is a stand-in, for want of the image.
    """

    path: str
    missing: bool


@dataclass(frozen=True)
class Predicted:
    """Detections of one image as documents, and how many were right, wrong and missing."""

    detections: list[dict[str, Any]] = field(default_factory=list)
    true_positives: int = 0
    false_positives: int = 0
    missed: int = 0


def object_id(kind: int, number: int) -> dict[str, str]:
    """A document's `_id`, the same each time."""
    return {"$oid": f"{kind | number:024x}"}


def sample_id(image_id: int) -> str:
    """Hex id of an image's sample."""
    return f"{image_id:024x}"


@dataclass(frozen=True)
class DocumentWriter:
    """Makes documents.

    Attributes:
        seed: the document of a sample without any label, as FiftyOne writes it.
        texts: of the manifest.
        predicted: by image id; None where there are no results.
    """

    seed: Mapping[str, Any]
    texts: LabelTexts
    predicted: Mapping[int, Predicted] | None = None

    def samples(
        self, images: pa.Table, boxes: pa.Table, files: list[ImageFile]
    ) -> Iterator[dict[str, Any]]:
        """The documents of some images.

        Args:
            images: `IMAGE_COLUMNS`, by id.
            boxes: their rows of `schema.ANNOTATIONS`, by image id.
            files: of the images.
        """
        starts = np.searchsorted(boxes["image_id"].to_numpy(), images["image_id"].to_numpy())
        ends = [*starts[1:].tolist(), boxes.num_rows]
        masks = _MaskColumns(boxes)
        rows = boxes.drop_columns(["segmentation", "mask_rle"]).to_pylist()
        for image, start, end, file in zip(
            images.to_pylist(), starts.tolist(), ends, files, strict=True
        ):
            yield self._sample(image, rows[start:end], masks, start, file)

    def _sample(
        self,
        image: dict[str, Any],
        rows: list[dict[str, Any]],
        masks: _MaskColumns,
        start: int,
        file: ImageFile,
    ) -> dict[str, Any]:
        frame = Frame(image["width"], image["height"])
        objects, regions = [], []
        for place, row in enumerate(rows, start):
            label = self._box(row, image["split"], frame)
            if row["role"] == "object":
                mask = masks.text(place, frame, np.array(row["bbox"], np.float64))
                if mask is not None:
                    label["mask"] = {"$binary": {"base64": mask, "subType": _BINARY}}
                objects.append(label)
            else:
                regions.append(label)
        return {
            **self.seed,
            "_id": {"$oid": sample_id(image["image_id"])},
            "_rand": scattered(image["image_id"]),
            "filepath": file.path,
            "metadata": {
                "_cls": "ImageMetadata",
                "width": frame.width,
                "height": frame.height,
            },
            "image_id": image["image_id"],
            "source": image["source"],
            "source_image_id": image["source_image_id"],
            "split": image["split"],
            "file_name": image["file_name"],
            "license": image["license"],
            "author": image["author"],
            "landing_url": image["landing_url"],
            "checks": list(image_checks(objects, regions, file.missing)),
            OBJECTS: {"_cls": "Detections", "detections": objects},
            REGIONS: {"_cls": "Detections", "detections": regions},
            **self._evidence(image),
            **self._predictions(image["image_id"]),
        }

    def _box(self, row: dict[str, Any], split: str, frame: Frame) -> dict[str, Any]:
        x, y, w, h = row["bbox"]
        texts, category = self.texts, row["category_id"]
        name = None if category is None else texts.names[category]
        label = {
            "_id": object_id(_LABEL_IDS, row["annotation_id"]),
            "_cls": "Detection",
            "tags": [],
            "bounding_box": [x / frame.width, y / frame.height, w / frame.width, h / frame.height],
            "source": row["source"],
            "split": split,
            "source_annotation_id": row["source_annotation_id"],
            "source_label": row["source_label"],
            "original_label": texts.published(row["source_label"]),
            "map_row": texts.map_row(row["source"], row["source_label"], row["map_relation"]),
            "frequency": None if category is None else texts.groups[category],
            "flags": [flag for flag in _FLAGS if row[f"is_{flag}"]],
        }
        if row["role"] == "ignore":
            matched = None
            if row["ignore_reason"] == "coco_box":
                matched = row["matched_annotation_id"] is not None
            return {**label, "label": row["ignore_reason"], "category": name, "matched": matched}
        before = row["relabelled_from"]
        return {
            **label,
            "label": name,
            "method": row["annotation_method"],
            "relabelled_from": None if before is None else texts.names[before],
            "suspicion": suspicion((x, y, w, h), frame),
        }

    def _evidence(self, image: dict[str, Any]) -> dict[str, Any]:
        lists = {}
        for place, (name, column) in enumerate(EVIDENCE.items()):
            numbered = (image["image_id"] * 4 + place) << 24
            lists[name] = {
                "_cls": "Classifications",
                "classifications": [
                    {
                        "_id": object_id(_EVIDENCE_IDS, numbered + number),
                        "_cls": "Classification",
                        "tags": [],
                        "label": self.texts.names.get(category, f"category {category}"),
                    }
                    for number, category in enumerate(image[column])
                ],
            }
        return lists

    def _predictions(self, image_id: int) -> dict[str, Any]:
        if self.predicted is None:
            return {}
        found = self.predicted.get(image_id, Predicted())
        return {
            PREDICTIONS: {"_cls": "Detections", "detections": found.detections},
            "true_positives": found.true_positives,
            "false_positives": found.false_positives,
            "missed": found.missed,
        }


class _MaskColumns:
    """Masks of rows, read where they are needed."""

    def __init__(self, boxes: pa.Table) -> None:
        column = pa.chunked_array(boxes["segmentation"].chunks, boxes["segmentation"].type)
        polygons = column.combine_chunks()
        self._has_polygons = polygons.is_valid().to_numpy(zero_copy_only=False)
        self._first = polygons.offsets.to_numpy()
        parts = polygons.values
        self._edges = parts.offsets.to_numpy()
        self._values = parts.values.to_numpy().astype(np.float64)
        self._runs = boxes["mask_rle"].to_pylist()

    def text(self, row: int, frame: Frame, box: np.ndarray) -> str | None:
        """Base64 of a row's mask, None where it has none."""
        if self._has_polygons[row]:
            edges = self._edges[self._first[row] : self._first[row + 1] + 1].tolist()
            parts = [self._values[low:high] for low, high in pairwise(edges)]
            return mask_text(polygon_mask(parts, box))
        if self._runs[row] is not None:
            return mask_text(bitmap_mask(self._runs[row], (frame.width, frame.height), box))
        return None
