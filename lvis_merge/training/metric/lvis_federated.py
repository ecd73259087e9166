"""AP, AP_r, AP_c and AP_f of boxes and masks while a model trains."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from logging import WARNING
from typing import Any, get_args

import pyarrow as pa
import pyarrow.compute as pc
from mmdet.registry import METRICS
from mmengine.dist import broadcast_object_list, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from rich.console import Console

from lvis_merge import manifest as manifests
from lvis_merge.errors import InputError
from lvis_merge.evaluation import Evaluation, GroundTruth, Results, evaluate, truth_of_manifest
from lvis_merge.evaluation.result_faults import Faults
from lvis_merge.evaluation.scores import PAPER_FIGURES, Kind
from lvis_merge.evaluation.table import print_evaluation
from lvis_merge.training.metric.gathering import gathered
from lvis_merge.training.metric.image_detections import ImageDetections, detections_of, pack

_NAME = "this model's detections"
_TABLE_WIDTH = 100


@METRICS.register_module()
class LVISFederatedMetric(BaseMetric):
    """Scores a model by LVIS's federated rules, as `lvis-merge evaluate` scores a results file.

    The images that the data loader serves are scored, no others: a loader over part of a split
    gives that part's figures. A model that finds nothing has AP 0; a figure with no category to
    average over is -1.0.

    Args:
        manifest: its folder.
        split: whose images the data loader serves.
        metric: bbox, segm or both.
        prefix: of the figures' names.

    Attributes:
        table: the last evaluation as the paper tables it, for a terminal; empty before the first
            one, and on all ranks but the first.

    Raises:
        InputError: no manifest there, or its split has no objects to compare with; or `metric`
            names something else. The ground truth is read here, so this shows before training.
    """

    default_prefix = "lvis"

    def __init__(
        self,
        manifest: str,
        split: str = "val",
        metric: str | Sequence[str] = ("bbox", "segm"),
        prefix: str | None = None,
    ) -> None:
        super().__init__(prefix=prefix)
        self.kinds = [metric] if isinstance(metric, str) else list(metric)
        if unknown := [kind for kind in self.kinds if kind not in get_args(Kind)]:
            raise InputError(
                f"LVISFederatedMetric: metric {', '.join(map(str, unknown))} is unknown. Name bbox,"
                " segm or both."
            )
        # only the first rank scores
        self._truth = (
            truth_of_manifest(manifests.open(manifest), split) if is_main_process() else None
        )
        self.results: list[ImageDetections] = []
        self.table = ""

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keeps a batch's detections, masks as run lengths.

        Args:
            data_batch: not looked at.
            data_samples: each with `img_id`, the manifest's, and `pred_instances` (see `pack`).

        Raises:
            InputError: masks are to be scored and the model predicts none.
        """
        for sample in data_samples:
            found = sample["pred_instances"]
            if "segm" in self.kinds and "masks" not in found:
                raise InputError(
                    "LVISFederatedMetric: this model predicts no masks. Say metric='bbox' in"
                    " val_evaluator."
                )
            self.results.append(pack(sample["img_id"], found, "segm" in self.kinds))

    def compute_metrics(self, results: Sequence[ImageDetections]) -> dict[str, float]:
        """Scores, and logs the table of the paper.

        Args:
            results: of the images served; of an image that came more than once, as samplers pad to
                equal lengths, the first counts.

        Returns:
            `bbox_AP`, `bbox_AP50`, … `segm_AP_f`, in [0, 1] or -1.0.
        """
        assert self._truth is not None
        by_image = {image.image_id: image for image in reversed(results)}
        found = [by_image[image_id] for image_id in sorted(by_image)]
        truth = _served(self._truth, pa.array(by_image.keys(), pa.int64()))
        category_ids = truth.categories["category_id"].to_numpy()
        detections = detections_of(found, category_ids, "bbox" in self.kinds)
        outcome = evaluate(
            Results(_NAME, len(detections), detections, Faults(_NAME, lenient=False)), truth
        )
        self.table = _table(outcome)
        print_log(f"evaluation\n{self.table}", logger="current")
        return {
            f"{scores.kind}_{name}": scores.figures[name]
            for scores in outcome.scores
            for name in PAPER_FIGURES
        }

    def evaluate(self, size: int) -> dict[str, float]:
        """Gathers what all ranks found; the first one scores it and tells the others.

        Args:
            size: of the data set; not needed, since images are told apart by id.

        Returns:
            The figures by prefixed name, on every rank.
        """
        results = gathered(self.results)
        told: list[dict[str, float] | None] = [None]
        if is_main_process():
            figures = self.compute_metrics(results)
            told = [{f"{self.prefix}/{name}": value for name, value in figures.items()}]
        broadcast_object_list(told)
        self.results.clear()
        assert told[0] is not None
        return told[0]


def _served(truth: GroundTruth, image_ids: pa.Array) -> GroundTruth:
    """The part of the ground truth on some images; says so where it is not the whole.

    Raises:
        InputError: an image is not of the ground truth.
    """
    foreign = image_ids.filter(pc.invert(pc.is_in(image_ids, truth.images["image_id"])))
    if len(foreign):
        raise InputError(
            f"{truth.name}: {len(foreign):,} of the images served are not in it, such as"
            f" {foreign[0]}. Give val_dataloader and val_evaluator the same manifest and split."
        )
    if len(image_ids) == truth.images.num_rows:
        return truth
    images = truth.images.filter(pc.is_in(truth.images["image_id"], value_set=image_ids))
    objects = truth.objects.filter(pc.is_in(truth.objects["image_id"], value_set=image_ids))
    print_log(
        f"{truth.name}: {images.num_rows:,} of {truth.images.num_rows:,} images were served; only"
        " these are scored.",
        logger="current",
        level=WARNING,
    )
    return replace(truth, images=images, objects=objects)


def _table(outcome: Evaluation) -> str:
    text = io.StringIO()
    print_evaluation(outcome, Console(file=text, width=_TABLE_WIDTH))
    return text.getvalue()
