"""CSV files cut into ranges: the same rows however they are cut."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lvis_merge.errors import InputError
from lvis_merge.sources import csv_chunks
from lvis_merge.sources.csv_chunks import (
    CsvFile,
    open_csv,
    recut,
    row_texts,
    take_rows,
    well_quoted,
)
from lvis_merge.sources.csv_fields import csv_bytes, fields

FIELD = st.sampled_from(
    [
        "",
        "a",
        "0.5",
        "a,b",
        'the "best"',
        '"',
        '""',
        "two\nlines",
        "two\r\nlines",
        "x\ry",
        "ü",
        'in"',
    ]
)
ROWS = st.lists(st.lists(FIELD, min_size=2, max_size=3), max_size=12)
BYTES = st.lists(
    st.sampled_from([b'"', b",", b"\n", b"\r\n", b"\r", b"a", b'"b"', b"c"]), max_size=40
)
FUNCTION_PATH = [HealthCheck.function_scoped_fixture]


def file_of(folder: Path, data: bytes, chunk_bytes: int) -> CsvFile:
    path = folder / "rows.csv"
    path.write_bytes(data)
    return open_csv(path, "rows.csv", ["a", "b"], header=False, chunk_bytes=chunk_bytes)


def well_cut(file: CsvFile, chunk_bytes: int) -> CsvFile:
    """As the scan does it: cut anew if a range shows that a cut fell into a quoted field."""
    if all(well_quoted(chunk.read()) for chunk in file.chunks):
        return file
    return recut(file, chunk_bytes)


@given(ROWS, st.integers(1, 60), st.sampled_from(["\n", "\r\n"]), st.booleans(), st.booleans())
@settings(max_examples=120, deadline=None, suppress_health_check=FUNCTION_PATH)
def test_any_range_size_gives_the_rows_of_csv_reader_over_the_whole_file(
    tmp_path: Path,
    rows: list[list[str]],
    chunk_bytes: int,
    line_end: str,
    blank: bool,
    final_line_end: bool,
) -> None:
    """Rule: a cut never falls inside a row, quoted line ends or not; blank lines are no rows."""
    text = ""
    for row in rows:
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\r\n").writerow(row)
        text += out.getvalue().removesuffix("\r\n") + line_end * (1 + blank)
    if not final_line_end:
        text = text.removesuffix(line_end)
    file = well_cut(file_of(tmp_path, text.encode(), chunk_bytes), chunk_bytes)
    found = [fields(row) for chunk in file.chunks for row in row_texts(chunk.read())]
    assert found == [row for row in csv.reader(io.StringIO(text, newline="")) if row]


@given(BYTES.map(b"".join), st.integers(1, 20))
@settings(max_examples=150, deadline=None, suppress_health_check=FUNCTION_PATH)
def test_ranges_of_a_spoiled_file_hold_the_same_rows_as_the_whole(
    tmp_path: Path, data: bytes, chunk_bytes: int
) -> None:
    """Rule: stray quotes do not make the rows depend on where the file is cut; no byte is lost."""
    file = well_cut(file_of(tmp_path, data, chunk_bytes), chunk_bytes)
    assert b"".join(chunk.read() for chunk in file.chunks) == data
    assert [text for chunk in file.chunks for text in row_texts(chunk.read())] == row_texts(data)


def test_recut_respects_the_wanted_size_where_rows_allow_it(tmp_path: Path) -> None:
    """Rule: one quoted line end does not turn a large file into one range."""
    data = b"aaaa,bbbb\n" * 50 + b'a,"x\ny"\n' + b"aaaa,bbbb\n" * 50
    file = recut(file_of(tmp_path, data, 40), 40)
    assert max(chunk.stop - chunk.start for chunk in file.chunks) <= 60
    assert sum(b'"x\ny"' in chunk.read() for chunk in file.chunks) == 1
    assert b"".join(chunk.read() for chunk in file.chunks) == data


def test_a_file_without_rows_has_no_ranges(tmp_path: Path) -> None:
    """Rule: header only is a file with no rows."""
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b\n")
    file = open_csv(path, "rows.csv", ["a"])
    assert file.chunks == ()
    assert recut(file) is file


@given(BYTES.map(b"".join), st.data())
@settings(max_examples=150, deadline=None)
def test_taken_rows_are_those_rows(data: bytes, draw: st.DataObject) -> None:
    """Rule: the second pass reads what the first pass numbered."""
    texts = row_texts(data)
    rows = sorted(draw.draw(st.sets(st.integers(0, len(texts) - 1)))) if texts else []
    taken = take_rows(data, np.array(rows, dtype=np.int64))
    expected = [fields(texts[row]) for row in rows]
    assert [fields(text) for text in row_texts(taken)] == expected


def test_taken_rows_are_right_where_quotes_pair_up_by_chance() -> None:
    """Rule: an even number of quotes in each line does not make each line a row."""
    data = b'5" b,"o\nr",c 5" x\ny,z\n'
    assert row_texts(data) == ['5" b,"o\nr",c 5" x', "y,z"]
    assert take_rows(data, np.array([1])).split() == [b"y,z"]


TEXTS = st.text(st.sampled_from('",ab '), min_size=1, max_size=12)


@given(TEXTS)
@settings(max_examples=150, deadline=None)
def test_fields_are_those_of_csv_reader(text: str) -> None:
    """Rule: standard CSV; a stray quote is read the lenient way, field counts as in `csv`."""
    assert fields(text) == next(csv.reader([text]))


@given(st.lists(st.lists(FIELD, min_size=2, max_size=3), max_size=5))
@settings(max_examples=100, deadline=None)
def test_written_rows_read_back(rows: list[list[str]]) -> None:
    """Rule: rows written anew keep their fields, a carriage return in them too."""
    assert [fields(text) for text in row_texts(csv_bytes(rows))] == rows


WELL_QUOTED = [
    (b"", True),
    (b"a,b\n", True),
    (b'"a"', True),
    (b'a,"b\nc"\r\n"d",""\n', True),
    (b'a,"b""c",""""\n', True),
    (b'a,"b\n', False),  # open at the end
    (b'b",c\n', False),  # open at the start
    (b'a,"b"c\n', False),  # closed before the field ends
    (b'a b"c",d\n', False),  # opens inside a field
    (b'a,"x\nb,"y\n', False),  # two stray quotes pair up, but not as field ends
    (b'5" a,"b\n', False),  # a quote as text, then one that opens
]


