"""Looks for damaged files that a command does not stand up to."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.cli.small_inputs import Inputs
from tests.fuzz.damage import BY_FORMAT, damaged
from tests.fuzz.targets import Target


class FoundError(Exception):
    """A file and what a command did with it.

    Attributes:
        data: the file's content.
    """

    def __init__(self, target: Target, data: bytes, faults: list[str]) -> None:
        super().__init__(f"{target.id}, {len(data):,} bytes: {'; '.join(faults)}")
        self.data = data


def check(target: Target, inputs: Inputs, data: bytes) -> None:
    """Runs a target on a file.

    Raises:
        FoundError: it ended otherwise than with an answer or a message, or took too much.
    """
    if faults := target.run(inputs, data).faults():
        raise FoundError(target, data, faults)


def search(target: Target, inputs: Inputs, number: int, cases: int) -> None:
    """Runs a target on damaged files.

    Args:
        target: what is run.
        inputs: the world, as `make_files` left it.
        number: seed of what is drawn.
        cases: how many files.

    Raises:
        FoundError: with the smallest that was found.
    """
    good = inputs.path(target.file).read_bytes()

    @seed(number)
    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
    )
    @given(damaged(good, BY_FORMAT[target.format]))
    def one(data: bytes) -> None:
        check(target, inputs, data)

    one()
