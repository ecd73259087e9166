"""How far a run has come: what a checkpoint holds besides weights, optimizer and schedule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True)
class BestScore:
    """The best evaluation so far.

    Attributes:
        metric: its key, `lvis/segm_AP`.
        value: the score.
        file: name of the checkpoint, in the work folder.
    """

    metric: str
    value: float
    file: str


@dataclass(frozen=True)
class RunProgress:
    """How far a run has come.

    Attributes:
        iteration: iterations done.
        position: samples drawn, over all processes: the next one's place in the endless chain.
        evaluated_at: the iteration that was evaluated last, -1 for none.
        best: the best evaluation so far.
    """

    iteration: int = 0
    position: int = 0
    evaluated_at: int = -1
    best: BestScore | None = None

    def to_plain(self) -> dict[str, Any]:
        """Plain values for a checkpoint."""
        return asdict(self)

    @classmethod
    def from_plain(cls, values: Any) -> RunProgress | None:
        """What `to_plain` wrote; None if it is something else."""
        if not isinstance(values, Mapping) or set(values) != {f.name for f in fields(cls)}:
            return None
        best = values["best"]
        return cls(**{**values, "best": BestScore(**best) if best else None})