@pytest.mark.parametrize(("data", "expected"), WELL_QUOTED)
def test_well_quoted(data: bytes, expected: bool) -> None:
    """Rule: only where quotes open, close or are doubled do all CSV readers see the same rows."""
    assert well_quoted(data) is expected


def test_a_quote_open_for_too_long_is_stray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rule: the line of a quote that is open after the longest row is a row of its own."""
    monkeypatch.setattr(csv_chunks, "_ROW_BYTES", 30)
    near = 'a,"b\nc"\n'
    far = 'a,"b\n' + "ccccc\n" * 6 + 'd"\n'
    assert row_texts((near + far + near).encode()) == [
        'a,"b\nc"', 'a,"b', *["ccccc"] * 6, 'd"', 'a,"b\nc"',
    ]  # fmt: skip


def test_a_stray_quote_does_not_join_the_lines_behind_it() -> None:
    """Rule: one bad line costs one row, in a range of many kilobytes too."""
    lines = ['a,"b', *(f"{i},c" for i in range(30_000))]
    assert row_texts("\n".join(lines).encode()) == lines


HEADERS = [
    # (file, message)
    (b"", "f.csv: is empty. Download it again."),
    (b"\n\r\n", "f.csv: is empty. Download it again."),
    (
        b"<html>\n",
        "f.csv: the header lacks ImageID, X; it reads <html>. Check that it is the right file.",
    ),
    (
        b"ImageID,Y\n",
        "f.csv: the header lacks X; it reads ImageID, Y. Check that it is the right file.",
    ),
    (b"ImageID,X,Y,Y,X\n", "f.csv: the header names X, Y twice. Mend the file."),
    (
        b"\xff\xfe\x00",
        "f.csv: is no CSV file (its first line does not read as one). Download it again.",
    ),
    (
        b'ImageID,"X\n',
        "f.csv: is no CSV file (its first line does not read as one). Download it again.",
    ),
]


@pytest.mark.parametrize(("data", "message"), HEADERS)
def test_a_header_that_does_not_serve_is_an_error(
    tmp_path: Path, data: bytes, message: str
) -> None:
    """Rule: a missing needed column, or a file of the wrong kind, is exit 3 at once."""
    path = tmp_path / "local.csv"
    path.write_bytes(data)
    with pytest.raises(InputError) as error:
        open_csv(path, "f.csv", ["ImageID", "X"])
    assert str(error.value) == message
    assert error.value.exit_code == 3


@pytest.mark.parametrize(
    "header",
    [
        b"X,ImageID,more\n",
        b"\xef\xbb\xbfX,ImageID,more\r\n",  # a byte order mark
        b'\n"X","ImageID",more\n',  # a blank line before it, quoted names
    ],
)
def test_columns_are_found_by_name(tmp_path: Path, header: bytes) -> None:
    """Rule: columns are found by header name; extra ones are ignored."""
    path = tmp_path / "f.csv"
    path.write_bytes(header + b"1,2,3\n")
    file = open_csv(path, "f.csv", ["ImageID", "X"])
    assert file.columns == ("X", "ImageID", "more")
    assert [chunk.read() for chunk in file.chunks] == [b"1,2,3\n"]
