"""Builds what a resolved config names, without images, network, pretrained files or a GPU."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Any

from mmengine.config import ConfigDict

from lvis_merge.errors import InputError, LvisMergeError
from lvis_merge.training.recipe.load import plain
from lvis_merge.training.recipe.rate import RatePlan, rate_plan
from lvis_merge.training.recipe.tree import mapped

if TYPE_CHECKING:
    from mmengine.config import Config
    from torch import nn


def build_model(config: Config) -> nn.Module:
    """The detector, on the CPU, with the weights that its layers start with.

    `init_cfg` of type Pretrained is left out: no checkpoint is downloaded or read.

    Raises:
        InputError: the recipe's model cannot be built.
    """
    from mmdet.registry import MODELS

    # heads read their settings as attributes
    model = ConfigDict(mapped(config.to_dict()["model"], _without_pretrained))
    return _built("model", lambda: MODELS.build(model))


def build_dataset(loader: dict[str, Any], name: str) -> Any:
    """The data set of a data loader with its transforms; the manifest is opened, no image is.

    Args:
        loader: `train_dataloader` or `val_dataloader`.
        name: which of them, for messages.

    Raises:
        InputError: it cannot be built.
    """
    from mmdet.registry import DATASETS

    return _built(f"{name}.dataset", lambda: DATASETS.build(ConfigDict(loader["dataset"])))


def build_sampler(loader: dict[str, Any], dataset: Any) -> Any:
    """The sampler of the training data.

    Raises:
        InputError: it cannot be built.
    """
    from mmdet.registry import DATA_SAMPLERS

    default = {"dataset": dataset}
    settings = ConfigDict(loader["sampler"])
    return _built(
        "train_dataloader.sampler", lambda: DATA_SAMPLERS.build(settings, default_args=default)
    )


def build_optimizer(config: Config, model: nn.Module) -> float:
    """Builds the optimizer, which proves its arguments.

    Returns:
        Its learning rate before any scheduler.

    Raises:
        InputError: it cannot be built.
    """
    from mmengine.optim import build_optim_wrapper

    # mixed precision asks for a GPU when it is built
    wrapper = {
        key: value
        for key, value in config.to_dict()["optim_wrapper"].items()
        if key in ("optimizer", "constructor", "paramwise_cfg", "clip_grad")
    }
    built = _built("optim_wrapper", lambda: build_optim_wrapper(model, wrapper))
    return float(built.optimizer.defaults["lr"])


def plan_rate(config: Config, base: float, steps: int) -> RatePlan:
    """Builds the schedulers and steps through them.

    Args:
        config: of `resolve`.
        base: learning rate of the optimizer.
        steps: optimizer steps of the run.

    Raises:
        InputError: a scheduler cannot be built.
    """
    tree = config.to_dict()
    accumulate = tree["optim_wrapper"]["accumulative_counts"]
    return _built(
        "param_scheduler", lambda: rate_plan(base, tree["param_scheduler"], steps, accumulate)
    )


def check_builds(config: Config) -> None:
    """Builds model, sampler, optimizer and schedulers and throws them away.

    A wrong name or argument in a recipe is then one message, not one from each process of a run.

    Raises:
        InputError: one of them cannot be built.
    """
    loader = config.to_dict()["train_dataloader"]
    build_sampler(loader, build_dataset(loader, "train_dataloader"))
    plan_rate(config, build_optimizer(config, build_model(config)), steps=1)


def _without_pretrained(node: Any) -> Any:
    if isinstance(node, dict) and isinstance(init := node.get("init_cfg"), dict):
        return {**node, "init_cfg": None} if init.get("type") == "Pretrained" else node
    return node


def _built(what: str, build: Callable[[], Any]) -> Any:
    """Runs `build`; whatever a wrong name or argument in a recipe raises becomes one message."""
    with _stdout_to_stderr():
        try:
            return build()
        except LvisMergeError:
            raise
        except Exception as error:
            raise InputError(
                f"{what} cannot be built: {plain(error)}. Correct the recipe or the --set."
            ) from error


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    # mmengine and mmdet print notices while they build
    with redirect_stdout(sys.stderr):
        yield
