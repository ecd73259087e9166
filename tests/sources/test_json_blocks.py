from __future__ import annotations

import gzip
import json
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lvis_merge.errors import InputError
from lvis_merge.sources import json_blocks
from lvis_merge.sources.json_blocks import read_document
from lvis_merge.sources.json_scan import row_texts, rows_of_array


class Recorder:
    """Takes rows without the key `odd` as plain ones."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.odd_rows = 0

    def plain(self, array: bytes) -> int:
        rows = rows_of_array(array)
        if rows is None or any(b'"odd"' in row for row in rows):
            return 0
        self.texts += [row.decode() for row in rows]
        return len(rows)

    def odd(self, row: bytes) -> None:
        self.odd_rows += 1
        self.texts.append(row.decode())


def read(path: Path, values: frozenset[str] = frozenset({"info"})):
    return read_document(path, {"rows": Recorder}, values)


# Strings full of what structure is made of.
TEXTS = st.text('{}[]," \\:a\u00e9\n', max_size=6) | st.sampled_from(["}, {", "}]", '"},{"'])
SCALARS = st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats(allow_nan=True) | TEXTS
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ROWS = st.lists(
    st.dictionaries(TEXTS | st.sampled_from(["odd", "rows"]), VALUES, max_size=3) | VALUES,
    max_size=8,
)
DOCUMENTS = st.dictionaries(
    TEXTS | st.just("more"), VALUES | ROWS | st.fixed_dictionaries({"rows": ROWS}), max_size=3
)
FORMATS = st.sampled_from(
    [{}, {"indent": 2}, {"separators": (",", ":")}, {"separators": (" ,\r\n", "\t: ")}]
)


@given(DOCUMENTS, ROWS, VALUES, FORMATS, st.booleans(), st.integers(1, 80), st.randoms())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_rows_and_values_are_those_of_json_wherever_blocks_end(
    tmp_path, others, rows, info, how, ascii_only, block_bytes, random
):
    """Whatever the layout, key order, nesting or block size; rows keep their exact text."""
    others.pop("rows", None)
    members = [*others.items(), ("rows", rows), ("info", info)]
    random.shuffle(members)
    path = tmp_path / "a.json"
    path.write_text(json.dumps(dict(members), ensure_ascii=ascii_only, **how), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_blocks, "BLOCK_BYTES", block_bytes)
        document = read(path)
    texts = document.sinks["rows"].texts
    assert repr([json.loads(text) for text in texts]) == repr(rows)
    assert repr(document.values) == repr({"info": info})
    places = list(range(1, len(rows) + 1))
    again = row_texts(path, document.blocks["rows"], places)
    assert [again[place] for place in places] == texts
    assert all(text == text.strip() for text in texts)


def test_only_odd_rows_are_taken_one_by_one(tmp_path):
    rows = [{"a": n, **({"odd": 1} if n in (5, 77) else {})} for n in range(100)]
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"rows": rows}))
    sink = read(path).sinks["rows"]
    assert sink.odd_rows == 2
    assert [json.loads(text) for text in sink.texts] == rows


def test_a_name_that_is_there_twice_counts_once_and_last(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"rows": [{"a": 1}, {"a": 2}], "info": 1, "rows": [{"a": 3}], "info": 2}')
    document = read(path)
    assert document.sinks["rows"].texts == ['{"a": 3}']
    assert document.values == {"info": 2}


def test_array_that_is_named_as_a_value_is_kept_whole(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"info": [{"a": 1}], "rows": 5}')
    document = read(path)
    assert document.values == {"info": [{"a": 1}]}
    assert "rows" not in document.sinks  # no array: as if it were not there


@pytest.mark.parametrize("suffix", [".json", ".json.gz", ".zip"])
def test_archives_are_read_and_reread(tmp_path, suffix):
    text = b'{"rows": [{"a": 1},\n {"odd": 2}]}'
    path = tmp_path / f"a{suffix}"
    if suffix == ".zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("folder/a.json", text)
    else:
        path.write_bytes(gzip.compress(text) if suffix == ".json.gz" else text)
    document = read(path)
    assert document.sinks["rows"].texts == ['{"a": 1}', '{"odd": 2}']
    assert row_texts(path, document.blocks["rows"], [2]) == {2: '{"odd": 2}'}


def test_byte_order_mark_is_passed_over(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf{"rows": [{"a": 1}]}')
    assert read(path).sinks["rows"].texts == ['{"a": 1}']


WHOLE = '{"info": {"a": 1}, "rows": [{"b": "x"}, {"c": [1, 2]}]}'


@pytest.mark.parametrize("length", range(1, len(WHOLE)))
@pytest.mark.parametrize("block_bytes", [7, 1 << 19])
def test_a_file_cut_short_anywhere_is_an_error(tmp_path, monkeypatch, length, block_bytes):
    monkeypatch.setattr(json_blocks, "BLOCK_BYTES", block_bytes)
    path = tmp_path / "a.json"
    path.write_text(WHOLE[:length])
    with pytest.raises(InputError, match=r"a\.json: no valid JSON at byte .*cut short"):
        read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"rows": [{"a": 1},]}',
            "no valid JSON at byte 19 (Expecting value). The file is damaged, cut short or of"
            " another kind. Download it again.",
        ),
        (
            '{"rows": [{"a": 1} {"a": 2}]}',
            "no valid JSON at byte 18 (Expecting ',' or ']'). The file is damaged, cut short or of"
            " another kind. Download it again.",
        ),
        (
            '{"rows": [{"a": 1}]} {',
            "no valid JSON at byte 21 (text after the end). The file is damaged, cut short or of"
            " another kind. Download it again.",
        ),
        (
            '{"rows": [{"a": 1}], 5: 1}',
            "no valid JSON at byte 21 (a name in double quotes is missing). The file is damaged,"
            " cut short or of another kind. Download it again.",
        ),
        (
            '{"rows": [' + "[" * 20_000 + "]" * 20_000 + "]}",
            "no valid JSON at byte 10 (nested too deeply). The file is damaged, cut short or of"
            " another kind. Download it again.",
        ),
        (
            "ImageID,Source\n1,2\n",
            "is no JSON object (it starts with 'ImageID,Source\\n1,2\\n'). Give an LVIS or COCO"
            " annotation file.",
        ),
        (
            "[1, 2]",
            "is no JSON object (it starts with '[1, 2]'). Give an LVIS or COCO annotation file.",
        ),
        ("", "is no JSON object (it is empty). Give an LVIS or COCO annotation file."),
    ],
    ids=["trailing comma", "comma", "tail", "name", "nesting", "csv", "array", "empty"],
)
def test_what_is_no_json_is_told_with_its_place(tmp_path, text, message):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(InputError) as error:
        read(path)
    assert str(error.value) == f"{path}: {message}"


def test_text_that_is_not_utf8_is_told(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'{"info": "\xff\xfe", "rows": []}')
    with pytest.raises(InputError, match=r"a\.json: not UTF-8 near byte"):
        read(path)


def test_damaged_archive_is_told(tmp_path):
    path = tmp_path / "a.json.gz"
    path.write_bytes(gzip.compress(b'{"rows": []}' * 1000)[:-20])
    with pytest.raises(InputError, match="the archive is damaged or cut short"):
        read(path)
