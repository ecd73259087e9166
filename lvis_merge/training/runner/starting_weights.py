"""`--init`: a second stage starts from another run's weights, its class head anew."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from lvis_merge.errors import InputError
from lvis_merge.training.runner.checkpoint_file import weights
from lvis_merge.training.runner.identity import RunIdentity

_SHOWN = 5
_CLASSIFIER = re.compile(r"(?:^|\.)fc_cls\.")
_REGRESSION = re.compile(r"(?:^|\.)fc_reg\.")
_MASK = re.compile(r"(?:^|\.)conv_logits\.")


@dataclass(frozen=True)
class StartingWeights:
    """What a model takes from a checkpoint.

    Attributes:
        taken: names of the weights taken.
        fresh: names of the class head's weights that stay as initialised.
        same_labels: whether the checkpoint's labels are this run's, so that its head was kept.
    """

    taken: Sequence[str]
    fresh: Sequence[str]
    same_labels: bool

    def told(self, where: str) -> str:
        """What was done, for the user."""
        if not self.fresh:
            kept = "; the class head is kept: its labels are this run's" if self.same_labels else ""
            return f"starting weights: all {len(self.taken)} of {where}{kept}"
        heads = sorted({name.rpartition(".")[0] for name in self.fresh})
        why = "its shape differs" if self.same_labels else "labels differ"
        return (
            f"starting weights: {len(self.taken)} of {where}; the class head starts anew ({why}):"
            f" {', '.join(heads)}"
        )


def start_from(model: Any, checkpoint: Any, where: str, now: RunIdentity) -> StartingWeights:
    """Loads another run's weights into a freshly initialised model.

    The class head (`fc_cls`; `fc_reg` and the mask head's `conv_logits` where they are per class)
    keeps its initial values, also when the shapes agree: equally many classes may be others. It
    is loaded like the rest only when the checkpoint records the very labels of this run. A class-
    agnostic `fc_reg` or `conv_logits` is loaded.

    Args:
        model: an mmdet detector, initialised.
        checkpoint: what a checkpoint file held.
        where: what messages call the file.
        now: the run about to start.

    Raises:
        InputError: a weight outside the class head is missing, too many, or of another shape.
    """
    state = weights(checkpoint, where)
    saved = RunIdentity.from_meta(checkpoint.get("meta"))
    same_labels = saved is not None and bool(now.category_ids) and saved.same_labels(now)
    own = model.state_dict()
    head = _head_names(model, own)
    fresh = [
        name
        for name in own
        if name in head
        and (not same_labels or name not in state or own[name].shape != state[name].shape)
    ]
    left_out = {name for name in state if _is_head(name) and (name in fresh or name not in own)}
    for name in left_out:
        del state[name]
    if reshaped := [
        f"{name} {list(value.shape)}, the model's is {list(own[name].shape)}"
        for name, value in state.items()
        if name in own and own[name].shape != value.shape
    ]:
        raise _misfit(where, "have another shape", reshaped)
    missing, unexpected = model.load_state_dict(state, strict=False)
    # batches are counted since torch 0.4.1, and only a momentum of None reads the count
    absent = {name for name in missing if not name.endswith("num_batches_tracked")}
    if lacking := sorted(absent - set(fresh)):
        raise _misfit(where, "are missing", lacking)
    if unexpected:
        raise _misfit(where, "are not in the model", sorted(unexpected))
    return StartingWeights(sorted(state), fresh, same_labels)


def holdout_warning(checkpoint: Any, where: str, now: RunIdentity) -> str | None:
    """What to say where nothing proves that the val images were held out of earlier training.

    Args:
        checkpoint: what a checkpoint file held.
        where: what messages call the file.
        now: the run about to start.

    Returns:
        A sentence, or None if the checkpoint records the very hold-out of this run's manifest.
    """
    meta = checkpoint.get("meta") if isinstance(checkpoint, Mapping) else None
    held = meta.get("holdout_sha256") if isinstance(meta, Mapping) else None
    if held is not None and held == now.holdout_sha256:
        return None
    if now.holdout_sha256 is None:
        return (
            "this manifest was built without a hold-out, so nothing tells whether"
            f" {where} was trained on the val images; AP on val may come out too high."
        )
    return (
        f"{where} does not record that this manifest's val images were held out of its training"
        " (COCO's train images hold some of LVIS's val); AP on val may come out too high."
    )


def _head_names(model: Any, own: Mapping[str, torch.Tensor]) -> set[str]:
    """Names of the weights that are per class in this model."""
    agnostic = {
        f"{name}.{part}." if name else f"{part}."
        for name, module in model.named_modules()
        for part, attribute in (("fc_reg", "reg_class_agnostic"), ("conv_logits", "class_agnostic"))
        if getattr(module, attribute, False)
    }
    return {
        name
        for name in own
        if _is_head(name) and not any(name.startswith(prefix) for prefix in agnostic)
    }


def _is_head(name: str) -> bool:
    return any(kind.search(name) for kind in (_CLASSIFIER, _REGRESSION, _MASK))


def _misfit(where: str, what: str, names: Sequence[str]) -> InputError:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return InputError(
        f"{where}: does not fit this model: weights {what}: {'; '.join(names[:_SHOWN])}{more}."
        " --init takes a checkpoint of the same detector; only its class head may differ."
    )
