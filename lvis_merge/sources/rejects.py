"""Bad input rows: how they are recorded and how many are too many."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import pyarrow as pa

from lvis_merge.errors import InputError, UsageError
from lvis_merge.sources.tables import REJECT_ROWS

RAW_CHARACTERS = 1_000
_DEFAULT_COUNT, _DEFAULT_FRACTION = 10, Fraction(1, 1000)


@dataclass(frozen=True)
class Reject:
    """One bad row.

    Attributes:
        row: 1-based place in its file (header not counted) or JSON array.
        reason: one of `REJECT_REASONS`.
        raw: the row's text; cut when the table is made.
    """

    row: int
    reason: str
    raw: str


def rejects_table(source: str, file: str, kind: str, rows: Sequence[Reject]) -> pa.Table:
    """The rows as a `rejects` table, ordered by row."""
    ordered = sorted(rows, key=lambda reject: reject.row)
    return pa.table(
        {
            "source": pa.array([source] * len(ordered), pa.string()),
            "file": pa.array([file] * len(ordered), pa.string()),
            "kind": pa.array([kind] * len(ordered), pa.string()),
            "row": pa.array([reject.row for reject in ordered], pa.int64()),
            "reason": pa.array([reject.reason for reject in ordered], pa.string()),
            "raw": pa.array([reject.raw[:RAW_CHARACTERS] for reject in ordered], pa.string()),
        },
        schema=REJECT_ROWS,
    )


@dataclass(frozen=True)
class RejectPolicy:
    """How many bad rows of one file are tolerated (`--max-rejects`, `--strict`).

    Attributes:
        count: tolerated rows, or None.
        fraction: tolerated share of the file's data rows, exact (29% of 100 rows are 29), or None.
            With both the larger counts.
        strict: stop at the first bad row.
    """

    count: int | None = _DEFAULT_COUNT
    fraction: Fraction | None = _DEFAULT_FRACTION
    strict: bool = False

    @classmethod
    def parse(cls, text: str | None, strict: bool = False) -> RejectPolicy:
        """Reads `--max-rejects`: a count (`25`) or a percentage (`0.5%`).

        Raises:
            UsageError: anything else.
        """
        if text is None:
            return cls(strict=strict)
        if re.fullmatch(r"[0-9]{1,18}", text):
            return cls(int(text), None, strict)
        if (match := re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,18})?)%", text)) and (
            share := Fraction(match[1]) / 100
        ) <= 1:
            return cls(None, share, strict)
        raise UsageError(
            f"--max-rejects {text}: give a count such as 25 or a percentage such as 0.5%."
        )

    def limit(self, rows: int) -> int:
        """Tolerated bad rows in a file of `rows` data rows."""
        allowed = [0 if self.count is None else self.count]
        if self.fraction is not None:
            allowed.append(int(self.fraction * rows))
        return max(allowed)

    def check(self, rejects: pa.Table, rows: int, number: int | None = None) -> None:
        """Stops the build when a file has too many bad rows.

        Args:
            rejects: `rejects` rows of one file and kind, ordered by row.
            rows: data rows of that file and kind.
            number: how many are bad, where `rejects` has only the first of too many.

        Raises:
            InputError: above the limit, or at the first bad row when strict.
        """
        if rejects.num_rows == 0:
            return
        first = rejects.slice(0, 1).to_pylist()[0]
        where = f"{first['file']}, {first['kind']} row {first['row']}: {first['reason']}"
        if self.strict:
            raise InputError(
                f"{where}: {first['raw'][:200]}\nStopped at the first bad row because of --strict."
                " Mend the row or build without --strict."
            )
        limit = self.limit(rows)
        number = rejects.num_rows if number is None else number
        if number > limit:
            raise InputError(
                f"{first['file']}: {number:,} of {rows:,} {first['kind']} rows are bad,"
                f" more than the {limit:,} that --max-rejects allows. First: {where}:"
                f" {first['raw'][:200]}\nCheck that it is the right file, or raise --max-rejects."
            )
