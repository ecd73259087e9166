"""Detections that the cap of 300 never lets through, whatever is added to whose logits."""

from __future__ import annotations

import numpy as np

from lvis_merge.evaluation.detections import MAX_DETECTIONS
from lvis_merge.evaluation.pairs import Bools, Ints
from lvis_merge.testing.fusion.fused import Codes
from lvis_merge.testing.stack import Stack, stable_order


def outranked(stack: Stack, groups: Codes, stays: Bools) -> Bools:
    """Which detections always have 300 better ones on their image.

    Offsets move a model's detections together, shifts those of a frequency group: within a model
    and a group the order on an image never changes.

    Args:
        stack: what the models found.
        groups: int8 [C], codes of the frequency groups.
        stays: bool [N], detections that fusion leaves as they are whatever the offsets.

    Returns:
        bool [N]: at least 300 of those that stay come before, of the same image, model and group.
    """
    codes = int(groups.max(initial=0)) + 1
    models = int(stack.model.max(initial=0)) + 1
    cell = (stack.image * np.int64(models) + stack.model) * codes + groups[stack.category]
    order = np.argsort(-stack.score, kind="stable")  # of equal ones the first comes first
    order = order[stable_order(cell[order], int(cell.max(initial=0)) + 1)]
    ordered = cell[order]
    heads = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]])[: len(ordered)])
    staying: Ints = stays[order].astype(np.int64)
    before = np.cumsum(staying) - staying
    before -= np.repeat(before[heads], np.diff(np.append(heads, len(ordered))))
    found = np.zeros(len(order), np.bool_)
    found[order] = before >= MAX_DETECTIONS
    return found
