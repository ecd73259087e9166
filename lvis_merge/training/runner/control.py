"""What the parts of a run share: its processes, the signals that came, the user."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from lvis_merge.training.runner.display import Display
from lvis_merge.training.runner.ranks import Ranks
from lvis_merge.training.runner.signals import StopRequests


def _one_process() -> Ranks:
    return Ranks(torch.device("cpu"))


@dataclass(frozen=True)
class RunControl:
    """Reached from loops and hooks as `runner.control`.

    Attributes:
        ranks: the processes of the run.
        stops: the signals that asked to stop.
        display: where the user is told.
    """

    ranks: Ranks = field(default_factory=_one_process)
    stops: StopRequests = field(default_factory=StopRequests)
    display: Display = field(default_factory=Display)
