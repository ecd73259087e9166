"""A model, data and a metric so small that a run takes a moment; registered on import."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import DATA_SAMPLERS, DATASETS, HOOKS, METRICS, MODELS
from torch import nn
from torch.utils.data import Dataset, Sampler

from lvis_merge.errors import InputError, LvisMergeError
from lvis_merge.training.runner import train

FEATURES, CLASSES, IMAGES = 6, 3, 40


class ToyDraw(NamedTuple):
    index: int
    position: int


class ToySample:
    def __init__(self, label: int, draw: ToyDraw) -> None:
        self.label = label
        self.metainfo = {
            "img_id": 1000 + draw.index,
            "img_path": f"images/{draw.index}.jpg",
            "position": draw.position,
        }


@DATASETS.register_module()
class ToyDataset(Dataset):
    """Samples depend on the index and, as an augmentation would, on the position."""

    metainfo: ClassVar[dict[str, Any]] = {"classes": ("a", "b", "c")}
    category_ids = np.array([3, 5, 9])

    def __init__(self, nan_at: int | None = None, missing: int | None = None, trace: str = ""):
        self.nan_at, self.missing, self.trace = nan_at, missing, trace

    def __len__(self) -> int:
        return IMAGES

    def __getitem__(self, item: Any) -> dict[str, Any]:
        draw = item if isinstance(item, ToyDraw) else ToyDraw(item, -1)
        if draw.position == self.missing:
            raise InputError(f"images/{draw.index}.jpg: image {draw.index} is not there.")
        label = draw.index % CLASSES
        generator = np.random.default_rng([draw.index, draw.position + 1])
        values = generator.normal(label, 1.0, FEATURES).astype("float32")
        if draw.position == self.nan_at:
            values[0] = np.nan
        if self.trace:
            with Path(self.trace).open("a") as file:
                file.write(f"{draw.position}\n")
        return {"inputs": torch.from_numpy(values), "data_samples": ToySample(label, draw)}


@DATA_SAMPLERS.register_module()
class ToySampler(Sampler):
    """An endless chain; rank r of W draws positions r, r + W, …"""

    def __init__(self, dataset: Any, seed: int | None = None) -> None:
        self.seed, self.start = seed, 0

    def skip_to(self, position: int) -> None:
        self.start = position

    def __iter__(self) -> Any:
        rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        position = self.start + rank
        while True:
            index = int(np.random.default_rng([self.seed, position]).integers(IMAGES))
            yield ToyDraw(index, position)
            position += world

    def __len__(self) -> int:
        return IMAGES


@MODELS.register_module()
class ToyModel(BaseModel):
    """Linear, BN, dropout, linear; its loss also draws from numpy and random."""

    def __init__(self, width: int = 8) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Linear(FEATURES, width), nn.BatchNorm1d(width), nn.Dropout())
        self.fc_cls = nn.Linear(width, CLASSES)

    def forward(self, inputs: Any, data_samples: Any, mode: str = "tensor") -> Any:
        scores = self.fc_cls(self.body(torch.stack(list(inputs))))
        if mode == "predict":
            return [{"score": row.max()} for row in scores]
        labels = torch.tensor([sample.label for sample in data_samples])
        loss = nn.functional.cross_entropy(scores, labels)
        jitter = 1 + 0.1 * np.random.rand() + 0.1 * random.random()
        return {"loss_cls": loss * jitter, "acc": (scores.argmax(1) == labels).float()}


@METRICS.register_module()
class ToyMetric(BaseMetric):
    """The mean top score, under the name of a box AP."""

    default_prefix = "lvis"

    def __init__(self, fixed: list[float] | None = None, pause: float = 0.0) -> None:
        super().__init__()
        self.fixed, self.pause = fixed, pause

    def process(self, data_batch: Any, data_samples: Any) -> None:
        time.sleep(self.pause)
        self.results += [float(sample["score"]) for sample in data_samples]

    def compute_metrics(self, results: list[float]) -> dict[str, float]:
        return {"bbox_AP": self.fixed.pop(0) if self.fixed else sum(results) / len(results)}


@HOOKS.register_module()
class SignalHook(Hook):
    """Sends signals to this process, or to the one that started it."""

    def __init__(
        self, number: int, after: int = -1, times: int = 1, parent: bool = False, val: bool = False
    ) -> None:
        self.number, self.after, self.times, self.parent = number, after, times, parent
        self.val = val

    def after_train_iter(self, runner: Any, batch_idx: int, **kwargs: Any) -> None:
        first = runner.control.ranks.is_first or self.number == signal.SIGKILL
        if batch_idx == self.after and not self.val and first:
            self._send()

    def after_val_iter(self, runner: Any, batch_idx: int, **kwargs: Any) -> None:
        if self.val and runner.iter == self.after and batch_idx == 1:
            self._send()

    def _send(self) -> None:
        for place in range(self.times):
            if place:
                time.sleep(1.2)
            os.kill(_launcher() if self.parent else os.getpid(), self.number)
        time.sleep(0.2)  # the thread that reads signals gets its turn


def _launcher() -> int:
    """The process that `launched` named, which must be the one that started this one."""
    launcher = int(os.environ["TOY_LAUNCHER"])
    if os.getppid() != launcher:
        raise RuntimeError("started by another process")
    return launcher


@HOOKS.register_module()
class ToWorkersHook(Hook):
    """SIGTERM to the loader's workers and this process, from a process that is none of them."""

    def __init__(self, after: int) -> None:
        self.after = after

    def after_train_iter(self, runner: Any, batch_idx: int, **kwargs: Any) -> None:
        if batch_idx != self.after:
            return
        workers = [child.pid for child in multiprocessing.active_children()]
        assert workers
        code = "import os, sys; [os.kill(int(process), 15) for process in sys.argv[1:]]"
        processes = [str(process) for process in (*workers, os.getpid())]
        subprocess.run([sys.executable, "-c", code, *processes], check=True)
        time.sleep(0.5)


