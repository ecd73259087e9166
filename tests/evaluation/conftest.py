from collections.abc import Callable
from pathlib import Path

import pytest

from lvis_merge.evaluation import Evaluation, evaluate, read_results, truth_of_lvis
from tests.evaluation.world import World

Score = Callable[..., Evaluation]


@pytest.fixture
def score(tmp_path: Path) -> Score:
    """Evaluates a world: reads its files, as the command does."""

    def run(world: World, **options: object) -> Evaluation:
        annotations, results = world.write(tmp_path)
        truth = truth_of_lvis(annotations)
        return evaluate(read_results(results, truth), truth, **options)  # type: ignore[arg-type]

    return run
