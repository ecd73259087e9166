import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvis_merge.errors import InputError
from lvis_merge.labelmap.read import parse_map, read_map, read_rejected
from lvis_merge.labelmap.rows import COCO, OPEN_IMAGES, MapRow
from tests.labelmap.vocabularies import COCO_HEADER, OPEN_IMAGES_HEADER, write


def test_open_images_map_keeps_rows_and_bytes(tmp_path):
    path = write(
        tmp_path / "map.csv",
        OPEN_IMAGES_HEADER,
        '/m/1,Acorn,acorn.n.01,acorn,exact,"a nut, not a ""seed"""',
        "/m/2,Bat,bat.n.01,bat_(animal),synonym,",
    )
    found = read_map(path)
    assert found.style is OPEN_IMAGES
    assert found.rows == (
        MapRow(1, "/m/1", "Acorn", "acorn.n.01", "acorn", "exact", 'a nut, not a "seed"'),
        MapRow(2, "/m/2", "Bat", "bat.n.01", "bat_(animal)", "synonym", ""),
    )
    assert found.name == "map.csv"
    assert found.data == path.read_bytes()
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


def test_coco_map_may_say_that_lvis_has_no_such_category(tmp_path):
    path = write(tmp_path / "coco.csv", COCO_HEADER, "058,hot dog,,,,LVIS has none")
    found = read_map(path)
    assert found.style is COCO
    # leading zeros are dropped: rows are joined by the number
    assert found.rows == (MapRow(1, "58", "hot dog", None, "", None, "LVIS has none"),)


@pytest.mark.parametrize(
    "text",
    [
        # a spreadsheet's byte order mark and line ends
        "\ufeffmid,open_images_name,lvis_synset,lvis_name,relation,note\r\n"
        "/m/1,Acorn,acorn.n.01,acorn,exact,\r\n",
        # columns by name, others ignored
        "note,who,mid,relation,lvis_name,lvis_synset,open_images_name\n"
        ",me,/m/1,exact,acorn,acorn.n.01,Acorn\n",
        # blank lines are no rows
        "mid,open_images_name,lvis_synset,lvis_name,relation,note\n\n"
        "/m/1,Acorn,acorn.n.01,acorn,exact,",
    ],
)
def test_same_rows_however_the_file_is_written(text):
    _, rows, faults = parse_map(text.encode(), "map.csv")
    assert rows == (MapRow(1, "/m/1", "Acorn", "acorn.n.01", "acorn", "exact", ""),)
    assert faults == []


