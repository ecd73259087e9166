"""LVIS federated evaluation of boxes and masks."""

from lvis_merge.evaluation.evaluate import evaluate
from lvis_merge.evaluation.results import Results, read_results
from lvis_merge.evaluation.scores import Evaluation, Scores
from lvis_merge.evaluation.truth import GroundTruth
from lvis_merge.evaluation.truth_lvis import truth_of_lvis
from lvis_merge.evaluation.truth_manifest import truth_of_manifest

__all__ = [
    "Evaluation",
    "GroundTruth",
    "Results",
    "Scores",
    "evaluate",
    "read_results",
    "truth_of_lvis",
    "truth_of_manifest",
]
