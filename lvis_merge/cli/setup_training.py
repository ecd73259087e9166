"""`lvis-merge setup-training`: installs what `train` and `test` need into this Python."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer


class Ops(StrEnum):
    """What mmcv's operators are compiled for."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


def setup_training(
    ops: Annotated[
        Ops,
        typer.Option(help="Compile mmcv's operators for this; auto: CUDA where torch sees a GPU."),
    ] = Ops.AUTO,
) -> None:
    """Install torch and mmdet into this Python, with mmcv's operators compiled.

    A torch that is there already is kept. The compiled wheel is kept too, in the user's cache
    (or LVIS_MERGE_CACHE), so a second environment takes seconds.

    Example: lvis-merge setup-training
    """
    from rich.console import Console

    from lvis_merge.progress import Stages
    from lvis_merge.training.stack import install

    stages = Stages(Console(stderr=True))
    with stages.shown(), stages.stage("setting up the training stack"):
        install(ops.value, lambda text: stages.say(f"setup-training: {text}"))