GOOD = "/m/1,Acorn,acorn.n.01,acorn,exact,"


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        # the header
        ((), "is empty"),
        (("a,b",), "no column mid or coco_id or source_id"),
        (("mid,open_images_name,lvis_name,note",), "missing column lvis_synset, relation"),
        (("coco_id,open_images_name",), "missing column coco_name, "),
        ((OPEN_IMAGES_HEADER + ",mid",), "column mid is there more than once"),
        # rows with too few and too many fields; the row is named, the header not counted
        ((OPEN_IMAGES_HEADER, GOOD, "/m/2,Bat"), r"row 2: 2 fields where the header has 6"),
        ((OPEN_IMAGES_HEADER, GOOD + ",x"), r"row 1: 7 fields where the header has 6"),
        # ids
        ((OPEN_IMAGES_HEADER, GOOD[4:]), "row 1: mid is empty"),
        ((OPEN_IMAGES_HEADER, GOOD, GOOD), "row 2: mid /m/1 is already in row 1"),
        ((COCO_HEADER, "1,a,,,,", "01,b,,,,"), "row 2: coco_id 1 is already in row 1"),
        ((COCO_HEADER, "one,a,,,,"), "coco_id 'one' is not a whole number"),
        ((COCO_HEADER, "²,a,,,,"), "coco_id '²' is not a whole number"),
        # relations
        ((OPEN_IMAGES_HEADER, GOOD.replace("exact", "same")), "relation 'same' is not one of"),
        ((OPEN_IMAGES_HEADER, GOOD.replace("exact", " exact")), "relation ' exact' is not"),
        ((OPEN_IMAGES_HEADER, GOOD.replace("exact", "")), "relation is empty"),
        ((OPEN_IMAGES_HEADER, "/m/1,Acorn,,,,"), "lvis_synset is empty"),
        ((COCO_HEADER, "1,a,,,exact,"), "relation 'exact' without an lvis_synset"),
        # no CSV
        ((OPEN_IMAGES_HEADER, '/m/1,"Acorn" x,a,a,exact,'), "line 2: no valid CSV"),
        ((OPEN_IMAGES_HEADER, '/m/1,"Acorn'), "no valid CSV"),
    ],
)
def test_a_bad_map_is_refused_with_file_row_and_remedy(tmp_path, lines, message):
    path = write(tmp_path / "map.csv", *lines)
    with pytest.raises(InputError, match=message) as caught:
        read_map(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_is_an_input_error(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_map(tmp_path / "absent.csv")
    with pytest.raises(InputError, match="cannot be read"):
        read_map(tmp_path)


def test_other_encodings_are_refused_with_the_line(tmp_path):
    path = tmp_path / "map.csv"
    path.write_bytes(OPEN_IMAGES_HEADER.encode() + b"\n/m/1,Caf\xe9,a,a,exact,\n")
    with pytest.raises(InputError, match=r"line 2: not UTF-8 \(byte 0xe9\). Save it as UTF-8"):
        read_map(path)


def test_parse_map_tells_every_fault_and_keeps_the_good_rows():
    text = "\n".join((OPEN_IMAGES_HEADER, "/m/1", GOOD, ",B,b,b,same,", GOOD))
    _, rows, faults = parse_map(text.encode(), "map.csv")
    assert [row.row for row in rows] == [2]
    assert [fault.row for fault in faults] == [1, 3, 3, 4]


def test_rejected_pairs_by_mid_and_synset(tmp_path):
    header = "mid,open_images_name,lvis_synset,lvis_name,reason"
    path = write(tmp_path / "r.csv", header, "/m/1,Tank,tank.n.02,tank,a war machine")
    assert read_rejected(path)["/m/1", "tank.n.02"].reason == "a war machine"
    with pytest.raises(InputError, match="missing column reason"):
        read_rejected(write(path, "mid,open_images_name,lvis_synset,lvis_name", "/m/1,a,b,c"))
    with pytest.raises(InputError, match="row 1: 2 fields"):
        read_rejected(write(path, header, "/m/1,a"))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_map_or_an_input_error(data):
    for head in (b"", OPEN_IMAGES_HEADER.encode() + b"\n", COCO_HEADER.encode() + b"\n"):
        try:
            _, rows, faults = parse_map(head + data, "map.csv")
        except InputError:
            continue
        assert all(row.source_id for row in rows)
        assert len({row.source_id for row in rows}) == len(rows)
        assert not {row.row for row in rows} & {fault.row for fault in faults}


# Cells without control characters, which a map has no use for and RFC 4180 no rule
_CELL = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12)


@given(st.lists(st.tuples(_CELL.filter(bool), _CELL, _CELL), max_size=5, unique_by=lambda r: r[0]))
def test_quoted_cells_come_back_as_written(cells):
    def quoted(text: str) -> str:
        return '"' + text.replace('"', '""') + '"'

    lines = [
        f"{quoted(mid)},{quoted(name)},s.n.01,s,curated,{quoted(note)}" for mid, name, note in cells
    ]
    _, rows, faults = parse_map("\n".join([OPEN_IMAGES_HEADER, *lines]).encode(), "map.csv")
    assert faults == []
    assert [(row.source_id, row.source_name, row.note) for row in rows] == cells
