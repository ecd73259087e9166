"""The class list and the class hierarchy."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from lvis_merge.errors import InputError
from lvis_merge.sources.open_images.classes import read_classes, read_hierarchy

LISTS = [
    # V5: no header
    (b"/m/1,Cat\n/m/2,Dog\n", {"/m/1": "Cat", "/m/2": "Dog"}),
    # V7: a header, CRLF, no last line end, a blank line
    (b"LabelName,DisplayName\r\n/m/1,Cat\r\n\r\n/m/2,Dog", {"/m/1": "Cat", "/m/2": "Dog"}),
    # a byte order mark; a quoted name with a comma; file order
    (b'\xef\xbb\xbf/m/2,"Dog, brown"\n/m/1,Cat\n', {"/m/2": "Dog, brown", "/m/1": "Cat"}),
    ("/m/1,Kürbis\n".encode(), {"/m/1": "Kürbis"}),
]


@pytest.mark.parametrize(("data", "expected"), LISTS)
def test_a_class_list_is_read_with_and_without_header(
    tmp_path: Path, data: bytes, expected: dict[str, str]
) -> None:
    """Rule: V5's and V7's files are both read, packed or not."""
    plain, packed = tmp_path / "c.csv", tmp_path / "c.csv.gz"
    plain.write_bytes(data)
    packed.write_bytes(gzip.compress(data))
    assert list(read_classes(plain, "c.csv").items()) == list(expected.items())
    assert read_classes(packed, "c.csv.gz") == expected


BAD_LISTS = [
    (b"", "c.csv: lists no class. Download it again."),
    (b"LabelName,DisplayName\n", "c.csv: lists no class. Download it again."),
    (
        b"/m/1,Cat\n\n/m/2\n",
        "c.csv, row 2: '/m/2' is not MID,name such as /m/011k07,Tortoise."
        " Check that it is the class list.",
    ),
    (
        b"ImageID,Source\n",
        "c.csv, row 1: 'ImageID,Source' is not MID,name such as /m/011k07,Tortoise."
        " Check that it is the class list.",
    ),
    (b"/m/1,Cat\n/m/1,Dog\n", "c.csv, row 2: /m/1 is listed twice. Mend the file."),
    (b"/m/1,Caf\xe9\n", "c.csv: is no UTF-8 text. Download it again."),
]


@pytest.mark.parametrize(("data", "message"), BAD_LISTS)
def test_a_bad_class_list_is_an_error(tmp_path: Path, data: bytes, message: str) -> None:
    """Rule: one message with the file, the row and what to do."""
    (tmp_path / "c.csv").write_bytes(data)
    with pytest.raises(InputError) as error:
        read_classes(tmp_path / "c.csv", "c.csv")
    assert str(error.value) == message


def node(mid: str, *below: Any, part: tuple[Any, ...] = ()) -> dict[str, Any]:
    edges = {"Subcategory": list(below)} if below else {}
    return {"LabelName": mid, **edges, **({"Part": list(part)} if part else {})}


TREES = [
    # a chain: all below, not only children
    (node("a", node("b", node("c"))), {"a": "bc", "b": "c", "c": ""}),
    # two nodes of one MID: what lies below either counts, wherever the MID stands
    (
        node("r", node("x", node("a", node("b"))), node("y", node("a", node("c")))),
        {"r": "xyabc", "x": "abc", "y": "abc", "a": "bc", "b": "", "c": ""},
    ),
    # parts are no subcategories, but have some of their own
    (
        node("car", node("taxi"), part=(node("wheel", node("spare")),)),
        {"car": ["taxi"], "wheel": ["spare"], "taxi": [], "spare": []},
    ),
    # a class that is both part and subcategory elsewhere
    (
        node("r", node("a", part=(node("b", node("c")),)), node("b")),
        {"r": "abc", "a": "", "b": "c", "c": ""},
    ),
    # a cycle through two nodes ends, and a class is not below itself
    (node("a", node("b", node("a"))), {"a": "b", "b": "a"}),
    (node("a", node("a", node("b"))), {"a": "b", "b": ""}),
]


@pytest.mark.parametrize(("tree", "expected"), TREES)
def test_descendants_are_the_closure_over_subcategory_edges(
    tmp_path: Path, tree: Any, expected: dict[str, Any]
) -> None:
    """Rule: `Subcategory` edges only, all nodes of a MID, at every step down."""
    (tmp_path / "h.json").write_text(json.dumps(tree))
    found = read_hierarchy(tmp_path / "h.json", "h.json").descendants
    assert found == {mid: frozenset(below) for mid, below in expected.items()}


NO_TREE = "h.json: a node has no LabelName, or its Subcategory or Part is no list."
BAD_TREES = [
    ("[]", NO_TREE),
    ("null", NO_TREE),
    ("{}", NO_TREE),
    ('{"LabelName": 1}', NO_TREE),
    ('{"LabelName": "a", "Subcategory": {}}', NO_TREE),
    ('{"LabelName": "a", "Part": "b"}', NO_TREE),
    ('{"LabelName": "a", "Part": null}', NO_TREE),
    ('{"LabelName": "a", "Subcategory": ["b"]}', NO_TREE),
    ('{"LabelName": "a", "Subcategory": [{"LabelName": []}]}', NO_TREE),
]


@pytest.mark.parametrize(("text", "message"), BAD_TREES)
def test_a_tree_of_another_form_is_an_error(tmp_path: Path, text: str, message: str) -> None:
    """Rule: a file of the wrong kind is exit 3, not a traceback."""
    (tmp_path / "h.json").write_text(text)
    with pytest.raises(InputError) as error:
        read_hierarchy(tmp_path / "h.json", "h.json")
    assert str(error.value) == f"{message} Check that it is the class hierarchy."


@pytest.mark.parametrize(
    "text",
    [
        '{"LabelName": "a"',  # cut short
        "<html>",
        '{"LabelName": "a", "Subcategory": [' * 100_000,  # nested without end
        "[" * 100_000 + "]" * 100_000,
    ],
)
def test_what_is_no_json_is_an_error(tmp_path: Path, text: str) -> None:
    """Rule: damaged or absurdly nested JSON ends with one message."""
    (tmp_path / "h.json").write_text(text)
    with pytest.raises(InputError, match=r"^h\.json: is no JSON \(.*\)\. Download it again\.$"):
        read_hierarchy(tmp_path / "h.json", "h.json")


def test_deep_nesting_that_json_allows_is_read(tmp_path: Path) -> None:
    """Rule: no recursion of our own: what decodes is read."""
    tree = node("m0")
    for level in range(1, 300):
        tree = node(f"m{level}", tree)
    (tmp_path / "h.json").write_text(json.dumps(tree))
    assert len(read_hierarchy(tmp_path / "h.json", "h.json").descendants["m299"]) == 299
