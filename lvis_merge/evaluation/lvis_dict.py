"""Ground truth and detections in the dictionaries that hotcoco and lvis-api read."""

from __future__ import annotations

from typing import Any

from lvis_merge.evaluation.detections import Detections
from lvis_merge.evaluation.truth import GroundTruth


def truth_dict(truth: GroundTruth) -> dict[str, Any]:
    """An LVIS annotation file's content.

    Annotation ids are 1..N: both libraries keep the id of the match, and lvis-api reads 0 as none.
    """
    sizes = {
        image: [height, width]
        for image, height, width in zip(
            *(truth.images[name].to_pylist() for name in ("image_id", "height", "width")),
            strict=True,
        )
    }
    images = [{"id": row.pop("image_id"), **row} for row in truth.images.to_pylist()]
    categories = [
        {"id": row["category_id"], "name": row["name"], "frequency": row["frequency"]}
        for row in truth.categories.to_pylist()
    ]
    annotations = []
    for number, row in enumerate(truth.objects.to_pylist(), start=1):
        polygons, counts = row.pop("segmentation"), row.pop("mask_rle")
        mask = {"size": sizes[row["image_id"]], "counts": counts} if counts else polygons
        annotations.append({"id": number, **row, "segmentation": mask or []})
    return {"images": images, "categories": categories, "annotations": annotations}


def mask_dicts(detections: Detections, truth: GroundTruth) -> list[dict[str, Any]]:
    """The masks of N detections as run lengths with their size."""
    assert detections.mask is not None
    columns = (truth.images[name].to_pylist() for name in ("image_id", "height", "width"))
    sizes = {image: [height, width] for image, height, width in zip(*columns, strict=True)}
    return [
        {"size": sizes[image], "counts": counts}
        for image, counts in zip(
            detections.image_id.tolist(), detections.mask.to_pylist(), strict=True
        )
    ]
