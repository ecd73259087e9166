"""When checkpoints are saved, and which ones stay."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from lvis_merge.training.runner.checkpoint_folder import (
    checkpoint_name,
    keep_newest,
    record_latest,
)
from lvis_merge.training.runner.progress import BestScore

BEST_PREFIX = "best_"


@HOOKS.register_module()
class AtomicCheckpointHook(Hook):
    """Saves `iter_N.pth` at optimizer steps, and the weights of the best evaluation.

    Args:
        interval: iterations between two checkpoints.
        keep_last: how many numbered checkpoints stay; 0: all.
        save_best: metrics, the first that an evaluation gives decides; the larger is the better.
            None or empty: no best one.
    """

    priority = "VERY_LOW"

    def __init__(
        self,
        interval: int = 1000,
        keep_last: int = 2,
        save_best: Sequence[str] | None = ("lvis/segm_AP", "lvis/bbox_AP"),
    ) -> None:
        if interval < 1:
            raise ValueError(f"interval must be at least 1, not {interval}")
        self.interval = interval
        self.keep_last = keep_last
        self.save_best = (save_best,) if isinstance(save_best, str) else tuple(save_best or ())
        self._saved_at = -1

    def before_train(self, runner: Any) -> None:
        """Notes where the run begins: it is on disk already, or worth nothing yet."""
        self._saved_at = runner.iter

    def after_optimizer_step(self, runner: Any) -> None:
        """Saves at the first optimizer step at or after each multiple of the interval."""
        due = runner.iter // self.interval > self._saved_at // self.interval
        if due or runner.iter == runner.max_iters:
            self.save_now(runner)

    def save_now(self, runner: Any) -> Path:
        """Saves, unless this very state is on disk already.

        Called by all processes at once: none saves what another knows to be spoilt.

        Returns:
            The checkpoint.

        Raises:
            InputError: the disk is full, or the loss or the weights are not finite.
        """
        path = Path(runner.work_dir) / checkpoint_name(runner.iter)
        if runner.iter == self._saved_at:
            return path
        runner.train_loop.require_finite()
        self._saved_at = runner.iter
        if runner.control.ranks.is_first:
            runner.write_checkpoint(path, with_optimizer=True)
            record_latest(path)
            keep_newest(path, self.keep_last)
        return path

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Saves the weights if they are the best so far."""
        metric = next((name for name in self.save_best if name in (metrics or {})), None)
        if metric is None or metrics is None:
            return
        score, best = float(metrics[metric]), runner.train_loop.best
        if best is not None and best.metric == metric and score <= best.value:
            return
        runner.train_loop.require_finite()
        name = f"{BEST_PREFIX}{metric.replace('/', '_')}_{checkpoint_name(runner.iter)}"
        runner.train_loop.best = BestScore(metric, score, name)
        if runner.control.ranks.is_first:
            path = Path(runner.work_dir) / name
            runner.write_checkpoint(path, with_optimizer=False)
            for older in path.parent.glob(f"{BEST_PREFIX}*.pth"):
                if older != path:
                    with suppress(OSError):
                        older.unlink(missing_ok=True)
        runner.control.display.say(f"best so far ({metric} {score:.4f}): {name}")
