"""A recipe and a manifest make the config of one run."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvis_merge.errors import InputError
from lvis_merge.image_roots import ImageRoot
from lvis_merge.image_roots import image_roots as read_roots
from lvis_merge.training.recipe.batch import batch_size, in_batches
from lvis_merge.training.recipe.facts import ManifestFacts, manifest_facts
from lvis_merge.training.recipe.load import RESOLVED_KEY
from lvis_merge.training.recipe.machine import Say, choose_device, fit_workers, for_device
from lvis_merge.training.recipe.override import apply_overrides, read_override
from lvis_merge.training.recipe.tree import dotted, mapped, walk

if TYPE_CHECKING:
    from mmengine.config import Config

_NEEDED = (
    "model", "train_dataloader", "optim_wrapper", "param_scheduler", "train_cfg", "label_space",
    "total_batch", "device",
)  # fmt: skip
_BY_SOURCE = ("rfs_counts", "source_weight")
_MASK_AP, _BOX_AP = "lvis/segm_AP", "lvis/bbox_AP"


def _to_stderr(text: str) -> None:
    print(f"note: {text}", file=sys.stderr)


def resolve(
    config: Config,
    manifest: str | Path,
    image_roots: Sequence[str] = (),
    overrides: Sequence[str] = (),
    *,
    work_dir: str | Path = "runs",
    seed: int | None = None,
    world_size: int = 1,
    training: bool = True,
    say: Say = _to_stderr,
) -> Config:
    """Puts a manifest, a machine and the user's changes into a recipe.

    Args:
        config: of `load_recipe`.
        manifest: folder of the manifest.
        image_roots: `[SOURCE=]DIR` values; may be empty for a dry run.
        overrides: `key=value` texts, in order.
        work_dir: where checkpoints and logs go.
        seed: of the run; None: the recipe's.
        world_size: processes, one per GPU.
        training: False for a dry run, which needs neither images nor a GPU, and takes a manifest
            of another label space with a warning.
        say: told each warning, a line each.

    Returns:
        A new config that trains as it is: placeholders filled, `train_dataloader.batch_size` from
        `total_batch`, steps in batches, `device` `cuda` or `cpu`, absolute paths. Besides the
        recipe's variables it has `recipe` (its name), `manifest`, `image_roots`,
        `num_classes`, `work_dir`, `world_size`.

    Raises:
        InputError: the manifest cannot be used or has another label space, a `--set` is broken or
            names no key, the batch cannot be shared, or a GPU is needed and not there.
        UsageError: an image root is no folder.
    """
    from mmengine.config import Config

    recipe = Path(config.filename).stem if config.filename else "recipe"
    tree = apply_overrides(config.to_dict(), map(read_override, overrides))
    if missing := [name for name in _NEEDED if tree.get(name) is None]:
        raise InputError(
            f"{config.filename}: sets no {', '.join(missing)}. Base it on _base_/runtime.py, a"
            " schedule, data and a model, as the other recipes do."
        )
    facts = manifest_facts(manifest)
    if (message := _wrong_space(tree["label_space"], facts, recipe)) and training:
        raise InputError(message)
    if message:
        say(f"{message} Training would stop here.")
        tree = _of_any_source(tree)
    tree["seed"] = tree.get("seed", 0) if seed is None else seed
    run = {
        "manifest": str(facts.path),
        "image_roots": [_absolute(root) for root in read_roots(image_roots)],
        "num_classes": facts.num_classes,
        "work_dir": str(Path(work_dir).resolve()),
        "seed": tree["seed"],
    }
    tree = _filled(tree, run)
    _check_num_classes(tree["model"], facts)
    tree = _evaluation(tree, facts, say)
    tree = for_device(tree, _device(tree["device"], training), say)
    tree = {**_batches(tree, world_size), **run, RESOLVED_KEY: recipe, "world_size": world_size}
    return Config(tree, cfg_text=config.text, filename=config.filename)


def _absolute(root: ImageRoot) -> str:
    """A root as a `[SOURCE=]DIR` value that means the same in any working directory."""
    folder = str(root.folder.resolve())
    return f"{root.source}={folder}" if root.source else folder


def _wrong_space(wanted: str, facts: ManifestFacts, recipe: str) -> str:
    if wanted == facts.label_space:
        return ""
    return (
        f"{facts.path}: is of label space {facts.label_space}, and the recipe {recipe} is for"
        f" {wanted}. Take a recipe for {facts.label_space}, or build with --label-space {wanted}."
    )


def _of_any_source(tree: dict[str, Any]) -> dict[str, Any]:
    """A recipe for a dry run on a manifest of another label space, which has other sources."""
    loader = tree["train_dataloader"]
    data = {key: value for key, value in loader["dataset"].items() if key != "sources"}
    sampler = {key: value for key, value in loader["sampler"].items() if key not in _BY_SOURCE}
    return {**tree, "train_dataloader": {**loader, "dataset": data, "sampler": sampler}}


def _filled(tree: dict[str, Any], run: dict[str, Any]) -> dict[str, Any]:
    """The recipe with each `<name>` replaced by what the run has under that name."""

    def fill(node: Any) -> Any:
        placeholder = isinstance(node, str) and node[:1] == "<" and node[-1:] == ">"
        return run.get(node[1:-1], node) if placeholder else node

    filled: dict[str, Any] = mapped(tree, fill)
    return filled


def _check_num_classes(model: dict[str, Any], facts: ManifestFacts) -> None:
    for path, value in walk(model.get("roi_head")):
        wrong = isinstance(value, int) and value != facts.num_classes
        if path and path[-1] == "num_classes" and wrong:
            raise InputError(
                f"model.roi_head.{dotted(path)} is {value}, and the manifest has"
                f" {facts.num_classes} categories. Write num_classes='<num_classes>'."
            )


def _evaluation(tree: dict[str, Any], facts: ManifestFacts, say: Say) -> dict[str, Any]:
    """A recipe that evaluates what the manifest has: nothing, boxes, or boxes and masks."""
    names = ("val_dataloader", "val_cfg", "val_evaluator")
    if tree.get("val_dataloader") is None or not facts.val_images:
        if tree.get("val_dataloader") is not None:
            say("the manifest has no val split: no evaluation, and no best checkpoint")
        tree = mapped(tree, _without_best)
        return {**tree, **dict.fromkeys(names)}
    has_mask_head = tree["model"].get("roi_head", {}).get("mask_head") is not None
    if has_mask_head and not facts.has_masks:
        say("the manifest has no masks: the mask head learns nothing, only boxes are evaluated")
    if has_mask_head and facts.has_masks:
        return tree
    return {**mapped(tree, _best_by_boxes), "val_evaluator": _boxes_only(tree["val_evaluator"])}


def _without_best(node: Any) -> Any:
    return {**node, "save_best": None} if isinstance(node, dict) and "save_best" in node else node


def _best_by_boxes(node: Any) -> Any:
    by_masks = isinstance(node, dict) and node.get("save_best") == _MASK_AP
    return {**node, "save_best": _BOX_AP} if by_masks else node


def _boxes_only(evaluator: Any) -> Any:
    def change(node: Any) -> Any:
        ours = isinstance(node, dict) and node.get("type") == "LVISFederatedMetric"
        return {**node, "metric": ("bbox",)} if ours else node

    return mapped(evaluator, change)


def _device(wanted: str, training: bool) -> str:
    import torch

    return choose_device(wanted, training=training, gpus=torch.cuda.device_count())


def _batches(tree: dict[str, Any], world_size: int) -> dict[str, Any]:
    accumulate = tree.get("accumulate", 1)
    share = batch_size(tree["total_batch"], world_size, accumulate)
    loader = fit_workers({**tree["train_dataloader"], "batch_size": share})
    tree = {**in_batches(tree, accumulate), "train_dataloader": loader}
    if tree.get("val_dataloader"):
        tree["val_dataloader"] = fit_workers(tree["val_dataloader"])
    return tree
