from pathlib import Path

import pytest

from tests.cli.command import run
from tests.cli.small_inputs import Inputs, make_inputs
from tests.fetch.server import server

__all__ = ["run", "server"]


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """Good inputs, to be spoilt."""
    return make_inputs(tmp_path)
