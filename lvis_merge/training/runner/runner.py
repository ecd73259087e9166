"""mmengine's Runner, with our devices, files and checkpoints."""

from __future__ import annotations

import inspect
from functools import cached_property
from pathlib import Path
from typing import Any

from mmengine.model import (
    MMDistributedDataParallel,
    convert_sync_batchnorm,
    revert_sync_batchnorm,
)
from mmengine.registry import RUNNERS
from mmengine.runner import Runner
from mmengine.utils.dl_utils import collect_env

from lvis_merge.errors import InputError
from lvis_merge.training.runner.checkpoint_file import load, save
from lvis_merge.training.runner.checkpoint_folder import latest
from lvis_merge.training.runner.checkpoint_loader import checkpoint_path
from lvis_merge.training.runner.control import RunControl
from lvis_merge.training.runner.identity import RunIdentity, identity_of
from lvis_merge.training.runner.log_file import LackingWeights, off_the_terminal
from lvis_merge.training.runner.run_state import restore, state_of, unwrapped
from lvis_merge.training.runner.starting_weights import holdout_warning, start_from

_PRETRAINED = ("Pretrained", "PretrainedInit")


@RUNNERS.register_module()
class ManifestRunner(Runner):
    """Builds a run from a resolved recipe, starts or resumes it, and writes its checkpoints.

    With `resume`, the run goes on from the newest checkpoint of its work folder; without one, or
    without `resume`, it starts from `load_from` (the weights of another run) or from scratch.

    Args:
        args: as mmengine's Runner.
        control: processes, signals and display; one process and no signals by default.
        kwargs: as mmengine's Runner.
    """

    def __init__(self, *args: Any, control: RunControl | None = None, **kwargs: Any) -> None:
        self.control = control or RunControl()
        self._has_loaded = False
        super().__init__(*args, **kwargs)

    @classmethod
    def from_recipe(cls, config: Any, control: RunControl) -> ManifestRunner:
        """Builds a runner from a resolved recipe.

        Args:
            config: mmengine Config; the names of Runner's arguments are read from its top level.
            control: processes, signals and display.
        """
        wanted = set(inspect.signature(Runner.__init__).parameters) - {"self", "cfg"}
        given = {name: config[name] for name in wanted if name in config}
        return cls(**given, cfg=config, control=control)

    @cached_property
    def identity(self) -> RunIdentity:
        """What this run is, as its checkpoints record it."""
        loader = self.train_loop.dataloader
        world_size = self.control.ranks.world_size
        return identity_of(self.cfg, loader.dataset, loader.batch_size, world_size)

    def build_logger(self, *args: Any, **kwargs: Any) -> Any:
        """mmengine's logger, with its file alone."""
        logger = super().build_logger(*args, **kwargs)
        off_the_terminal(logger)
        logger.handlers.append(LackingWeights(self.control.display.warn))
        return logger

    def build_visualizer(self, visualizer: Any = None) -> Any:
        """The visualizer; it writes below the work folder, once for all restarts of a run."""
        if isinstance(visualizer, dict):
            visualizer = {"save_dir": self.work_dir, **visualizer}
        return super().build_visualizer(visualizer)

    def dump_config(self) -> None:
        """Writes the resolved recipe beside the checkpoints, unless whoever resolved it did."""
        file = Path(self.work_dir) / "config.py"
        if self.control.ranks.is_first and not file.exists():
            self.cfg.dump(file)

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: Any) -> Any:
        """Moves the model to its device and, in a distributed run, wraps it with DDP.

        mmengine's own takes whatever GPU it finds, and names a GPU to DDP on CPUs as well.
        SyncBN needs GPUs and several processes: elsewhere it becomes BN.
        """
        ranks = self.control.ranks
        model = model.to(ranks.device)
        on_gpu = ranks.device.type == "cuda"
        if not ranks.distributed or not on_gpu:
            model = revert_sync_batchnorm(model)
        elif self.cfg.get("sync_bn", False):
            model = convert_sync_batchnorm(model)
        if not ranks.distributed:
            return model
        return MMDistributedDataParallel(
            model,
            device_ids=[ranks.device.index] if on_gpu else None,
            broadcast_buffers=False,
            find_unused_parameters=self.cfg.get("find_unused_parameters", False),
        )

    def load_or_resume(self) -> None:
        """Puts weights, and where a run goes on all of its state, into what was built.

        Raises:
            InputError: a checkpoint is damaged, unsafe, of another run, or does not fit.
        """
        if self._has_loaded:
            return
        if (checkpoint := self._carried_on) is not None:
            self._go_on_from(checkpoint)
        elif self._load_from is not None:
            self._start_from(str(self._load_from))
        self._has_loaded = True

    def write_checkpoint(self, path: Path, with_optimizer: bool) -> None:
        """Writes this process's state to a file, whole or not at all.

        Args:
            path: its place.
            with_optimizer: also what only carrying on needs.
        """
        save(state_of(self, self.train_loop.progress, with_optimizer), path)
        self.logger.info(f"saved {path}")

    def _log_env(self, env_cfg: dict[str, Any]) -> None:
        """The machine, for the log file; the recipe is in `config.py`."""
        if self.control.ranks.is_first:
            listed = "\n".join(f"    {name}: {value}" for name, value in collect_env().items())
            self.logger.info(f"environment:\n{listed}")

    def _init_model_weights(self) -> None:
        """Initialises the weights; pretrained files are not asked for where others replace them."""
        if self._carried_on is not None:
            return
        if self._load_from is not None:
            for module in unwrapped(self.model).modules():
                module.init_cfg = _without_pretrained(getattr(module, "init_cfg", None))
        super()._init_model_weights()

    @cached_property
    def _carried_on(self) -> Path | None:
        """The checkpoint that this run goes on from."""
        return latest(Path(self.work_dir)) if self._resume else None

    def _go_on_from(self, checkpoint: Path) -> None:
        restored = restore(self, checkpoint)
        self.train_loop.go_on_from(restored.progress)
        self.control.display.say(
            f"resuming at iteration {restored.progress.iteration} of {self.max_iters}"
            f" from {checkpoint}"
        )
        if restored.differs:
            self.control.display.warn(
                f"{'; '.join(restored.differs)}: the data go on where they were, but the run is no"
                " longer bit for bit the one that was stopped"
            )

    def _start_from(self, where: str) -> None:
        checkpoint = load(checkpoint_path(where))
        started = start_from(unwrapped(self.model), checkpoint, where, self.identity)
        told = started.told(where)
        self.logger.info(f"{told}; fresh: {list(started.fresh)}")
        self.control.display.say(told)
        if text := holdout_warning(checkpoint, where, self.identity):
            self.control.display.warn(text)


def _without_pretrained(init_cfg: Any) -> Any:
    """An `init_cfg` less the entries that load a file."""
    if isinstance(init_cfg, dict):
        return None if init_cfg.get("type") in _PRETRAINED else init_cfg
    if isinstance(init_cfg, (list, tuple)):
        return [entry for entry in init_cfg if entry.get("type") not in _PRETRAINED]
    return init_cfg


def check_work_dir(work_dir: Path, resume: bool) -> None:
    """Refuses to start anew where another run's checkpoints are.

    Args:
        work_dir: of the run; need not be there.
        resume: whether they are wanted.

    Raises:
        InputError: there is a checkpoint and it would be mixed with new ones.
    """
    if not resume and (found := latest(work_dir)) is not None:
        raise InputError(
            f"{work_dir}: holds a run already ({found.name}). Carry it on with --resume, or give"
            " another --work-dir."
        )
