"""`lvis-merge train`: a recipe and a manifest make a detector."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvis_merge.cli.options import DATA, Gpus, ImageRoots, Master, NodeRank, Nodes
from lvis_merge.cli.outputs import answer
from lvis_merge.errors import InputError, UsageError

if TYPE_CHECKING:
    from mmengine.config import Config

    from lvis_merge.training.recipe.processes import Processes

_RUN, _LOOK = "Run", "Look, do not train"


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(metavar="RECIPE", help="A name that --list shows, or a file of your own."),
    ] = None,
    manifest: Annotated[
        Path | None,
        typer.Option("--manifest", metavar="DIR", rich_help_panel=DATA, help="What to train on."),
    ] = None,
    image_root: ImageRoots = None,
    gpus: Gpus = None,
    nodes: Nodes = None,
    node_rank: NodeRank = None,
    master: Master = None,
    resume: Annotated[
        bool,
        typer.Option("--resume", rich_help_panel=_RUN, help="Go on from the last checkpoint."),
    ] = False,
    init: Annotated[
        Path | None,
        typer.Option(
            metavar="CHECKPOINT",
            rich_help_panel=_RUN,
            help="Start from these weights; the class head starts anew.",
        ),
    ] = None,
    override: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            rich_help_panel=_RUN,
            help="Change one value of the recipe: optim_wrapper.optimizer.lr=0.01; repeatable."
            " +KEY=VALUE adds one.",
        ),
    ] = None,
    work_dir: Annotated[
        Path | None,
        typer.Option(
            "--work-dir",
            "--out",
            metavar="DIR",
            rich_help_panel=_RUN,
            help="Checkpoints and logs; default: runs/RECIPE.",
        ),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, rich_help_panel=_RUN, help="Default: the recipe's, 0.")
    ] = None,
    dry: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            rich_help_panel=_LOOK,
            help="Build model and data, print what the run would be. Needs no images, GPU or"
            " network.",
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json", rich_help_panel=_LOOK, help="With --dry-run or --list: print JSON only."
        ),
    ] = False,
    listed: Annotated[
        bool, typer.Option("--list", rich_help_panel=_LOOK, help="List the recipes.")
    ] = False,
) -> None:
    """Train a detector on a manifest, as a recipe says.

    Under torchrun, or srun with a task per GPU, each process runs this without --gpus and --nodes.
    Ctrl-C and SIGTERM save a checkpoint first; the same command with --resume goes on.

    Example: lvis-merge train mini --manifest manifests/demo --image-root
    manifests/demo_world/images --image-root manifests/demo_world/openimages_images
    """
    if listed:
        return _print_recipes(as_json)
    if recipe is None or manifest is None:
        raise UsageError("train: give a RECIPE and its --manifest DIR. --list shows the recipes.")
    if as_json and not dry:
        raise UsageError("--json goes with --dry-run or --list.")
    import os

    from lvis_merge import manifest as manifests
    from lvis_merge.image_roots import image_roots
    from lvis_merge.training.recipe import find_recipe
    from lvis_merge.training.recipe.processes import Processes, processes, slurm_variables
    from lvis_merge.training.recipe.work_dir import check_work_dir

    # all that can be told before seconds go into loading torch
    roots = tuple(image_root or ())
    if dry:
        team = Processes(world_size=(gpus or 1) * (nodes or 1))
    else:
        if nodes is None and gpus is None:
            os.environ.update(slurm_variables(master, os.environ))
        team = processes(gpus, nodes, node_rank, master, os.environ)
    folder = work_dir or Path("runs") / find_recipe(recipe).stem
    manifests.open(manifest)
    image_roots(roots)
    if init is not None and not init.is_file():
        raise InputError(f"--init {init}: no such file. Give a checkpoint.")
    going_on = False if dry or not team.speaks else check_work_dir(folder, resume=resume)
    load_stack(quietly=not team.speaks)

    from lvis_merge.training.recipe import load_recipe, resolve

    config = resolve(
        load_recipe(recipe),
        manifest,
        roots,
        override or (),
        work_dir=folder,
        seed=seed,
        world_size=team.world_size,
        training=not dry,
        say=_warn if team.speaks else _say_nothing,
    )
    if dry:
        return _print_dry_run(config, as_json)
    if resume and not going_on and team.speaks:
        _say(f"--resume: {folder} has no checkpoint yet; starting fresh")
    if config.starts_from and init is None and not going_on and team.speaks:
        _warn(
            f"this recipe starts from a checkpoint of {config.starts_from}, and there is no --init:"
            " it starts from the backbone's weights alone"
        )
    _run(config, folder, team, resume=resume, going_on=going_on, init=init)


def _run(
    config: Config,
    folder: Path,
    team: Processes,
    *,
    resume: bool,
    going_on: bool,
    init: Path | None,
) -> None:
    """Trains in this process, or starts those that do and waits for them."""
    import os
    import sys

    from lvis_merge.training import runner
    from lvis_merge.training.recipe.build import check_builds
    from lvis_merge.training.recipe.images import check_images
    from lvis_merge.training.recipe.work_dir import note_run

    # once on each machine: their folders may differ
    if not team.started_by_us and os.environ.get("LOCAL_RANK", "0") == "0":
        check_images(config, _warn if team.speaks else _say_nothing)
        check_builds(config)
    if team.starts_others:
        _check_gpus(config.device, team.gpus)
    if team.speaks:
        note_run(folder, config, sys.argv[1:], resumed=going_on)
    if not team.starts_others:
        return runner.train(config, folder, resume, init)
    launch(team, "--resume carries on from the last checkpoint.")


def launch(team: Processes, carry_on: str) -> None:
    """Starts this command line once per process, and waits for them.

    Args:
        team: the processes.
        carry_on: what the user is told if one of them dies.

    Raises:
        typer.Exit: with the code that they ended with, if that is not 0.
    """
    import sys

    from lvis_merge.training import runner

    code = runner.launch(
        team.gpus,
        sys.argv[1:],
        nodes=team.nodes,
        node_rank=team.node_rank,
        master=team.master,
        carry_on=carry_on,
    )
    if code:
        raise typer.Exit(code)


def _check_gpus(device: str, wanted: int) -> None:
    import torch

    if device == "cuda" and wanted > torch.cuda.device_count():
        raise InputError(
            f"--gpus {wanted}: torch sees {torch.cuda.device_count()} here. Give fewer, and"
            " --set accumulate=K to keep the images of an optimizer step."
        )


def load_stack(*, quietly: bool) -> None:
    """Imports torch and mmdet, and tells how long that took.

    Args:
        quietly: tell nothing.
    """
    from rich.console import Console

    from lvis_merge.progress import Stages
    from lvis_merge.training.recipe.stack import import_stack

    stages = Stages(Console(stderr=True, quiet=quietly))
    with stages.shown(), stages.stage("loading torch and mmdet"):
        import_stack()


def _print_recipes(as_json: bool) -> None:
    import json

    from lvis_merge.training.recipe import list_recipes

    recipes = list_recipes()
    if as_json:
        plain = [{"name": r.name, "about": r.about, "path": str(r.path)} for r in recipes]
        print(json.dumps(plain, indent=2))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    for recipe in recipes:
        table.add_row(Text(recipe.name, style="bold"), Text(recipe.about))
    Console().print(table)
    if recipes:
        print(f"\nTo change one, copy its file from {recipes[0].path.parent} and give the copy's")
        print("path: bases that are not beside the copy are still found.")


def _print_dry_run(config: Config, as_json: bool) -> None:
    from dataclasses import asdict

    from lvis_merge.training.recipe.dry_run import dry_run
    from lvis_merge.training.recipe.show import print_dry_run

    answer(dry_run(config), asdict, print_dry_run, as_json=as_json)


def _say(text: str) -> None:
    typer.echo(text, err=True)


def _warn(text: str) -> None:
    _say(f"warning: {text}")


def _say_nothing(text: str) -> None:
    pass
