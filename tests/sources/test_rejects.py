"""How bad rows are recorded, and how many are too many."""

from __future__ import annotations

import pytest

from lvis_merge.errors import InputError, UsageError
from lvis_merge.sources.rejects import Reject, RejectPolicy, rejects_table


def test_rejects_are_ordered_by_row_and_their_text_is_cut() -> None:
    """Rule: `rejects` by (source, file, row); raw text cut at 1,000 characters."""
    rows = [Reject(7, "value", "x" * 1001), Reject(2, "columns", "ü" * 1000)]
    table = rejects_table("lvis", "f.json", "image", rows)
    assert table.to_pylist() == [
        {
            "source": "lvis",
            "file": "f.json",
            "kind": "image",
            "row": row,
            "reason": reason,
            "raw": raw,
        }
        for row, reason, raw in ((2, "columns", "ü" * 1000), (7, "value", "x" * 1000))
    ]
    assert rejects_table("lvis", "f.json", "image", []).schema == table.schema


LIMITS = [
    # (--max-rejects, rows, tolerated bad rows)
    (None, 0, 10),  # the larger of 10 and 0.1%
    (None, 10_000, 10),
    (None, 10_999, 10),
    (None, 11_000, 11),
    (None, 57_000, 57),  # 0.001 * 57,000 is not quite 57 in float64
    ("0", 10**6, 0),
    ("25", 10, 25),
    ("0%", 10**6, 0),
    ("29%", 100, 29),  # 0.29 * 100 is not quite 29 in float64
    ("0.5%", 199, 0),
    ("0.5%", 200, 1),
    ("100%", 7, 7),
    ("100.0%", 7, 7),
]


@pytest.mark.parametrize(("text", "rows", "limit"), LIMITS)
def test_limit(text: str | None, rows: int, limit: int) -> None:
    """Rule: a count, or an exact percentage of the file's rows rounded down."""
    assert RejectPolicy.parse(text).limit(rows) == limit


WRONG = ["", "-1", "1.5", "10 %", "%", ".5%", "101%", "100.01%", "1e3", "ten", "٣", "9" * 5000]


@pytest.mark.parametrize("text", WRONG)
def test_another_text_is_wrong_usage(text: str) -> None:
    """Rule: exit 2 with what to give."""
    with pytest.raises(UsageError) as error:
        RejectPolicy.parse(text)
    assert str(error.value) == (
        f"--max-rejects {text}: give a count such as 25 or a percentage such as 0.5%."
    )
    assert error.value.exit_code == 2


def bad_rows(number: int) -> list[Reject]:
    return [Reject(5 + row, "value", f"row {row}") for row in range(number)]


@pytest.mark.parametrize(("bad", "stops"), [(0, False), (10, False), (11, True)])
def test_the_build_stops_above_the_limit(bad: int, stops: bool) -> None:
    """Rule: stops above the limit, not at it; the message names the first bad row."""
    table = rejects_table("open_images", "b.csv", "box", bad_rows(bad))
    if not stops:
        RejectPolicy().check(table, 1000)
        return
    with pytest.raises(InputError) as error:
        RejectPolicy().check(table, 1000)
    assert str(error.value) == (
        "b.csv: 11 of 1,000 box rows are bad, more than the 10 that --max-rejects allows."
        " First: b.csv, box row 5: value: row 0\n"
        "Check that it is the right file, or raise --max-rejects."
    )


def test_strict_stops_at_the_first_bad_row() -> None:
    """Rule: `--strict` tolerates none, whatever --max-rejects says."""
    policy = RejectPolicy.parse("100%", strict=True)
    policy.check(rejects_table("lvis", "f.json", "image", []), 10)
    with pytest.raises(InputError) as error:
        policy.check(rejects_table("lvis", "f.json", "image", bad_rows(1)), 10)
    assert str(error.value) == (
        "f.json, image row 5: value: row 0\n"
        "Stopped at the first bad row because of --strict. Mend the row or build without --strict."
    )
