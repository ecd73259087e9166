"""Figures that can be worked out by hand: one category has what the case needs, boxes only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from lvis_merge.evaluation.scores import UNDEFINED
from tests.evaluation.conftest import Score
from tests.evaluation.world import World, category, found, image, thing

BOX, ELSEWHERE, FAR = [0, 0, 20, 20], [60, 60, 20, 20], [100, 60, 20, 20]
HALF_AT_50 = 51 / 101
"""Precision 1 up to recall 0.5, reached by 51 of the 101 recalls, and 0 beyond."""


@dataclass(frozen=True)
class Case:
    """Images, objects and detections of category 1 (rare), and AP50, AP75 and AP."""

    images: list[dict[str, Any]]
    objects: list[tuple[int, list[float]]]
    found: list[tuple[int, list[float], float]]
    ap50: float
    ap75: float
    ap: float


CASES = {
    # the one object is found
    "found": Case([image(1)], [(1, BOX)], [(1, BOX, 0.1)], 1, 1, 1),
    # IoU 12 / 20 = 0.6: right at .50, .55 and .60
    "loose": Case([image(1)], [(1, BOX)], [(1, [0, 0, 12, 20], 0.1)], 1, 0, 0.3),
    # nothing is found
    "missed": Case([image(1)], [(1, BOX)], [], 0, 0, 0),
    # a wrong one before the right one: precision 1/2 at every recall
    "wrong one first": Case(
        [image(1)], [(1, BOX)], [(1, BOX, 0.4), (1, ELSEWHERE, 0.6)], 0.5, 0.5, 0.5
    ),
    # a wrong one after the right one costs nothing
    "wrong one last": Case([image(1)], [(1, BOX)], [(1, BOX, 0.6), (1, ELSEWHERE, 0.4)], 1, 1, 1),
    # an object is found once; the second detection of it is wrong: 1, then (2 of 3) up to 1
    "found twice": Case(
        [image(1)],
        [(1, BOX), (1, ELSEWHERE)],
        [(1, BOX, 0.9), (1, BOX, 0.8), (1, ELSEWHERE, 0.7)],
        (51 + 50 * 2 / 3) / 101,
        (51 + 50 * 2 / 3) / 101,
        (51 + 50 * 2 / 3) / 101,
    ),
    # half of the objects are found
    "half": Case(
        [image(1)],
        [(1, BOX), (1, ELSEWHERE)],
        [(1, BOX, 0.9)],
        HALF_AT_50,
        HALF_AT_50,
        HALF_AT_50,
    ),
    # wrong on an image where the category was verified absent
    "wrong where absent": Case(
        [image(1), image(2, neg=[1])], [(1, BOX)], [(1, BOX, 0.4), (2, BOX, 0.6)], 0.5, 0.5, 0.5
    ),
    # on an image where nobody looked for the category: not judged
    "not judged where unknown": Case(
        [image(1), image(2)], [(1, BOX)], [(1, BOX, 0.4), (2, BOX, 0.6)], 1, 1, 1
    ),
    # not exhaustively annotated: what is not matched is not wrong
    "not exhaustive": Case(
        [image(1, partly=[1])], [(1, BOX)], [(1, BOX, 0.4), (1, ELSEWHERE, 0.6)], 1, 1, 1
    ),
    # 300 wrong ones push the right one out of the cap
    "beyond the cap": Case(
        [image(1)], [(1, BOX)], [(1, BOX, 0.4)] + [(1, ELSEWHERE, 0.6)] * 300, 0, 0, 0
    ),
    # the right one is the 300th: precision 1/300
    "the last under the cap": Case(
        [image(1)],
        [(1, BOX)],
        [(1, BOX, 0.4)] + [(1, ELSEWHERE, 0.6)] * 299,
        1 / 300,
        1 / 300,
        1 / 300,
    ),
    # of equal scores the first in the file stays under the cap
    "equal scores at the cap": Case(
        [image(1)], [(1, BOX)], [(1, BOX, 0.5)] + [(1, FAR, 0.5)] * 300, 1, 1, 1
    ),
    # no object: nothing to average
    "no ground truth": Case([image(1, neg=[1])], [], [(1, BOX, 0.9)], *[UNDEFINED] * 3),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("backend", ["hotcoco", "lvis"])
def test_hand_computed(score: Score, name: str, backend: str) -> None:
    case = CASES[name]
    objects = [thing(n, i, 1, box) for n, (i, box) in enumerate(case.objects, start=1)]
    # another category, so that there is ground truth at all; it is found
    objects.append(thing(90, 1, 2, FAR))
    results = [found(i, 1, box, value) for i, box, value in case.found]
    results.insert(0, found(1, 2, FAR, 1.0))
    if "cap" in name:
        results.pop(0)
    truth: dict[str, Any] = {"images": case.images, "annotations": objects}
    truth["categories"] = [category(1, "r"), category(2, "f")]
    scores = score(World(truth, results), backend=backend).scores[0]
    one = scores.categories[0]
    assert (one.ap50, one.ap75, one.ap) == pytest.approx((case.ap50, case.ap75, case.ap))
    assert scores.figures["AP_r"] == pytest.approx(case.ap)
    assert scores.figures["AP_c"] == UNDEFINED
    assert one.objects == len(case.objects)


def test_the_cap_is_over_all_classes(score: Score) -> None:
    # 300 better ones of a class that nobody looked for: the cap comes first, the rule after it
    truth: dict[str, Any] = {"images": [image(1)], "annotations": [thing(1, 1, 1, BOX)]}
    truth["categories"] = [category(1, "r"), category(2, "f")]
    results = [found(1, 1, BOX, 0.4)] + [found(1, 2, BOX, 0.6)] * 300
    evaluation = score(World(truth, results))
    assert evaluation.scores[0].figures["AP"] == 0.0
    assert evaluation.over_cap == 1


def test_figures_average_over_categories_with_ground_truth(score: Score) -> None:
    # rare: found and missed; common: no ground truth; frequent: found
    truth = {
        "images": [image(1)],
        "annotations": [thing(n, 1, n, BOX) for n in (1, 2, 4)],
        "categories": [category(n, group) for n, group in enumerate("rrcf", start=1)],
    }
    results = [found(1, 1, BOX, 0.5), found(1, 4, BOX, 0.5)]
    figures = score(World(truth, results)).scores[0].figures
    assert figures["AP"] == pytest.approx(2 / 3)
    assert figures["AP_r"] == pytest.approx(1 / 2)
    assert figures["AP_c"] == UNDEFINED
    assert figures["AP_f"] == pytest.approx(1)


def test_large_and_small_by_published_area(score: Score) -> None:
    # the area that the file says, not the box's: 20 x 20 is small, said to be medium
    truth: dict[str, Any] = {
        "images": [image(1)],
        "annotations": [thing(1, 1, 1, BOX, area=2000.0)],
    }
    truth["categories"] = [category(1, "r")]
    figures = score(World(truth, [found(1, 1, BOX, 0.5)])).scores[0].figures
    assert figures["AP_m"] == pytest.approx(1)
    assert (figures["AP_s"], figures["AP_l"]) == (UNDEFINED, UNDEFINED)
