from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from rich.console import Console

from lvis_merge.progress import Stages
from tests.fetch.server import Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture
def stages() -> Stages:
    """Shows nothing; what was said is in `stages.console.file`."""
    return Stages(Console(file=io.StringIO(), width=300))
