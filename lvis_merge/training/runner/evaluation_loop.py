"""Evaluation that a signal can break off."""

from __future__ import annotations

from typing import Any

from mmengine.registry import LOOPS
from mmengine.runner.loops import ValLoop

from lvis_merge.training.runner.signals import held_back


@LOOPS.register_module()
class StoppableValLoop(ValLoop):
    """mmengine's ValLoop, left early when a signal asks to stop."""

    def run(self) -> dict[str, float] | None:
        """Evaluates the model on the validation split.

        Returns:
            The scores; None if any process of the run was asked to stop. All agree on that before
            the results are put together.
        """
        control = self.runner.control
        self.runner.call_hook("before_val")
        self.runner.call_hook("before_val_epoch")
        self.runner.model.eval()
        self.val_loss.clear()
        with held_back():
            batches = iter(self.dataloader)
        for place, batch in enumerate(batches):
            if control.stops.requested:
                break
            self.run_iter(place, batch)
        if control.ranks.agree_now(control.stops.requested):
            return None
        metrics: dict[str, Any] = self.evaluator.evaluate(len(self.dataloader.dataset))
        self.runner.call_hook("after_val_epoch", metrics=metrics)
        self.runner.call_hook("after_val")
        return metrics
