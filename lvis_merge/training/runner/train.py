"""Training in one process, from the resolved recipe on."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import torch

from lvis_merge.errors import InputError
from lvis_merge.training.runner.checkpoint_folder import clear_partial
from lvis_merge.training.runner.checkpoint_loader import use_safe_loaders
from lvis_merge.training.runner.control import RunControl
from lvis_merge.training.runner.identity import recipe_of
from lvis_merge.training.runner.process import in_ranks
from lvis_merge.training.runner.runner import ManifestRunner, check_work_dir
from lvis_merge.training.runner.signals import StopWords
from lvis_merge.training.runner.worker_errors import died

WORDS = StopWords(
    at_start="stopped before the first iteration. Run it again.",
    first="stopping: this step is finished and saved first; once more ends at once",
    second="stopped at once; --resume carries on from the last checkpoint.",
    again="--resume carries on.",
)
_runs = count()


def train(config: Any, work_dir: Path, resume: bool = False, init: Path | None = None) -> None:
    """Trains in this process; with torchrun's variables set, as one of its ranks.

    Signals: Ctrl-C and SIGTERM finish the optimizer step, save and end with 130 and 143; a second
    one ends at once. stdout stays empty; the user is told on stderr.

    Args:
        config: resolved recipe (mmengine Config); not changed.
        work_dir: gets checkpoints, `config.py`, log files and TensorBoard's; made if need be.
        resume: go on from the newest checkpoint in `work_dir`, if there is one.
        init: start from these weights (a file, or an address as in `init_cfg`); not looked at
            where there is a checkpoint to go on from.

    Raises:
        InputError: no GPU for a GPU recipe, a checkpoint that cannot be used, a loss that is not
            finite, an image that cannot be read, no memory left on the GPU.
        SystemExit: stopped by a signal (`TrainingStopped`: 130, 143), or ended because another
            process of the run has failed and told the user why.
    """
    in_ranks(
        config.get("device", "any"),
        lambda control: _train(config, work_dir, resume, init, control),
        words=WORDS,
        explain=_for_the_user,
    )


def _train(
    config: Any, work_dir: Path, resume: bool, init: Path | None, control: RunControl
) -> None:
    check_work_dir(work_dir, resume)
    use_safe_loaders()
    config = config.copy()
    config.work_dir = str(work_dir)
    config.resume, config.load_from = resume, str(init) if init else None
    config.launcher = "pytorch" if control.ranks.distributed else "none"
    config.randomness = {"seed": int(config.get("seed", 0))}
    # mmengine keeps loggers and visualizers by this name
    config.experiment_name = f"{recipe_of(config)}_{next(_runs)}"
    if control.ranks.is_first:
        clear_partial(work_dir)
    machines = f"{control.ranks.world_size} × " if control.ranks.distributed else ""
    with ExitStack() as ending:
        runner = ManifestRunner.from_recipe(config, control)
        ending.callback(runner.visualizer.close)
        control.display.say(
            f"training {recipe_of(config)} on {machines}{control.ranks.device.type},"
            f" {config.train_cfg.max_iters} iterations, in {work_dir}"
        )
        runner.train()
    best = runner.train_loop.best
    scored = f"; best {best.metric} {best.value:.4f} ({best.file})" if best else ""
    control.display.say(f"done: {runner.max_iters} iterations in {work_dir}{scored}")


def _for_the_user(error: Exception) -> Exception:
    """An error that a user is meant to read, where it is one of those in disguise."""
    if isinstance(error, torch.OutOfMemoryError):
        return InputError(
            f"the GPU's memory is used up ({str(error).partition('. ')[0]}). Use more GPUs, or"
            " --set accumulate=2 (the same images per step in smaller batches), --set amp=True, or"
            " smaller training scales."
        )
    if died(error):
        return InputError(
            "a worker of the data loader was killed: the machine's memory is used up, as a rule."
            " Use fewer: --set train_dataloader.num_workers=2. --resume carries on."
        )
    return error
