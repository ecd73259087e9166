"""Options that mean the same in several commands, and the panels of their help."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

DATA, PROCESSES, OUTPUT = "Data", "Processes", "Output"


class Split(StrEnum):
    """Whose images."""

    train = "train"
    val = "val"
    test = "test"


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

Lenient = Annotated[
    bool, typer.Option("--lenient", help="Drop and count bad entries; do not stop at them.")
]

_JSON = "Print JSON, and nothing else, on stdout."
Json = Annotated[bool, typer.Option("--json", help=_JSON)]
JsonOutput = Annotated[bool, typer.Option("--json", rich_help_panel=OUTPUT, help=_JSON)]
"""As `Json`, in the panel of the other options about output."""
