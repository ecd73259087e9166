"""The whole state of a run, out of the runner and back into it."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.utils import apply_to

from lvis_merge.errors import InputError
from lvis_merge.training.runner.checkpoint_file import load, weights
from lvis_merge.training.runner.identity import RunIdentity, check_same_run
from lvis_merge.training.runner.progress import RunProgress

_SHOWN = 5


@dataclasses.dataclass(frozen=True)
class Restored:
    """What came back from a checkpoint.

    Attributes:
        progress: where the run goes on.
        differs: what differs from the run that wrote it and may; empty: bit for bit the same.
    """

    progress: RunProgress
    differs: list[str]


def state_of(runner: Any, progress: RunProgress, with_optimizer: bool) -> dict[str, Any]:
    """The content of a checkpoint: tensors on the CPU and plain values.

    Args:
        runner: a ManifestRunner that trains.
        progress: how far it is.
        with_optimizer: also what only carrying on needs: optimizer, AMP scale, schedule.
    """
    meta = {**runner.identity.to_meta(), "iteration": progress.iteration}
    content = {
        "meta": {**meta, "torch": str(torch.__version__), "progress": progress.to_plain()},
        "state_dict": _on_cpu(unwrapped(runner.model).state_dict()),
    }
    if with_optimizer:
        content["optimizer"] = _on_cpu(runner.optim_wrapper.state_dict())
        content["param_schedulers"] = [s.state_dict() for s in _schedulers(runner)]
    runner.call_hook("before_save_checkpoint", checkpoint=content)
    return content


def restore(runner: Any, path: Path) -> Restored:
    """Puts a checkpoint's state into a runner whose parts are built.

    Args:
        runner: a ManifestRunner.
        path: a checkpoint of the same run.

    Raises:
        InputError: it cannot be read, is not of `lvis-merge train`, holds no optimizer (a best
            one), or is of another run.
    """
    content = load(path)
    meta = content.get("meta") if isinstance(content, Mapping) else None
    saved = RunIdentity.from_meta(meta)
    progress = RunProgress.from_plain(meta.get("progress")) if isinstance(meta, Mapping) else None
    if saved is None or progress is None:
        raise InputError(
            f"{path}: `lvis-merge train` did not write this, or another version did; it cannot be"
            f" carried on. To start from its weights: --init {path} and another --work-dir."
        )
    if "optimizer" not in content:
        raise InputError(
            f"{path}: holds weights but no optimizer state, so it cannot be carried on. Take an"
            f" iter_N.pth, or start from its weights with --init and another --work-dir."
        )
    now = runner.identity
    differs = check_same_run(saved, now, path)
    runner.call_hook("after_load_checkpoint", checkpoint=content)
    _load_weights(unwrapped(runner.model), weights(content, str(path)), path)
    steps = progress.iteration // saved.accumulate
    iteration = progress.iteration if saved.accumulate == now.accumulate else steps * now.accumulate
    if saved.accumulate == now.accumulate:
        runner.optim_wrapper.load_state_dict(content["optimizer"])
        for scheduler, state in zip(_schedulers(runner), content["param_schedulers"], strict=True):
            scheduler.load_state_dict(state)
    else:
        _replay(runner, iteration, content["optimizer"])
    # each process must draw every world_size-th sample: at most world_size - 1 are passed over
    position = -(-progress.position // now.world_size) * now.world_size
    return Restored(dataclasses.replace(progress, iteration=iteration, position=position), differs)


def unwrapped(model: Any) -> Any:
    """The model inside DDP's wrapper."""
    return getattr(model, "module", model)


def _load_weights(model: Any, state: Mapping[str, Any], path: Path) -> None:
    try:
        missing, unexpected = model.load_state_dict(state, strict=False)
    except RuntimeError as error:  # shapes
        raise InputError(f"{path}: does not fit the model: {error}") from error
    if wrong := [*missing, *unexpected]:
        raise InputError(
            f"{path}: does not fit the model: {', '.join(wrong[:_SHOWN])}"
            f" ({len(missing)} missing, {len(unexpected)} not known). Was the program changed?"
        )


def _replay(runner: Any, iterations: int, optimizer: Mapping[str, Any]) -> None:
    """Another number of iterations per step: the new schedule is stepped to where the run is."""
    schedulers = _schedulers(runner)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no optimizer step has come before these
        for _ in range(iterations):
            for scheduler in schedulers:
                scheduler.step()
    groups = runner.optim_wrapper.optimizer.param_groups
    scheduled = [
        {name: group[name] for name in {s.param_name for s in schedulers} if name in group}
        for group in groups
    ]
    runner.optim_wrapper.load_state_dict(optimizer)
    for group, values in zip(runner.optim_wrapper.optimizer.param_groups, scheduled, strict=True):
        group.update(values)


def _schedulers(runner: Any) -> list[Any]:
    return list(runner.param_schedulers or ())


def _on_cpu(state: Any) -> Any:
    marks = getattr(state, "_metadata", None)
    moved = apply_to(state, lambda value: hasattr(value, "cpu"), lambda value: value.cpu())
    if marks is not None:
        moved._metadata = marks
    return moved
