"""Options that mean the same in several commands, and the panels of their help."""

from __future__ import annotations

from contextlib import AbstractContextManager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from lvis_merge.errors import UsageError

DATA, PROCESSES, OUTPUT, ENGINE = "Data", "Processes", "Output", "Engine"


class Split(StrEnum):
    """Whose images."""

    train = "train"
    val = "val"
    test = "test"


class EngineName(StrEnum):
    """Where plans run."""

    native = "native"
    ray = "ray"


SPLITS = tuple(split.value for split in Split)

ManifestFolder = Annotated[Path, typer.Argument(metavar="DIR", help="A manifest.")]

ImageRoots = Annotated[
    list[str] | None,
    typer.Option(
        "--image-root",
        metavar="[SOURCE=]DIR",
        rich_help_panel=DATA,
        help="Where images are; repeatable, tried in turn.",
    ),
]

Gpus = Annotated[
    int | None,
    typer.Option(
        "--gpus",
        min=1,
        rich_help_panel=PROCESSES,
        help="GPUs of this machine to use; default: 1.",
    ),
]
Nodes = Annotated[
    int | None,
    typer.Option(
        "--nodes", min=1, rich_help_panel=PROCESSES, help="Machines; run this on each of them."
    ),
]
NodeRank = Annotated[
    int | None,
    typer.Option(
        "--node-rank", min=0, rich_help_panel=PROCESSES, help="Which of them this is, from 0."
    ),
]
Master = Annotated[
    str | None,
    typer.Option(
        "--master",
        metavar="HOST:PORT",
        rich_help_panel=PROCESSES,
        help="Where machine 0 can be reached.",
    ),
]

Engine = Annotated[
    EngineName,
    typer.Option(
        "--engine",
        rich_help_panel=ENGINE,
        help="Threads of this machine, or a Ray cluster; the result is the same.",
    ),
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray-address",
        metavar="HOST:PORT|auto",
        rich_help_panel=ENGINE,
        help="A running Ray cluster; default: RAY_ADDRESS, else a Ray of this command alone.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(min=1, max=1024, rich_help_panel=ENGINE, help="Threads; default: one per core."),
]

Lenient = Annotated[
    bool, typer.Option("--lenient", help="Drop and count bad entries; do not stop at them.")
]

_JSON = "Print JSON, and nothing else, on stdout."
Json = Annotated[bool, typer.Option("--json", help=_JSON)]
JsonOutput = Annotated[bool, typer.Option("--json", rich_help_panel=OUTPUT, help=_JSON)]
"""As `Json`, in the panel of the other options about output."""


def chosen_engine(
    engine: EngineName, ray_address: str | None, threads: int | None = None
) -> AbstractContextManager[None]:
    """Where the plans of a command run.

    Raises:
        UsageError: `--ray-address` without `--engine ray`.
        InputError: Ray is not installed, or there is no cluster at the address.
    """
    from lvis_merge.sources.plan import engine as running_on

    if ray_address is not None and engine is not EngineName.ray:
        raise UsageError(f"--ray-address {ray_address} needs --engine ray; give that too.")
    return running_on(engine.value, ray_address, threads)
