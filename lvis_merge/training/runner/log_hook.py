"""Figures of a run: to the user, the log file and TensorBoard, once every so many iterations."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from lvis_merge.training.runner.display import Pace
from lvis_merge.training.runner.loss_history import TOTAL

_PACE_WINDOW = 200
_MIB = 2**20


@HOOKS.register_module()
class TrainingLogHook(Hook):
    """Means over the interval of all losses, the learning rate and the times.

    Takes the place of mmengine's LoggerHook, IterTimerHook and RuntimeInfoHook, which fetch every
    loss off the GPU at every iteration.

    Args:
        interval: iterations between two entries.
    """

    priority = "BELOW_NORMAL"

    def __init__(self, interval: int = 50) -> None:
        if interval < 1:
            raise ValueError(f"interval must be at least 1, not {interval}")
        self.interval = interval
        self._seconds: deque[float] = deque(maxlen=_PACE_WINDOW)
        self._waiting: deque[float] = deque(maxlen=_PACE_WINDOW)
        self._since = (0.0, 0.0, 0)

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        """Tells mmdet's parts where training is: they look into the message hub."""
        runner.message_hub.update_info("iter", runner.iter)
        runner.message_hub.update_info("max_iters", runner.max_iters)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Moves the bar; at the interval and at the end, writes the entry."""
        loop = runner.train_loop
        seconds, waiting = time.perf_counter() - loop.began, loop.waited
        self._seconds.append(seconds)
        self._waiting.append(waiting)
        total, waited, count = self._since
        self._since = (total + seconds, waited + waiting, count + 1)
        done = runner.iter + 1
        if done % self.interval == 0 or done == runner.max_iters:
            self._write(runner, done)
        elif runner.control.display.draws_bars and loop.losses.latest is not None:
            latest = loop.losses.latest.values.get(TOTAL, float("nan"))
            runner.control.display.moved(self._pace(runner, done, latest))

    def before_val(self, runner: Any) -> None:
        """Draws the evaluation's bar."""
        runner.control.display.evaluating(len(runner.val_loop.dataloader))

    def after_val_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Moves the evaluation's bar."""
        runner.control.display.evaluated_batch()

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Writes the scores."""
        runner.control.display.evaluated()
        scores = {name: float(value) for name, value in (metrics or {}).items()}
        runner.visualizer.add_scalars(scores, step=runner.iter)
        text = f"evaluated at iteration {runner.iter}:"
        listed = _table(scores) or " no scores"
        runner.logger.info(text + listed)
        runner.control.display.say(text + (_drawn(runner) or listed))

    def _write(self, runner: Any, done: int) -> None:
        entries = runner.train_loop.losses.taken()
        names = dict.fromkeys(name for entry in entries for name in entry.values)
        means = {}
        for name in names:  # a loss may be missing from some iterations
            values = [entry.values[name] for entry in entries if name in entry.values]
            means[name] = sum(values) / len(values)
        total, waited, count = self._since
        self._since = (0.0, 0.0, 0)
        pace = self._pace(runner, done, means.get(TOTAL, float("nan")))
        scalars = {
            **means,
            "lr": pace.rate,
            "time": total / count,
            "data_time": waited / count,
            **_gradient_norm(runner),
            **_memory(runner),
        }
        runner.visualizer.add_scalars(scalars, step=done)
        listed = "  ".join(f"{name}: {value:.4g}" for name, value in scalars.items())
        runner.logger.info(f"iteration {done}/{runner.max_iters}  {listed}")
        runner.control.display.moved(pace)
        runner.control.display.logged(pace)

    def _pace(self, runner: Any, done: int, loss: float) -> Pace:
        seconds = sum(self._seconds) / len(self._seconds)
        return Pace(
            iteration=done,
            total=runner.max_iters,
            loss=loss,
            rate=runner.optim_wrapper.get_lr()["lr"][0],
            seconds=seconds,
            data_seconds=sum(self._waiting) / len(self._waiting),
            remaining=seconds * (runner.max_iters - done),
        )


def _drawn(runner: Any) -> str:
    """The tables that metrics have drawn of their scores (LVISFederatedMetric does)."""
    tables = (getattr(metric, "table", "") for metric in runner.val_loop.evaluator.metrics)
    return "".join(f"\n{table}" for table in tables if table)


def _table(scores: dict[str, float]) -> str:
    """One line for each kind of score: `lvis/bbox_AP` and `lvis/bbox_AP50` are two of `bbox`."""
    lines: dict[str, list[str]] = {}
    for name, value in scores.items():
        kind, _, score = name.rpartition("/")[2].partition("_")
        lines.setdefault(kind, []).append(f"  {score} {value:.4f}".rstrip())
    return "".join(f"\n  {kind}{''.join(listed)}" for kind, listed in lines.items())


def _gradient_norm(runner: Any) -> dict[str, float]:
    """The norm before clipping at the last step, which mmengine's optimizer wrapper leaves."""
    found = runner.message_hub.log_scalars.get("train/grad_norm")
    return {} if found is None else {"grad_norm": float(found.current())}


def _memory(runner: Any) -> dict[str, float]:
    if runner.control.ranks.device.type != "cuda":
        return {}
    return {"memory_mib": torch.cuda.max_memory_allocated(runner.control.ranks.device) / _MIB}
