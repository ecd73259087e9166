"""What the processes of these tests do: the command line, or one rank of a run."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS

from lvis_merge import cli


def command(cache: str, *arguments: str) -> int:
    """`lvis-merge ARGUMENTS` on one thread; its exit code."""
    torch.set_num_threads(1)
    os.environ["LVIS_MERGE_CACHE"] = cache
    sys.argv = ["lvis-merge", *arguments]
    return cli.run()


@HOOKS.register_module()
class RankRecorder(Hook):
    """Writes what this rank sampled in each iteration, and the parameters it ends with."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)
        self.sampled: list[int] = []

    def after_train_iter(self, runner: Any, batch_idx: int, outputs: Any = None, **_: Any) -> None:
        self.sampled.append(int(outputs["num_pos"] + outputs["num_neg"]))

    def after_train(self, runner: Any) -> None:
        parameters = dict(runner.model.module.named_parameters())
        record = {"sampled": self.sampled, "parameters": parameters}
        torch.save(record, self.folder / f"rank_{runner.control.ranks.rank}.pt")


def rank(rank: int, port: int, cache: str, manifest: str, root: str, work_dir: str) -> int:
    """One of two ranks on CPUs, as torchrun would start it: `mini`, an image a rank, in order."""
    from lvis_merge.training import register_all
    from lvis_merge.training.recipe.load import load_recipe
    from lvis_merge.training.recipe.resolve import resolve
    from lvis_merge.training.runner import train

    torch.set_num_threads(1)
    os.environ |= {
        "LVIS_MERGE_CACHE": cache, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
        "RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2",
    }  # fmt: skip
    changes = [
        "device=cpu",
        "total_batch=2",
        "train_cfg.max_iters=6",
        "val_dataloader=None",
        "train_dataloader.dataset.keep_empty=True",
        "train_dataloader.sampler.shuffle=False",
        "train_dataloader.sampler.repeat_threshold=0.0",
        f"custom_hooks=[{{'type': 'RankRecorder', 'folder': {work_dir!r}}}]",
    ]
    register_all()
    config = resolve(load_recipe("mini"), manifest, [root], changes, world_size=2)
    train(config, Path(work_dir))
    return 0
