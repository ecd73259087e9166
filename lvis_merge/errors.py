"""What a user can get wrong, and the exit code each kind ends with.

A message says what is wrong, where (file, row, id) and what to do. The command line prints it on
stderr without a traceback.
"""

from __future__ import annotations

from pathlib import Path


class LvisMergeError(Exception):
    """Base of every error that a user is meant to read.

    Attributes:
        exit_code: the process exit code of the command line (3: bad input or environment).
    """

    exit_code = 3


class InputError(LvisMergeError):
    """A file, row or environment that cannot be used; exit code 3."""


class HopelessFileError(InputError):
    """So many bad rows that to keep them would fill the memory; exit code 3."""


class CheckFailedError(LvisMergeError):
    """A check that said no (`validate`, `map check`); exit code 1."""

    exit_code = 1


class UsageError(LvisMergeError):
    """Options that make no sense together; exit code 2."""

    exit_code = 2


class SizesMissingError(LvisMergeError):
    """Chosen Open Images images have no known size; exit code 4, no manifest.

    Attributes:
        selection: the CSV with the chosen images, ready for `lvis-merge fetch`.
    """

    exit_code = 4

    def __init__(self, message: str, selection: Path) -> None:
        super().__init__(message)
        self.selection = selection
