"""Runs training: resumable, stoppable, on one process or many."""

from __future__ import annotations

from lvis_merge.training.runner.checkpoint_hook import AtomicCheckpointHook
from lvis_merge.training.runner.checkpoint_loader import use_safe_loaders
from lvis_merge.training.runner.evaluation_loop import StoppableValLoop
from lvis_merge.training.runner.launch import launch
from lvis_merge.training.runner.log_hook import TrainingLogHook
from lvis_merge.training.runner.loop import ResumableIterLoop
from lvis_merge.training.runner.ranks import is_worker
from lvis_merge.training.runner.runner import ManifestRunner
from lvis_merge.training.runner.train import train

__all__ = [
    "AtomicCheckpointHook",
    "ManifestRunner",
    "ResumableIterLoop",
    "StoppableValLoop",
    "TrainingLogHook",
    "is_worker",
    "launch",
    "train",
    "use_safe_loaders",
]
