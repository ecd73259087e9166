"""`mini` can learn: eight images by heart, judged by the evaluation in the loop."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from lvis_merge.evaluation.scores import PAPER_FIGURES
from tests.training.end_to_end.conftest import StartMini

pytestmark = pytest.mark.slow

# six of LVIS, two of Open Images; both loaders serve these
IMAGES = [0, 1, 2, 3, 4, 5, 21, 23]
STEPS, EVALUATED_EVERY = 240, 120
CHANGES = {
    "total_batch": 2,
    "optim_wrapper.optimizer.lr": 0.03,
    "param_scheduler.1.end": STEPS,
    "param_scheduler.1.T_max": STEPS - 50,
    "train_cfg.max_iters": STEPS,
    "train_cfg.val_interval": EVALUATED_EVERY,
    "default_hooks.logger.interval": 20,
    "train_dataloader.dataset.keep_empty": True,  # as in evaluation: places count all images
    "train_dataloader.dataset.indices": IMAGES,
    "val_dataloader.dataset.indices": IMAGES,
    "val_dataloader.dataset.split": "train",
    "val_evaluator.split": "train",
}
BAR = 0.5
"""AP50 of the eight images; 0.8 was seen, and an untrained model has 0.00."""


@dataclass(frozen=True)
class Run:
    """What a training left behind.

    Attributes:
        folder: its work folder.
        scalars: TensorBoard's, by name, in order.
    """

    folder: Path
    scalars: dict[str, list[float]]


@pytest.fixture(scope="module")
def run(start_mini: StartMini, tmp_path_factory: pytest.TempPathFactory) -> Run:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    folder = tmp_path_factory.mktemp("overfit")
    ended = start_mini(folder, CHANGES).wait()
    assert ended.code == 0, ended.stderr
    assert ended.stdout == ""
    (events,) = folder.rglob("events.out.*")
    told = EventAccumulator(str(events)).Reload()
    scalars = {tag: [e.value for e in told.Scalars(tag)] for tag in told.Tags()["scalars"]}
    return Run(folder, scalars)


def test_loss_falls_by_half(run: Run) -> None:
    losses = run.scalars["loss"]  # means of 20 steps
    assert len(losses) == STEPS // 20
    assert losses[-1] < losses[0] / 2


def test_finds_the_objects(run: Run) -> None:
    assert run.scalars["lvis/bbox_AP50"][-1] > BAR
    assert run.scalars["lvis/segm_AP50"][-1] > BAR


def test_best_checkpoint_is_kept(run: Run) -> None:
    """By mask AP, and no other."""
    scores = run.scalars["lvis/segm_AP"]
    assert len(scores) == STEPS // EVALUATED_EVERY
    best = scores.index(max(scores)) + 1
    kept = list(run.folder.glob("best_*.pth"))
    assert [path.name for path in kept] == [f"best_lvis_segm_AP_iter_{best * EVALUATED_EVERY}.pth"]
    told = torch.load(kept[0], weights_only=True)["meta"]["progress"]["best"]
    assert told["value"] == pytest.approx(max(scores), abs=1e-4)


def test_scores_are_of_the_images_served(run: Run) -> None:
    """All figures come, masks and boxes, and the paper's table is in the log."""
    figures = {f"lvis/{kind}_{name}" for kind in ("bbox", "segm") for name in PAPER_FIGURES}
    assert {tag for tag in run.scalars if tag.startswith("lvis/")} == figures
    log = next(run.folder.rglob("*.log")).read_text()
    assert "8 of 38 images were served; only these are scored." in log
    assert "AP × 100" in log
