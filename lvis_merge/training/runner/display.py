"""What the user sees of a training run, on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.table import Column


@dataclass(frozen=True)
class Pace:
    """Where training is and how fast it goes.

    Attributes:
        iteration: iterations done.
        total: iterations in all.
        loss: mean total loss of the last iterations that are known.
        rate: learning rate of the first parameter group.
        seconds: per iteration, mean.
        data_seconds: of these, waiting for the data loader.
        remaining: seconds to the end at this pace, evaluations not counted.
    """

    iteration: int
    total: int
    loss: float
    rate: float
    seconds: float
    data_seconds: float
    remaining: float

    @property
    def figures(self) -> str:
        """The numbers behind the bar."""
        left = timedelta(seconds=round(self.remaining))
        return (
            f"loss {self.loss:.4f} lr {self.rate:.1e} {self.seconds:.2f} s/iter"
            f" (data {self.data_seconds:.2f}) ETA {left}"
        )


class Display:
    """Speaks for rank 0; the other processes of a run are silent.

    Args:
        console: where to; stderr by default.
        silent: says nothing at all.
    """

    def __init__(self, console: Console | None = None, silent: bool = False) -> None:
        self._console = console or Console(stderr=True)
        self._silent = silent
        self._bars: Progress | None = None
        self._training: TaskID | None = None
        self._evaluation: TaskID | None = None

    def silence(self) -> None:
        """Says nothing from here on."""
        self._silent = True

    @property
    def draws_bars(self) -> bool:
        """Whether there is a terminal to draw on."""
        return self._console.is_terminal and not self._silent

    def say(self, text: str) -> None:
        """One line for the user."""
        if not self._silent:
            self._console.print(text, highlight=False, markup=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        """One line that the user should not miss."""
        self.say(f"warning: {text}")

    @contextmanager
    def training(self, done: int, total: int) -> Iterator[None]:
        """Draws the training bar meanwhile, where there is a terminal.

        Args:
            done: iterations done already.
            total: iterations in all.
        """
        if not self.draws_bars:
            yield
            return
        with Progress(
            TextColumn("{task.description} {task.completed}/{task.total}"),
            # takes what room the figures leave
            BarColumn(bar_width=None, table_column=Column(ratio=1)),
            TextColumn("{task.fields[figures]}"),
            console=self._console,
            expand=True,
            transient=True,
            refresh_per_second=4,
            # workers of a loader are forked meanwhile: a print of theirs must need no lock of ours
            redirect_stdout=False,
            redirect_stderr=False,
        ) as bars:
            self._bars = bars
            self._training = bars.add_task("training", total=total, completed=done, figures="")
            try:
                yield
            finally:
                self._bars = self._training = self._evaluation = None

    def moved(self, pace: Pace) -> None:
        """Moves the bar."""
        if self._bars and self._training is not None:
            self._bars.update(self._training, completed=pace.iteration, figures=pace.figures)

    def logged(self, pace: Pace) -> None:
        """A line for those who see no bar."""
        if not self.draws_bars:
            self.say(f"iteration {pace.iteration}/{pace.total}  {pace.figures}")

    def evaluating(self, batches: int) -> None:
        """Draws a bar for an evaluation of so many batches."""
        if self._bars:
            self._evaluation = self._bars.add_task("evaluating", total=batches, figures="")

    def evaluated_batch(self) -> None:
        """Moves the evaluation's bar."""
        if self._bars and self._evaluation is not None:
            self._bars.advance(self._evaluation)

    def evaluated(self) -> None:
        """Takes the evaluation's bar away."""
        if self._bars and self._evaluation is not None:
            self._bars.remove_task(self._evaluation)
            self._evaluation = None
