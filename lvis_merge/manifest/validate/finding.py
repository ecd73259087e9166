"""What `validate` answers with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One broken rule, told by the first row that breaks it.

    Attributes:
        level: an error makes the manifest invalid; a warning does not.
        rule: name of the rule.
        table: images, annotations, categories, rejects or a file's name.
        row: 1-based row of the table, or None where no row is concerned.
        key: the row's id, such as `image_id 397133`; empty without a row.
        message: what is wrong, and how many more rows are.
    """

    level: Level
    rule: str
    table: str
    row: int | None
    key: str
    message: str

    def __str__(self) -> str:
        where = self.table if self.row is None else f"{self.table} row {self.row} ({self.key})"
        return f"{self.level}: {where}: {self.message} [{self.rule}]"


def error(rule: str, table: str, message: str) -> Finding:
    """An error that concerns no single row."""
    return Finding("error", rule, table, None, "", message)


def warning(rule: str, table: str, message: str) -> Finding:
    """A warning that concerns no single row."""
    return Finding("warning", rule, table, None, "", message)
