"""Detections of a results file as right, wrong or neither, by LVIS's federated rules."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.errors import InputError
from lvis_merge.evaluation import GroundTruth, read_results, truth_of_manifest
from lvis_merge.evaluation.detections import Detections, capped, judged
from lvis_merge.evaluation.hotcoco_backend import HotcocoRun
from lvis_merge.evaluation.known import Known
from lvis_merge.evaluation.matches import Matches
from lvis_merge.evaluation.results import mask_areas
from lvis_merge.evaluation.scores import IOU_50
from lvis_merge.inspect.documents import Predicted, object_id
from lvis_merge.inspect.label_texts import LabelTexts
from lvis_merge.inspect.masks import bitmap_mask, mask_text
from lvis_merge.manifest import Manifest
from lvis_merge.merge.rules import SPLITS

TRUE_POSITIVE, FALSE_POSITIVE, NEITHER = "true positive", "false positive", "neither"
LEAST_SCORE = 0.05
"""Detections below this are counted and not shown: a results file has 300 an image."""

_PREDICTION_IDS = 3 << 88


def predictions(
    path: str, manifest: Manifest, texts: LabelTexts, image_ids: pa.Array, least_score: float
) -> dict[int, Predicted]:
    """Reads results and judges every detection at an IoU of 0.5.

    Boxes are compared; a detection is of the best 300 of its image or is left out.

    Args:
        path: LVIS results, JSON or Parquet.
        manifest: an open manifest, with the images of the results.
        texts: of the manifest.
        image_ids: int64 [K], the images that are shown; others are passed over.
        least_score: those below it are judged and counted, and not shown.

    Returns:
        By image id, of the images shown that are in the results or have objects in their splits.

    Raises:
        InputError: results that do not read, are of other images or categories, or lack boxes; or
            none of their images has annotations.
    """
    images = manifest.arrow("images", ["image_id", "width", "height", "split"])
    categories = manifest.arrow("categories", ["category_id"])
    known = Known.of(str(manifest.path), images, categories)
    results = read_results(path, known)
    detections = results.detections
    if detections.bbox is None:
        raise InputError(f"{path}: has masks and no boxes. Write `bbox` too.")
    detections = capped(detections)
    if detections.mask is not None:
        mask_areas(detections, known, results.faults)
    found: dict[int, Predicted] = {}
    for split in SPLITS:
        of_split = images.filter(pc.equal(images["split"], split))["image_id"].to_numpy()
        mine = detections.at(np.isin(detections.image_id, of_split))
        if len(mine):
            truth = truth_of_manifest(manifest, split)
            found |= _judged_split(mine, truth, known, texts, image_ids, least_score)
    if not len(detections):
        raise InputError(f"{path}: has no detections. Give the results of a model.")
    return found


def outcomes(detections: Detections, truth: GroundTruth) -> tuple[np.ndarray, dict[int, int]]:
    """What each detection is, and how many objects of each image were not found.

    Args:
        detections: with boxes, of images of the ground truth.
        truth: of one split.

    Returns:
        object [N], `TRUE_POSITIVE`, `FALSE_POSITIVE` or `NEITHER` (of a category that nobody
        looked for on the image, or not exhaustively annotated there); image id -> objects missed.
    """
    truth = truth.with_area()
    assert detections.bbox is not None
    place = np.arange(len(detections))
    scored = np.isin(detections.entry, judged(detections, truth).entry)
    areas = detections.bbox[:, 2] * detections.bbox[:, 3]
    scored &= areas > 0
    mine = detections.at(scored)
    matches = HotcocoRun(truth, mine, areas[scored], "bbox").matches()
    what = np.full(len(detections), NEITHER, dtype=object)
    # matches come by pairs of image and category, within a pair from the highest score and, of
    # equals, the first in the results
    of_results = np.lexsort((place[scored], -mine.score, mine.image_id, mine.category_id))
    of_matches = np.lexsort((np.arange(len(mine)), matches.image_id, matches.category_id))
    if not np.array_equal(mine.score[of_results], matches.score[of_matches]):
        raise AssertionError("matches are not in the order of the detections")
    hit, ignored = matches.matched[of_matches, IOU_50], matches.ignored[of_matches, IOU_50]
    said = np.where(ignored, NEITHER, np.where(hit, TRUE_POSITIVE, FALSE_POSITIVE))
    what[place[scored][of_results]] = said
    return what, _missed(matches)


def _missed(matches: Matches) -> dict[int, int]:
    hit = matches.matched[:, IOU_50] & ~matches.ignored[:, IOU_50]
    every = np.unique(matches.truth_image_id)
    to_find = np.bincount(
        np.searchsorted(every, matches.truth_image_id), matches.truth_count, len(every)
    )
    found_on = matches.image_id[hit]
    found = np.bincount(np.searchsorted(every, found_on), minlength=len(every))
    return dict(zip(every.tolist(), (to_find - found).astype(int).tolist(), strict=True))


def _judged_split(
    detections: Detections,
    truth: GroundTruth,
    known: Known,
    texts: LabelTexts,
    image_ids: pa.Array,
    least_score: float,
) -> dict[int, Predicted]:
    what, missed = outcomes(detections, truth)
    sizes = known.size(detections.image_id)
    assert sizes is not None
    shown = set(image_ids.to_pylist())
    documents: dict[int, list[dict[str, object]]] = {}
    right = _per_image(detections, what == TRUE_POSITIVE)
    wrong = _per_image(detections, what == FALSE_POSITIVE)
    for row in np.lexsort((-detections.score, detections.image_id)).tolist():
        image = int(detections.image_id[row])
        if image in shown and detections.score[row] >= least_score:
            documents.setdefault(image, []).append(
                _document(detections, row, str(what[row]), sizes[row], texts)
            )
    images = shown & (set(missed) | set(detections.image_id.tolist()))
    return {
        image: Predicted(
            documents.get(image, []),
            right.get(image, 0),
            wrong.get(image, 0),
            missed.get(image, 0),
        )
        for image in images
    }


def _per_image(detections: Detections, chosen: np.ndarray) -> Mapping[int, int]:
    images, counts = np.unique(detections.image_id[chosen], return_counts=True)
    return dict(zip(images.tolist(), counts.tolist(), strict=True))


def _document(
    detections: Detections, row: int, outcome: str, size: np.ndarray, texts: LabelTexts
) -> dict[str, object]:
    assert detections.bbox is not None
    height, width = size.tolist()
    x, y, w, h = detections.bbox[row].tolist()
    category = int(detections.category_id[row])
    document: dict[str, object] = {
        "_id": object_id(_PREDICTION_IDS, int(detections.entry[row])),
        "_cls": "Detection",
        "tags": [],
        "label": texts.names[category],
        "bounding_box": [x / width, y / height, w / width, h / height],
        "confidence": float(detections.score[row]),
        "outcome": outcome,
        "frequency": texts.groups[category],
    }
    if detections.mask is not None and w > 0 and h > 0:
        counts = detections.mask[row].as_py()
        box = detections.bbox[row]
        mask = mask_text(bitmap_mask(counts, (width, height), box))
        document["mask"] = {"$binary": {"base64": mask, "subType": "00"}}
    return document
