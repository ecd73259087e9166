"""The training loop: counts iterations, stops and goes on anywhere between two optimizer steps."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path
from typing import Any, NoReturn

import torch
from mmengine.registry import LOOPS
from mmengine.runner.loops import IterBasedTrainLoop

from lvis_merge.errors import LvisMergeError
from lvis_merge.training.runner.checkpoint_hook import AtomicCheckpointHook
from lvis_merge.training.runner.loss_history import LossHistory, images_of, stop_for
from lvis_merge.training.runner.progress import BestScore, RunProgress
from lvis_merge.training.runner.run_state import unwrapped
from lvis_merge.training.runner.seeding import seed_iteration
from lvis_merge.training.runner.signals import Phase, TrainingStopped, exit_code, held_back
from lvis_merge.training.runner.worker_errors import from_a_worker

_SPOILT = 1000
"""A flag above every signal's number: the loss is not finite somewhere."""


@LOOPS.register_module()
class ResumableIterLoop(IterBasedTrainLoop):
    """Iteration-based training whose resumed run equals an uninterrupted one.

    Each iteration is seeded by itself, and the sampler is told where in its endless chain to go
    on (`skip_to`), so nothing is carried over but what a checkpoint holds.

    Args:
        runner: a ManifestRunner.
        dataloader: of the training data, or its config; its sampler has `skip_to`.
        max_iters: iterations in all, one batch each.
        val_interval: iterations between two evaluations; the last iteration is evaluated too.
        val_begin: the first iteration that may be evaluated.

    Attributes:
        losses: of recent iterations.
        best: the best evaluation so far.
        began: when the current iteration began (`time.perf_counter`).
        waited: seconds that it waited for its batch.
    """

    def __init__(
        self,
        runner: Any,
        dataloader: Any,
        max_iters: int,
        val_interval: int = 1000,
        val_begin: int = 1,
    ) -> None:
        super().__init__(runner, dataloader, max_iters, val_begin, val_interval)
        if not hasattr(self.dataloader.sampler, "skip_to"):
            raise TypeError(
                f"{type(self.dataloader.sampler).__name__} has no skip_to(position): this loop"
                " needs an endless sampler such as RepeatFactorSampler"
            )
        self.losses = LossHistory()
        self.best: BestScore | None = None
        self.began = self.waited = 0.0
        self._evaluated_at = -1
        self._start = RunProgress()

    @property
    def progress(self) -> RunProgress:
        """How far training is."""
        drawn = (self._iter - self._start.iteration) * self.runner.identity.images_per_iteration
        return RunProgress(self._iter, self._start.position + drawn, self._evaluated_at, self.best)

    def go_on_from(self, progress: RunProgress) -> None:
        """Starts where another run stopped, instead of at the beginning."""
        self._start = progress
        self._iter = progress.iteration
        self._evaluated_at = progress.evaluated_at
        self.best = progress.best

    def run(self) -> Any:
        """Trains to the last iteration and evaluates.

        Raises:
            TrainingStopped: on request; the state is saved.
            InputError: the loss or the weights are not finite, or an image cannot be read.
        """
        runner = self.runner
        runner.control.stops.phase = Phase.TRAINING
        runner.call_hook("before_train")
        runner.call_hook("before_train_epoch")
        with runner.control.display.training(self._iter, self._max_iters):
            runner.model.train()
            batches = self._batches()
            while True:
                self._evaluate_if_due()
                if self._iter >= self._max_iters:
                    break
                self._iterate(batches)
                if runner.optim_wrapper.should_update():
                    self._step_done()
            batches.close()
        runner.control.stops.phase = Phase.LEAVING
        runner.call_hook("after_train_epoch")
        runner.call_hook("after_train")
        return runner.model

    def require_finite(self) -> None:
        """Ends the run rather than have spoilt weights saved; all processes call it at once.

        Raises:
            InputError: the loss of an iteration so far, or a weight, is not finite.
        """
        self.losses.read(up_to=self._iter)
        weights = unwrapped(self.runner.model).parameters()
        spoilt = not all(bool(torch.isfinite(weight).all()) for weight in weights)
        if self.runner.control.ranks.agree_now(_SPOILT if spoilt or self.losses.fault else 0):
            self._leave_spoilt()

    def _batches(self) -> Generator[Any, None, None]:
        """Batches from where the run goes on; workers start at the first and end with the last."""
        self.dataloader.sampler.skip_to(self._start.position)
        with held_back():
            batches = iter(self.dataloader)
        try:
            while True:
                try:
                    batch = next(batches)
                except (LvisMergeError, RuntimeError) as error:
                    raise from_a_worker(error) from None
                yield batch
        finally:
            del batches

    def _iterate(self, batches: Generator[Any, None, None]) -> None:
        self.began = time.perf_counter()
        batch = next(batches)
        self.waited = time.perf_counter() - self.began
        runner = self.runner
        seed_iteration(runner.identity.seed, self._iter, runner.control.ranks.rank)
        images = images_of(batch)
        runner.call_hook("before_train_iter", batch_idx=self._iter, data_batch=batch)
        outputs = runner.model.train_step(batch, optim_wrapper=runner.optim_wrapper)
        self.losses.add(self._iter, outputs, images)
        runner.call_hook(
            "after_train_iter", batch_idx=self._iter, data_batch=batch, outputs=outputs
        )
        self._iter += 1

    def _step_done(self) -> None:
        control = self.runner.control
        accumulate = self.runner.identity.accumulate
        self.losses.read(up_to=self._iter - accumulate)
        spoilt = self.losses.fault is not None
        verdict = control.ranks.agree(_SPOILT if spoilt else control.stops.requested)
        if verdict == _SPOILT:
            self._leave_spoilt()
        self.runner.call_hook("after_optimizer_step")
        if verdict:
            self._leave(verdict)

    def _evaluate_if_due(self) -> None:
        runner = self.runner
        at_end = self._iter == self._max_iters
        due = self._iter >= self.val_begin and (at_end or self._iter % self.val_interval == 0)
        # a signal may end the run here, and half an optimizer step cannot be saved
        due = due and runner.optim_wrapper.should_update()
        if runner.val_loop is None or not due or self._iter == self._evaluated_at:
            return
        control = runner.control
        self.require_finite()
        control.ranks.share_buffers(unwrapped(runner.model))
        metrics = runner.val_loop.run()
        if metrics is not None:
            self._evaluated_at = self._iter
            runner.model.train()
        verdict = control.ranks.agree_now(control.stops.requested)
        if verdict and not (at_end and metrics is not None):
            self._leave(verdict)

    def _leave(self, number: int) -> NoReturn:
        """Saves, and ends this process; all of a run come here at the same step."""
        control = self.runner.control
        hooks = [hook for hook in self.runner.hooks if isinstance(hook, AtomicCheckpointHook)]
        paths = [hook.save_now(self.runner) for hook in hooks]
        control.stops.phase = Phase.LEAVING
        # the first to leave has torchrun end the others: not before the file is there
        control.ranks.wait_for_all()
        where = f"saved in {paths[0]}" if paths else "not saved: the recipe has no checkpoint hook"
        control.display.say(
            f"stopped at iteration {self._iter} of {self._max_iters}, {where}."
            " The same command with --resume carries on."
        )
        raise TrainingStopped(exit_code(number))

    def _leave_spoilt(self) -> NoReturn:
        control = self.runner.control
        control.stops.phase = Phase.LEAVING
        folder, rank = Path(self.runner.work_dir), control.ranks.rank
        self.losses.read(up_to=self._iter)
        fault, what = self.losses.fault, "the loss"
        if fault is None and self.losses.latest is not None and control.ranks.is_first:
            # finite losses, infinite gradients: the weights are the same on all processes
            fault, what = self.losses.latest, "a weight after this step"
        if fault is None:
            control.ranks.wait_for_all()
            raise TrainingStopped(LvisMergeError.exit_code)
        error = stop_for(fault, what, folder, rank)
        control.ranks.wait_for_all()
        raise error
