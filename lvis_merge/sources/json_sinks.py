"""What takes the rows of a JSON array, block by block."""

from __future__ import annotations

from typing import Protocol

from lvis_merge.sources.json_scan import rows_of_array


class RowSink(Protocol):
    """Takes the rows of one array, in order."""

    def plain(self, array: bytes) -> int:
        """Takes rows that are all in the expected form.

        Args:
            array: a JSON array of whole rows.

        Returns:
            How many rows were taken; 0 if they do not decode or not all are in the expected form.
            Then none was taken.
        """

    def odd(self, row: bytes) -> None:
        """Takes one row that `plain` refuses.

        Args:
            row: the row's exact text, valid JSON but perhaps no JSON object.
        """


class SkippedRows:
    """A sink for arrays that nobody reads."""

    def plain(self, array: bytes) -> int:
        """Accepts any rows."""
        return len(rows_of_array(array) or ())

    def odd(self, row: bytes) -> None:
        """Accepts any row."""


def feed(sink: RowSink, rows: list[bytes]) -> None:
    """Feeds whole rows: halves them until those that `plain` refuses stand alone.

    Args:
        sink: takes them.
        rows: their texts, in order.
    """
    if sink.plain(b"".join((b"[", b",".join(rows), b"]"))):
        return
    if len(rows) == 1:
        sink.odd(rows[0])
        return
    middle = len(rows) // 2
    feed(sink, rows[:middle])
    feed(sink, rows[middle:])
