"""Matching and precision by lvis-api, the reference. Slow: minutes for LVIS val."""

from __future__ import annotations

import logging
import warnings
from copy import deepcopy
from typing import Any

import numpy as np

from lvis_merge.errors import InputError
from lvis_merge.evaluation.detections import Detections, Floats
from lvis_merge.evaluation.lvis_dict import mask_dicts, truth_dict
from lvis_merge.evaluation.scores import Kind
from lvis_merge.evaluation.truth import GroundTruth

_NAMES = {
    "AP": "AP", "AP50": "AP50", "AP75": "AP75", "AP_r": "APr", "AP_c": "APc", "AP_f": "APf",
    "AP_s": "APs", "AP_m": "APm", "AP_l": "APl",
}  # fmt: skip


def version() -> str:
    """Of lvis-api."""
    from importlib.metadata import version as version_of

    _library()
    return version_of("lvis")


class LvisRun:
    """Boxes or masks, evaluated by lvis-api.

    It caps the detections and leaves out what is not judged by itself.

    Args:
        truth: with masks where masks are compared.
        detections: all of them, in the order of the results.
        kind: bbox or segm.
    """

    def __init__(self, truth: GroundTruth, detections: Detections, kind: Kind) -> None:
        lvis = _library()
        truth_set = lvis.LVIS.__new__(lvis.LVIS)  # its constructor reads files only
        truth_set.logger = logging.getLogger("lvis")
        truth_set.dataset = truth_dict(truth)
        truth_set._create_index()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of its logging
            found = _results(lvis, truth_set, _entries(detections, truth, kind))
        self._run = lvis.LVISEval(truth_set, found, kind)
        self._run.params.img_count_lbl = ["r", "c", "f", None]  # of label spaces without groups
        self._run.run()

    def figures(self) -> dict[str, float]:
        """LVIS's figures by the names of `scores.FIGURES`, as lvis-api sums them up."""
        return {name: float(self._run.results[theirs]) for name, theirs in _NAMES.items()}

    def precision(self) -> Floats:
        """float64 [10, 101, C, 4]; see `scores.figures_of`."""
        values: Floats = self._run.eval["precision"]
        return values


def _entries(detections: Detections, truth: GroundTruth, kind: Kind) -> list[dict[str, Any]]:
    """Results with boxes or masks alone: of both, lvis-api takes a mask's area from its box."""
    if kind == "bbox":
        assert detections.bbox is not None
        name, values = "bbox", detections.bbox.tolist()
    else:
        name, values = "segmentation", mask_dicts(detections, truth)
    rows = zip(
        detections.image_id.tolist(),
        detections.category_id.tolist(),
        detections.score.tolist(),
        values,
        strict=True,
    )
    return [
        {"image_id": image, "category_id": category, "score": score, name: value}
        for image, category, score, value in rows
    ]


def _results(lvis: Any, truth_set: Any, entries: list[dict[str, Any]]) -> Any:
    if entries:
        return lvis.LVISResults(truth_set, entries)
    found = lvis.LVISResults.__new__(lvis.LVISResults)  # its constructor looks at the first entry
    found.logger = logging.getLogger("lvis")
    found.dataset = {**deepcopy(truth_set.dataset), "annotations": []}
    found._create_index()
    return found


class _NumpyWithFloat:
    """NumPy with the `np.float` that lvis 0.5.3 still uses and NumPy 1.24 took away."""

    float = float

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)


def _library() -> Any:
    """The `lvis` package, its use of `np.float` mended in its own module only."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in its plotting code
            import lvis
            import lvis.eval as module
    except ImportError as error:
        raise InputError(
            f"--backend lvis: the package cannot be imported ({error}). pip install lvis==0.5.3,"
            " or leave the option out: hotcoco gives the same figures."
        ) from error
    if not hasattr(np, "float"):
        module.np = _NumpyWithFloat()
    logging.getLogger("lvis").setLevel(logging.ERROR)
    return lvis
