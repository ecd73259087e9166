"""One range of a CSV file: every row is either good or rejected, whichever way it is read."""

from __future__ import annotations

import csv
import io
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lvis_merge.sources import csv_rows
from lvis_merge.sources.csv_chunks import row_texts
from lvis_merge.sources.csv_fields import fields
from lvis_merge.sources.csv_rows import (
    CONFIDENCE,
    COORDINATE,
    FLAG,
    IMAGE_ID,
    LABEL,
    NAME,
    ROTATION,
    TEXT,
    ParsedRows,
    parse_rows,
)

COLUMNS = (
    "ImageID",
    "Source",
    "LabelName",
    "X",
    "Flag",
    "Confidence",
    "Rotation",
    "Title",
    "Extra",
)
KINDS = {
    "ImageID": IMAGE_ID,
    "Source": NAME,
    "LabelName": LABEL,
    "X": COORDINATE,
    "Flag": FLAG,
    "Confidence": CONFIDENCE,
    "Rotation": ROTATION,
    "Title": TEXT,
}
GOOD = ["00ab", "xclick", "/m/1", "0.5", "0", "1", "90", "a title", "?"]
BAD = b"00ab,xclick,/m/1,half,0,1,90,t,?\n"

DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
# the spellings of -1, 0 and 1 among the texts below
FLAGS = {"": None, "-1": -1, "-01": -1, "0": 0, "00": 0, "-0": 0, "1": 1, "01": 1}
FLAGS |= {"0x1": 1, "0x01": 1}


def number(text: str) -> float | None:
    """A number as the contract has it: no blanks, no hexadecimal, nan and inf are numbers."""
    return float(text) if DECIMAL.fullmatch(text) or NOT_FINITE.fullmatch(text) else None


def expected_row(row: list[str]) -> list[object] | None:
    """The values of a row of fields, None where one of them is bad."""
    image, source, label, x, flag, confidence, rotation, title, _ = row
    turn = number(rotation) if rotation else 0.0
    good = (
        re.fullmatch("[0-9a-fA-F]+", image)
        and label
        and number(x) is not None
        and flag in FLAGS
        and number(confidence) in (0.0, 1.0)
        and turn is not None
        and (turn != turn or turn in (0, 90, 180, 270))
    )
    if not good:
        return None
    values = [image, source or None, label, number(x), FLAGS[flag]]
    return [*values, confidence, rotation or None, title or None]


def rows_of(parsed: ParsedRows) -> list[list[object]]:
    return [list(row.values()) for row in parsed.table.to_pylist()]


def as_csv(rows: list[list[str]], line_end: str = "\n") -> bytes:
    """Rows as CSV; a carriage return is quoted whatever the line end."""
    text = ""
    for row in rows:
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\r\n").writerow(row)
        text += out.getvalue().removesuffix("\r\n") + line_end
    return text.encode()


def changed(column: str, text: str) -> list[str]:
    row = list(GOOD)
    row[COLUMNS.index(column)] = text
    return row


NUMBERS = [
    "0", "1", "-1", "+1", "1.", ".5", "-.5", "+.5", "1e-1", "1E+1", "1e", "1e+", "e5", ".", "",
    "1e400", "-1e400", "1e-400", "4e-324", "9" * 400, "0" * 400 + ".5", "inf", "+inf", "-Infinity",
    "INF", "infin", "nan", "-nan", "NaN", "nan(1)", "nan()", "0x1", "0x1p3", "1_0", "１", "٣", " 1",
    "1 ", "\t1", "1\u00a0", "1d", "1f", "01", "-01", "00", "-0", "--1", "+-1", "0,5", "1\x00",
    "0x01", "2", "-2", "200", "9" * 5000, "90", "90.0", "9e1", "180", "270.00", "360", "true", '"',
]  # fmt: skip
TEXTS = ["", "a", "a,b", 'the "best"', "two\nlines", "two\r\nlines", "a\rb", "ü", "\x00", " ", "-1"]


@pytest.mark.parametrize("column", COLUMNS)
def test_a_field_is_good_or_bad_alike_on_both_paths(column: str) -> None:
    """Rule: a field that does not parse to its type is `value`; the good rows keep their values."""
    for text in NUMBERS + TEXTS:
        rows = [list(GOOD), changed(column, text)]
        alone = parse_rows(as_csv(rows), COLUMNS, KINDS)
        beside_bad = parse_rows(as_csv(rows) + BAD, COLUMNS, KINDS)
        values = expected_row(rows[1])
        expected = [expected_row(GOOD)] + ([values] if values else [])
        assert repr(rows_of(alone)) == repr(expected), text
        assert repr(rows_of(beside_bad)) == repr(expected), text
        assert [bad.reason for bad in alone.rejects] == ([] if values else ["value"]), text


def test_what_the_row_check_takes_for_a_number_arrow_reads_as_the_same_number() -> None:
    """Rule: decimal text is parsed to float64; the two readers must not differ in syntax."""
    for text in NUMBERS:
        taken = csv_rows._FLOAT.fullmatch(text) is not None
        assert taken == (number(text) is not None), text
        if taken:
            cast = pa.array([text]).cast(pa.float64())[0].as_py()
            assert repr(abs(cast)) == repr(abs(float(text))), text


