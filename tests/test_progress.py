"""What a user sees of the stages of a run."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from lvis_merge.progress import TIMINGS_VARIABLE, Stages


def stages(*, terminal: bool = False) -> tuple[Stages, io.StringIO]:
    out = io.StringIO()
    return Stages(Console(file=out, force_terminal=terminal, width=60)), out


def test_elsewhere_than_on_a_terminal_each_stage_is_one_line_when_it_ends() -> None:
    """Rule: a log file has no bars."""
    run, out = stages()
    with run.shown(), run.stage("reading", 3) as advance:
        advance(3)
        assert out.getvalue() == ""
    text = out.getvalue()
    assert text.startswith("reading: ")
    assert text.endswith(" s\n")
    assert text.count("\n") == 1


def test_on_a_terminal_a_stage_is_a_bar() -> None:
    """Rule: the bar shows how far the stage is."""
    run, out = stages(terminal=True)
    with run.shown(), run.stage("reading", 3) as advance:
        advance(2)
        assert run._bars is not None
        (bar,) = run._bars.tasks
        assert (bar.description, bar.completed, bar.total) == ("reading", 2, 3)
    assert run._bars is None
    assert "reading: " in out.getvalue()


def test_stages_may_overlap() -> None:
    """Rule: one source is read while another is decoded."""
    run, out = stages()
    with run.stage("outer"), run.stage("inner"):
        pass
    assert [line.split(":")[0] for line in out.getvalue().splitlines()] == ["inner", "outer"]


@pytest.mark.parametrize("terminal", [False, True])
def test_a_stage_that_fails_is_not_said_to_be_done(terminal: bool) -> None:
    """Rule: the error passes, no line claims an end, no bar stays."""
    run, out = stages(terminal=terminal)
    with run.shown():
        with pytest.raises(ValueError, match="no"), run.stage("reading"):
            raise ValueError("no")
        assert not run._bars or not run._bars.tasks
    assert "reading: " not in out.getvalue()


def test_text_is_printed_as_it_is() -> None:
    """Rule: a file name is no markup, and a long line is not broken."""
    run, out = stages()
    text = "note: a[bold]file[/bold] named 12 " + "x" * 200
    run.say(text)
    assert out.getvalue() == text + "\n"


def test_timings_are_one_json_line_per_stage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: only where asked for, appended."""
    run, _ = stages()
    with run.stage("not noted"):
        pass
    target = tmp_path / "timings.jsonl"
    monkeypatch.setenv(TIMINGS_VARIABLE, str(target))
    for name in ("first", "second"):
        with run.stage(name):
            pass
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    assert [line["stage"] for line in lines] == ["first", "second"]
    for line in lines:
        assert set(line) == {"stage", "wall_s", "cpu_s", "peak_rss_mb"}
        assert line["peak_rss_mb"] > 1
