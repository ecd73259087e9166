"""What a run would be: everything is built, nothing is trained and nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from lvis_merge import manifest as manifests
from lvis_merge.manifest import Manifest
from lvis_merge.merge.rules import FREQUENCIES, IGNORE_REASONS
from lvis_merge.training.recipe.build import (
    build_dataset,
    build_model,
    build_optimizer,
    build_sampler,
    plan_rate,
)
from lvis_merge.training.recipe.load import RESOLVED_KEY
from lvis_merge.training.recipe.parameters import Parameters, count_parameters
from lvis_merge.training.recipe.rate import RatePlan
from lvis_merge.training.recipe.tree import walk

if TYPE_CHECKING:
    from mmengine.config import Config


@dataclass(frozen=True)
class SourceShare:
    """One source's part of the training data.

    Attributes:
        source: lvis, open_images, …
        images: images served.
        objects: objects on them.
        draws: mean number of draws an epoch, the sum of r(I).
    """

    source: str
    images: int
    objects: int
    draws: float


@dataclass(frozen=True)
class GroupCount:
    """Categories of one frequency group.

    Attributes:
        group: r, c or f, as LVIS publishes it; after the merge where it publishes none.
        categories: how many.
        tail: how many of them are tail categories of the equalization loss.
    """

    group: str
    categories: int
    tail: int


@dataclass(frozen=True)
class IgnoreRows:
    """Ignore regions of one reason on train images.

    Attributes:
        reason: coco_box, crowd, unmapped, group_of, depiction or inside.
        rows: how many the manifest has.
        acts: whether background proposals inside them are left out.
    """

    reason: str
    rows: int
    acts: bool


@dataclass(frozen=True)
class DryRun:
    """What a resolved config comes to.

    Attributes:
        recipe: its name.
        manifest: folder.
        label_space: lvis, coco or open_images: the manifest's.
        device: cuda or cpu.
        amp: mixed precision.
        sync_bn: normalisation over all GPUs.
        seed: of the run.
        published: figures of the recipe's source, or None.
        starts_from: the recipe whose checkpoint `--init` wants, or None.
        parameters: the model, then its parts.
        num_classes: C.
        groups: categories by frequency group.
        tail_from: `loss` where the recipe's loss has a tail, `manifest` where only the manifest
            tells, None where there is none.
        sources: the training data by source.
        images: training images served.
        val_images: images evaluated.
        expected_epoch_length: mean number of images of an epoch, the sum of r(I).
        ignore: ignore regions by reason.
        total_batch: images an optimizer step.
        batch_size: images in one batch of one process.
        world_size: processes.
        accumulate: batches an optimizer step.
        steps: optimizer steps.
        epochs: epochs that they are.
        rate: the learning-rate plan.
        config: the resolved config, as Python.
    """

    recipe: str
    manifest: str
    label_space: str
    device: str
    amp: bool
    sync_bn: bool
    seed: int
    published: dict[str, Any] | None
    starts_from: str | None
    parameters: tuple[Parameters, ...]
    num_classes: int
    groups: tuple[GroupCount, ...]
    tail_from: str | None
    sources: tuple[SourceShare, ...]
    images: int
    val_images: int
    expected_epoch_length: float
    ignore: tuple[IgnoreRows, ...]
    total_batch: int
    batch_size: int
    world_size: int
    accumulate: int
    steps: int
    epochs: float
    rate: RatePlan
    config: str


def dry_run(config: Config) -> DryRun:
    """Builds a run's model, data and schedule, and tells what they come to.

    Args:
        config: of `resolve`; the classes it names are registered.

    Returns:
        The figures and the config.

    Raises:
        InputError: something in it cannot be built.
    """
    tree = config.to_dict()
    model = build_model(config)
    dataset = build_dataset(tree["train_dataloader"], "train_dataloader")
    val = tree.get("val_dataloader")
    val_images = len(build_dataset(val, "val_dataloader")) if val else 0
    sampler = build_sampler(tree["train_dataloader"], dataset)
    draws = getattr(sampler, "repeat_factors", np.ones(len(dataset)))
    accumulate = tree.get("accumulate", 1)
    steps = tree["train_cfg"]["max_iters"] // accumulate
    rate = plan_rate(config, build_optimizer(config, model), steps)
    opened = manifests.open(tree["manifest"])
    tail, tail_from = _tail(model, opened)
    published = tree.get("published")
    return DryRun(
        recipe=tree[RESOLVED_KEY],
        manifest=tree["manifest"],
        label_space=opened.record.label_space,
        device=tree["device"],
        amp=tree["amp"],
        sync_bn=tree["sync_bn"],
        seed=tree["seed"],
        published=None if published is None else dict(published),
        starts_from=tree.get("starts_from"),
        parameters=count_parameters(model),
        num_classes=tree["num_classes"],
        groups=_groups(opened, tail),
        tail_from=tail_from,
        sources=_sources(dataset, draws),
        images=len(dataset),
        val_images=val_images,
        expected_epoch_length=float(draws.sum()),
        ignore=_ignore_rows(opened, tree),
        total_batch=tree["total_batch"],
        batch_size=tree["train_dataloader"]["batch_size"],
        world_size=tree["world_size"],
        accumulate=accumulate,
        steps=steps,
        epochs=steps * tree["total_batch"] / float(draws.sum()),
        rate=rate,
        config=config.pretty_text,
    )


def _tail(model: Any, opened: Manifest) -> tuple[NDArray[np.bool_], str | None]:
    """bool [C] of the loss, else of the manifest, else none; and which."""
    for module in model.modules():
        tail = getattr(module, "is_tail", None)
        if tail is not None:
            return tail.cpu().numpy().astype(bool), "loss"
    column = opened.arrow("categories", ["is_tail"])["is_tail"]
    known = column.null_count == 0
    tail = pc.fill_null(column, False).to_numpy().astype(bool)
    return tail, "manifest" if known else None


def _groups(opened: Manifest, tail: NDArray[np.bool_]) -> tuple[GroupCount, ...]:
    columns = opened.arrow("categories", ["frequency", "frequency_merged"])
    published = columns["frequency"].null_count < columns.num_rows
    names = np.array(columns["frequency" if published else "frequency_merged"].to_pylist())
    return tuple(
        GroupCount(group, int((names == group).sum()), int((tail & (names == group)).sum()))
        for group in FREQUENCIES
    )


def _sources(dataset: Any, draws: NDArray[np.float64]) -> tuple[SourceShare, ...]:
    names, place = np.unique(np.asarray(dataset.image_source), return_inverse=True)
    images = np.bincount(place, minlength=len(names))
    objects = np.bincount(place[dataset.object_image], minlength=len(names))
    shares = np.bincount(place, weights=draws, minlength=len(names))
    return tuple(
        SourceShare(str(name), int(images[at]), int(objects[at]), float(shares[at]))
        for at, name in enumerate(names)
    )


def _ignore_rows(opened: Manifest, tree: dict[str, Any]) -> tuple[IgnoreRows, ...]:
    data = tree["train_dataloader"]["dataset"]
    rows = opened.arrow("annotations", ["image_id", "ignore_reason", "matched_annotation_id"])
    images = opened.arrow("images", ["image_id", "split"])
    train = images["image_id"].filter(pc.equal(images["split"], "train"))
    rows = rows.filter(pc.is_in(rows["image_id"], value_set=train))
    if data.get("coco_boxes") == "unmatched":
        matched = pc.is_valid(rows["matched_annotation_id"])
        rows = rows.filter(pc.invert(matched))
    acting = data.get("ignore_reasons")
    used = IGNORE_REASONS if acting is None else tuple(acting)
    assigned = any(_leaves_regions_out(node) for _, node in walk(tree["model"]))
    counts = {entry["values"]: entry["counts"] for entry in _counted(rows["ignore_reason"])}
    return tuple(
        IgnoreRows(reason, counts[reason], assigned and reason in used)
        for reason in IGNORE_REASONS
        if reason in counts
    )


def _counted(column: Any) -> Sequence[dict[str, Any]]:
    counted: Sequence[dict[str, Any]] = pc.value_counts(column.drop_null()).to_pylist()
    return counted


def _leaves_regions_out(node: Any) -> bool:
    return (
        isinstance(node, dict)
        and node.get("type") == "BackgroundIgnoreAssigner"
        and node.get("ignore_iof_thr", 0.5) >= 0
    )
