"""The trained detector: built from its recipe, its weights from a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lvis_merge import manifest as manifests
from lvis_merge.errors import InputError
from lvis_merge.training.recipe.build import build_model
from lvis_merge.training.runner.checkpoint_file import load, weights
from lvis_merge.training.runner.identity import RunIdentity

_SHOWN = 5


@dataclass(frozen=True)
class LabelSpace:
    """What the labels of a detector mean.

    Attributes:
        manifest: the folder that says so.
        name: lvis, coco or open_images.
        category_ids: ids by label [C].
        classes: names by label [C].
    """

    manifest: Path
    name: str
    category_ids: tuple[int, ...]
    classes: tuple[str, ...]


def label_space(manifest: Path) -> LabelSpace:
    """The label space of a manifest; labels are in the order of category ids."""
    opened = manifests.open(manifest)
    table = opened.arrow("categories", ["category_id", "name"]).sort_by("category_id")
    ids, names = (table[name].to_pylist() for name in ("category_id", "name"))
    return LabelSpace(manifest, opened.record.label_space, tuple(ids), tuple(names))


def trained_model(config: Any, checkpoint: Path, labels: LabelSpace) -> Any:
    """Builds the model of a recipe and gives it a checkpoint's weights, every one of them.

    Args:
        config: of `resolve`.
        checkpoint: a file of `lvis-merge train` or mmdet's tools, or weights alone.
        labels: what the recipe's labels mean.

    Returns:
        The mmdet detector, on the CPU.

    Raises:
        InputError: no checkpoint, one of another detector, or one that records other labels.
    """
    content = load(checkpoint)
    state = weights(content, str(checkpoint))
    saved = RunIdentity.from_meta(content.get("meta"))
    if saved is not None:
        _check_labels(saved, labels, checkpoint)
    model = build_model(config)
    own = model.state_dict()
    # batches are counted since torch 0.4.1, and only a momentum of None reads the count
    missing = [n for n in own if n not in state and not n.endswith("num_batches_tracked")]
    reshaped = [
        f"{name} {list(value.shape)}, the model's is {list(own[name].shape)}"
        for name, value in state.items()
        if name in own and own[name].shape != value.shape
    ]
    faults = {
        "are missing": missing,
        "are not in the model": [name for name in state if name not in own],
        "have another shape": reshaped,
    }
    for what, names in faults.items():
        if names:
            more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
            raise InputError(
                f"{checkpoint}: is of another detector than the recipe: weights {what}:"
                f" {'; '.join(names[:_SHOWN])}{more}. Give the recipe, the --manifest and the --set"
                " that it was trained with."
            )
    model.load_state_dict(state, strict=False)
    return model


def _check_labels(saved: RunIdentity, labels: LabelSpace, checkpoint: Path) -> None:
    here = (labels.name, labels.category_ids, labels.classes)
    if (saved.label_space, saved.category_ids, saved.classes) != here:
        raise InputError(
            f"{checkpoint}: was trained on other labels ({saved.label_space},"
            f" {len(saved.category_ids)} categories) than {labels.manifest} has ({labels.name},"
            f" {len(labels.category_ids)}). Give --manifest the manifest it was trained on; with"
            " --images it is tested on another one's images."
        )
