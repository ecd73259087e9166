"""Ensembles of generated worlds, read from files as the command reads them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lvis_merge.evaluation import Evaluation, GroundTruth, Results, evaluate, truth_of_lvis
from lvis_merge.evaluation.detections import Detections
from lvis_merge.progress import Stages
from lvis_merge.testing import stack
from lvis_merge.testing.ensemble.files import fit_files
from lvis_merge.testing.ensemble.merged import Ensemble
from lvis_merge.testing.ensemble.parameters import FusionName
from lvis_merge.testing.ensemble.run import Outcome, knowing_models, model_of
from lvis_merge.testing.ensemble.trials import Trials
from lvis_merge.testing.ensemble.truth_columns import TruthColumns
from lvis_merge.testing.pools import read_pool
from tests.evaluation.world import World


@pytest.fixture(autouse=True)
def several_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that images are worked on in more than one portion."""
    monkeypatch.setattr(stack, "STACK_ROWS", 1500)


@dataclass(frozen=True)
class Setting:
    """A world on disk, and what is made of it."""

    truth: GroundTruth
    paths: tuple[str, ...]

    def ensemble(self, fusion: FusionName) -> tuple[Ensemble, TruthColumns]:
        columns = TruthColumns(self.truth)
        ids = columns.image_ids, columns.category_ids
        models = [model_of(read_pool(path, self.truth.known), *ids) for path in self.paths]
        knowing = knowing_models(models, columns.category_ids)
        found = [model.found for model in models]
        return Ensemble(found, knowing, *ids, columns.groups, fusion), columns

    def trials(self, fusion: FusionName = "nms", images: np.ndarray | None = None) -> Trials:
        together, columns = self.ensemble(fusion)
        every = np.arange(len(columns.image_ids)) if images is None else images
        return Trials.of(together.models, together.knowing, columns, every, fusion)

    def fit(self, fusion: FusionName = "nms") -> Outcome:
        return fit_files(self.paths, self.truth, fusion, stages=Stages())

    def scored(self, detections: Detections) -> dict[str, float]:
        """What the evaluation says of boxes."""
        faults = read_pool(self.paths[0], self.truth.known).results.faults
        result: Evaluation = evaluate(Results("x", len(detections), detections, faults), self.truth)
        return dict(result.scores[0].figures)


Make = Callable[..., Setting]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes a world and its experts' results."""

    def setting(world: World, experts: Sequence[list[dict[str, Any]]] = ()) -> Setting:
        annotations, main = world.write(tmp_path)
        paths = [main]
        for number, results in enumerate(experts, 1):
            path = tmp_path / f"expert_{number}.json"
            path.write_text(json.dumps(results))
            paths.append(str(path))
        return Setting(truth_of_lvis(annotations), tuple(paths))

    return setting
