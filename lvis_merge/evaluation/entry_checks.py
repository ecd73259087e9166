"""What can be told to be wrong from the columns of entries, whatever file they came from."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from lvis_merge.evaluation import result_faults
from lvis_merge.evaluation.detections import Detections
from lvis_merge.evaluation.known import Known
from lvis_merge.evaluation.pairs import Bools
from lvis_merge.evaluation.result_faults import FAULTS, Fault


def checks(block: Detections, known: Known) -> dict[Fault, Bools]:
    """Which entries are bad, by fault, in the order in which they are told.

    Args:
        block: N entries.
        known: what they may name.

    Returns:
        bool [N] by fault.
    """
    found: dict[Fault, Bools] = {
        "image_id": ~known.has_image(block.image_id),
        "category_id": ~known.has_category(block.category_id),
        "score": ~((block.score >= 0) & (block.score <= 1)),
    }
    if block.bbox is not None:
        sound = np.isfinite(block.bbox)
        sound[:, 2:] &= block.bbox[:, 2:] >= 0
        found["bbox"] = ~np.all(sound, axis=1)
    return found


def message(fault: Fault, block: Detections, row: int, known: Known) -> str:
    """What is wrong with an entry that one of the checks refused.

    Args:
        fault: which check.
        block: the entries.
        row: position of the entry.
        known: what entries may name.
    """
    if fault == "image_id":
        return result_faults.unknown_image(int(block.image_id[row]), known.name)
    if fault == "category_id":
        category = int(block.category_id[row])
        return result_faults.unknown_category(category, known.name, known.category_advice)
    if fault == "score":
        return result_faults.bad_score(float(block.score[row]))
    assert block.bbox is not None
    return result_faults.bad_box(block.bbox[row].tolist())


def good_entries(
    block: Detections, bad: Mapping[Fault, Bools], tell: Callable[[Fault, int], None]
) -> Detections:
    """The entries that nothing is wrong with.

    Args:
        block: N entries.
        bad: bool [N] by fault, in the order in which faults are told.
        tell: called with the first fault of each bad entry and its position, in file order.
    """
    codes = np.zeros(len(block), np.int8)
    for fault, fails in bad.items():
        codes[fails & (codes == 0)] = FAULTS.index(fault) + 1
    for row in np.flatnonzero(codes).tolist():
        tell(FAULTS[codes[row] - 1], row)
    return block.at(codes == 0) if codes.any() else block
