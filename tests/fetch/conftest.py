from __future__ import annotations

import io

import pytest
from rich.console import Console

from lvis_merge.progress import Stages
from tests.fetch.server import server

__all__ = ["server"]


@pytest.fixture
def stages() -> Stages:
    """Shows nothing; what was said is in `stages.console.file`."""
    return Stages(Console(file=io.StringIO(), width=300))