ROWS = st.lists(
    st.builds(
        changed, st.sampled_from(COLUMNS), st.sampled_from(NUMBERS + TEXTS) | st.text(max_size=5)
    ).map(lambda row: [field.encode("utf-8", "replace").decode() for field in row]),
    max_size=8,
)


@given(ROWS, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
@settings(max_examples=60, deadline=None)
def test_generated_rows_are_read_like_csv_reader_and_checked_one_by_one(
    rows: list[list[str]], line_end: str, final_line_end: bool, blank_lines: bool
) -> None:
    """Rule: fast path = row by row; CRLF, blank lines and a missing last line end mean nothing."""
    data = as_csv(rows, line_end)
    if blank_lines:
        data = line_end.encode() + data.replace(b"?" + line_end.encode(), b"?\n\r\n" + b"\n")
    if not final_line_end:
        data = data.rstrip(b"\r\n")
    expected = [expected_row(row) for row in rows]
    parsed = parse_rows(data, COLUMNS, KINDS)
    assert parsed.rows == len(rows)
    assert repr(rows_of(parsed)) == repr([values for values in expected if values])
    assert parsed.numbers.tolist() == [i for i, values in enumerate(expected) if values]
    bad = [(i, "value") for i, values in enumerate(expected) if not values]
    assert [(reject.row, reject.reason) for reject in parsed.rejects] == bad


WRONG_COUNTS = [
    # (row, reason)
    (",".join(GOOD[:-1]), "columns"),  # a field too few
    (",".join([*GOOD, "x"]), "columns"),  # a field too many
    (",".join([*GOOD, ""]), "columns"),  # a comma at the end
    ("00ab", "columns"),
    (" ", "columns"),  # blanks are text: this line is a row
    (",".join(changed("X", "half")[:-1]), "columns"),  # `columns` comes before `value`
    (",".join(changed("X", "half")), "value"),
]


@pytest.mark.parametrize(("text", "reason"), WRONG_COUNTS)
def test_a_row_with_more_or_fewer_fields_is_columns(text: str, reason: str) -> None:
    """Rule: `columns` before `value`; the rows beside it stay."""
    line = ",".join(GOOD)
    parsed = parse_rows(f"{line}\n{text}\n{line}\n".encode(), COLUMNS, KINDS)
    assert parsed.rows == 3
    assert parsed.numbers.tolist() == [0, 2]
    assert [(bad.row, bad.reason, bad.raw) for bad in parsed.rejects] == [(1, reason, text)]


STRAY = [
    # a quote that opens a field and is not closed before a comma or a line end
    '00ab,xclick,/m/1,0.5,0,1,90,"t,?',
    '00ab,"xclick,/m/1,0.5,0,1,90,t,?',
    '00ab,xclick,/m/1,0.5,0,1,90,t,"?',
    '"00ab,xclick,/m/1,0.5,0,1,90,t,?',
    # closed too early
    '00ab,xclick,/m/1,0.5,0,1,90,"t"u,?',
    # doubled, then open
    '00ab,xclick,/m/1,0.5,0,1,90,"t""u,?',
    # a quote inside an unquoted field is text
    '00ab,xclick,/m/1,0.5,0,1,90,5" wide,?',
    '00ab,xclick,/m/1,0.5,0,1,90,t",?',
]


@pytest.mark.parametrize("first", STRAY)
@pytest.mark.parametrize("second", STRAY)
def test_a_stray_quote_swallows_no_good_row(first: str, second: str) -> None:
    """Rule: nothing good is lost beside a bad row, however pyarrow would pair the quotes."""
    good = ",".join(GOOD)
    quoted = good.replace("a title", '"a, ""title"""')
    lines = [good, first, good, quoted, second, good, good]
    parsed = parse_rows("\n".join(lines).encode(), COLUMNS, KINDS)
    assert parsed.rows == len(lines)
    assert {0, 2, 3, 5, 6} <= set(parsed.numbers.tolist())
    titles = dict(zip(parsed.numbers.tolist(), parsed.table["Title"].to_pylist(), strict=True))
    assert titles[3] == 'a, "title"'


# without the last: after an open quote `t",` closes it, and the rows between are one quoted field
@given(st.lists(st.sampled_from([*STRAY[:-1], "good", "quoted", "lines"]), max_size=9))
@settings(max_examples=60, deadline=None)
def test_good_rows_survive_any_mixture_of_stray_quotes(names: list[str]) -> None:
    """Rule: as above, with quoted line ends among the good rows."""
    good = ",".join(GOOD)
    texts = {
        "good": good,
        "quoted": good.replace("a title", '"a ""title"""'),
        "lines": good.replace("a title", '"a\n,title"'),
    }
    parsed = parse_rows("\n".join(texts.get(name, name) for name in names).encode(), COLUMNS, KINDS)
    assert parsed.rows == len(names)
    expected = [place for place, name in enumerate(names) if name in texts]
    assert set(expected) <= set(parsed.numbers.tolist())


FRAGMENTS = st.sampled_from(
    [
        b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"\xff", b"\xef\xbb\xbf", b"\x00", b" ",
        b"0", b"a", ",".join(GOOD).encode() + b"\n", BAD, b'00ab,"x"', b"nan(1)", b"0.5",
    ]
)  # fmt: skip


@given(st.lists(FRAGMENTS, max_size=30).map(b"".join) | st.binary(max_size=60))
@example(b"\xef\xbb\xbf" + ",".join(GOOD).encode())  # a byte order mark is part of the ImageID
@example(",".join(GOOD).encode() + b"\r" + ",".join(GOOD).encode())  # \r alone ends a row
@example(b'00ab,xclick,/m/1,0.5,0,1,90,"a\rb",?\n' + BAD)  # a quoted \r does not
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_raise_nothing_and_lose_nothing(data: bytes) -> None:
    """Rule: rows in = good + rejected, each row once, as the row texts have them."""
    parsed = parse_rows(data, COLUMNS, KINDS)
    assert parsed.rows == len(row_texts(data))
    bad = [reject.row for reject in parsed.rejects]
    assert sorted([*parsed.numbers.tolist(), *bad]) == list(range(parsed.rows))
    assert np.all(np.diff(parsed.numbers) > 0)
    assert len(parsed.table) == len(parsed.numbers)
    texts = row_texts(data)
    for reject in parsed.rejects:
        assert reject.raw == texts[reject.row]
    for place, title in zip(parsed.numbers, parsed.table["Title"].to_pylist(), strict=True):
        assert (title or "") == fields(texts[place])[7]


@given(st.sets(st.integers(0, 399), max_size=6), st.sampled_from(["\n", "\r\n"]))
@settings(max_examples=30, deadline=None)
def test_bad_rows_are_found_by_halving(bad: set[int], line_end: str) -> None:
    """Rule: in a long range the row numbers of good and bad rows stay those of the range."""
    rows = [changed("Title", f"t{i}") for i in range(400)]
    for place in bad:
        rows[place][3] = "half"
    parsed = parse_rows(as_csv(rows, line_end), COLUMNS, KINDS)
    assert [reject.row for reject in parsed.rejects] == sorted(bad)
    assert parsed.table["Title"].to_pylist() == [f"t{i}" for i in range(400) if i not in bad]
    assert parsed.numbers.tolist() == [i for i in range(400) if i not in bad]
    assert all(column.num_chunks == 1 for column in parsed.table.columns)


def test_bytes_that_are_not_utf8_are_replaced_in_texts_and_bad_in_an_id() -> None:
    """Rule: such a row is kept where only a text is concerned; nothing beside it is lost."""
    title = as_csv([GOOD]).replace(b"a title", b"caf\xe9")
    image = as_csv([GOOD]).replace(b"00ab", b"00\xe9b")
    unread = as_csv([GOOD]).replace(b"?", b"\xe9")
    parsed = parse_rows(title + image + unread, COLUMNS, KINDS)
    assert parsed.table["Title"].to_pylist() == ["caf\ufffd", "a title"]
    assert [(bad.row, bad.reason) for bad in parsed.rejects] == [(1, "value")]


@pytest.mark.parametrize("behind", [b"", BAD])
def test_a_byte_order_mark_between_rows_is_part_of_its_field(behind: bytes) -> None:
    """Rule: wherever a range begins, its first row is read like any other."""
    row = b"\xef\xbb\xbf" + as_csv([GOOD])
    assert [bad.row for bad in parse_rows(row + behind, COLUMNS, KINDS).rejects][:1] == [0]
    columns = ("Title", *COLUMNS[1:7], "ImageID", "Extra")
    title = b"\xef\xbb\xbf" + as_csv([["t", *GOOD[1:7], "00ab", "?"]])
    parsed = parse_rows(title + behind, columns, KINDS)
    assert parsed.table["Title"].to_pylist() == ["\ufefft"]


def test_a_field_longer_than_python_csv_allows_is_read() -> None:
    """Rule: no limit on a field, on either path."""
    rows = [changed("Title", "x" * 200_000), changed("Title", 'y"' * 20_000)]
    assert parse_rows(as_csv(rows) + BAD, COLUMNS, KINDS).numbers.tolist() == [0, 1]


@pytest.mark.parametrize("data", [b"", b"\n", b"\r\n\n\r"])
def test_blank_lines_alone_are_no_rows(data: bytes) -> None:
    """Rule: an empty range has typed columns, so that ranges can be joined."""
    parsed = parse_rows(data, COLUMNS, KINDS)
    assert (parsed.rows, len(parsed.table), parsed.rejects) == (0, 0, ())
    assert parsed.table.schema.types == [kind.type for kind in KINDS.values()]


def test_a_blank_in_a_column_that_is_not_a_number_is_text() -> None:
    """Rule: no stripping of blanks; a blank in a text does not make the range suspect."""
    parsed = parse_rows(as_csv([changed("Source", "x click")]), COLUMNS, KINDS)
    assert parsed.table["Source"].to_pylist() == ["x click"]
