"""What the user sees: a bar that fits a terminal, lines elsewhere, nothing from other ranks."""

import io

import pytest
from rich.console import Console

from lvis_merge.training.runner.display import Display, Pace
from lvis_merge.training.runner.log_hook import _table

PACE = Pace(
    iteration=12_345,
    total=90_000,
    loss=1.23456,
    rate=0.02,
    seconds=0.4567,
    data_seconds=0.0123,
    remaining=35_465,
)
FIGURES = "loss 1.2346 lr 2.0e-02 0.46 s/iter (data 0.01) ETA 9:51:05"


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


def test_a_terminal_of_80_columns(written: io.StringIO) -> None:
    """The bar gives way, the figures do not."""
    console = Console(file=written, force_terminal=True, width=80, color_system=None)
    display = Display(console)
    with display.training(0, 90_000):
        display.moved(PACE)
        display.logged(PACE)
    assert f"{FIGURES}" in written.getvalue()
    assert "training 12345/90000" in written.getvalue()
    assert "iteration 12345/90000" not in written.getvalue()


def test_elsewhere(written: io.StringIO) -> None:
    display = Display(Console(file=written, width=200))
    with display.training(0, 90_000):
        display.moved(PACE)
        display.logged(PACE)
        display.warn("[b]x[/b]")
    lines = written.getvalue().splitlines()
    assert lines == [f"iteration 12345/90000  {FIGURES}", "warning: [b]x[/b]"]


def test_silent(written: io.StringIO) -> None:
    display = Display(Console(file=written, force_terminal=True, width=80), silent=True)
    with display.training(0, 90_000):
        display.moved(PACE)
        display.logged(PACE)
        display.evaluating(3)
        display.evaluated_batch()
        display.evaluated()
        display.say("x")
    assert written.getvalue() == ""


def test_scores_by_kind() -> None:
    scores = {"lvis/bbox_AP": 0.5, "lvis/bbox_AP50": 0.75, "lvis/segm_AP_r": -1.0}
    assert _table(scores) == "\n  bbox  AP 0.5000  AP50 0.7500\n  segm  AP_r -1.0000"
    assert _table({}) == ""
