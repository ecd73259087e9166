"""Reads what `lvis-merge evaluate --json` printed."""

from __future__ import annotations

from pathlib import Path

import msgspec

from lvis_merge.errors import InputError
from lvis_merge.evaluation.scores import UNDEFINED, Kind
from lvis_merge.testing.roadmap.published import COLUMNS


class ScoreFields(msgspec.Struct):
    """The figures that are read, in [0, 1], or -1.0 where undefined."""

    AP: float
    AP_r: float
    AP_c: float
    AP_f: float


class EvaluationFile(msgspec.Struct):
    """What is read of an evaluation.

    Attributes:
        ground_truth: name of what the results were compared with.
        images: of the ground truth.
        objects: of the ground truth.
        bbox: figures of the boxes; None if they were not scored.
        segm: figures of the masks, likewise.
    """

    ground_truth: str
    images: int
    objects: int = 0
    bbox: ScoreFields | None = None
    segm: ScoreFields | None = None

    def points(self, kind: Kind) -> dict[str, float]:
        """Figures by column, times 100, without those that are undefined."""
        scores = self.bbox if kind == "bbox" else self.segm
        if scores is None:
            return {}
        figures = {name: getattr(scores, name) for name in COLUMNS}
        return {name: 100 * value for name, value in figures.items() if value != UNDEFINED}


def read_evaluation(path: Path) -> EvaluationFile:
    """Reads an evaluation.

    Raises:
        InputError: it cannot be read, is no evaluation or has a figure outside [0, 1].
    """
    try:
        found = msgspec.json.decode(path.read_bytes(), type=EvaluationFile)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Check the path.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"{path}: is no evaluation ({error}). Write it with `lvis-merge evaluate --json`."
        ) from error
    for kind in (found.bbox, found.segm):
        for name, value in msgspec.to_builtins(kind or {}).items():
            if not (0 <= value <= 1 or value == UNDEFINED):
                raise InputError(
                    f"{path}: {name} is {value:g}, not in [0, 1] nor -1.0. Write it with"
                    " `lvis-merge evaluate --json`."
                )
    return found