@HOOKS.register_module()
class DumpHook(Hook):
    """Writes each rank's weights at the end."""

    def after_train(self, runner: Any) -> None:
        model = getattr(runner.model, "module", runner.model)
        path = Path(runner.work_dir) / f"rank_{runner.control.ranks.rank}.pt"
        torch.save(dict(model.named_parameters()), path)


def toy_config(**changes: Any) -> Config:
    """A resolved recipe for `train`; dotted names (`train_cfg__max_iters`) change single values."""
    config = Config(
        {
            "default_scope": "mmengine",
            "recipe": "toy",
            "label_space": "lvis",
            "device": "cpu",
            "seed": 7,
            "model": {"type": "ToyModel", "width": 8},
            "train_dataloader": {
                "batch_size": 4,
                "num_workers": 0,
                "sampler": {"type": "ToySampler"},
                "dataset": {"type": "ToyDataset"},
            },
            "val_dataloader": None,
            "val_evaluator": None,
            "val_cfg": None,
            "optim_wrapper": {
                "type": "OptimWrapper",
                "optimizer": {"type": "SGD", "lr": 0.05, "momentum": 0.9, "weight_decay": 1e-4},
                "clip_grad": {"max_norm": 5.0},
            },
            "param_scheduler": [
                {"type": "LinearLR", "start_factor": 0.1, "by_epoch": False, "begin": 0, "end": 10},
                {"type": "MultiStepLR", "by_epoch": False, "milestones": [16], "gamma": 0.1},
            ],
            "train_cfg": {"type": "ResumableIterLoop", "max_iters": 20, "val_interval": 1000},
            "default_hooks": {
                "param_scheduler": {"type": "ParamSchedulerHook"},
                "logger": {"type": "TrainingLogHook", "interval": 5},
                "checkpoint": {"type": "AtomicCheckpointHook", "interval": 4, "keep_last": 2},
                "runtime_info": None,
                "timer": None,
                "sampler_seed": None,
            },
            "custom_hooks": [],
            "env_cfg": {"mp_cfg": {"mp_start_method": "fork", "opencv_num_threads": 0}},
            "visualizer": {"type": "Visualizer", "vis_backends": []},
            "log_processor": {"by_epoch": False},
        }
    )
    if changes.pop("evaluated", False):
        config.val_dataloader = {
            "batch_size": 5,
            "num_workers": 0,
            "sampler": {"type": "DefaultSampler", "shuffle": False},
            "dataset": {"type": "ToyDataset"},
        }
        config.val_evaluator = {"type": "ToyMetric"}
        config.val_cfg = {"type": "StoppableValLoop"}
        config.train_cfg.val_interval = 6
    config.merge_from_dict({name.replace("__", "."): value for name, value in changes.items()})
    return config


def run(config: Config, work_dir: str, resume: bool = False, init: str | None = None) -> int:
    """Trains, and gives the exit code and the messages that the command line would."""
    torch.set_num_threads(1)
    try:
        train(config, Path(work_dir), resume, Path(init) if init else None)
    except SystemExit as stop:
        return int(stop.code or 0)
    except LvisMergeError as error:
        print(f"lvis-merge: {error}", file=sys.stderr)
        return error.exit_code
    return 0
