from pathlib import Path

import pytest

from tests.cli.command import run
from tests.cli.small_inputs import Inputs, make_inputs

__all__ = ["run"]


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    """Good inputs, to be spoilt."""
    return make_inputs(tmp_path)
