import gzip
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvis_merge.errors import InputError
from lvis_merge.labelmap.vocabulary import (
    LvisCategory,
    SourceClass,
    read_class_list,
    read_lvis_vocabulary,
)
from tests.labelmap.vocabularies import lvis_json, write


def test_annotation_file_and_bare_list_give_the_same(tmp_path):
    path = lvis_json(tmp_path / "lvis.json")
    bare = tmp_path / "categories.json"
    bare.write_text("\n " + json.dumps(json.loads(path.read_text())["categories"]))
    assert read_lvis_vocabulary([path]) == read_lvis_vocabulary([bare])


def test_versions_are_joined_by_synset(tmp_path):
    # v0.5 called person.n.01 baby; v1 calls it person
    old = lvis_json(tmp_path / "a.json", [("person.n.01", "baby", ["baby", "boy"], "")])
    new = lvis_json(tmp_path / "b.json", [("person.n.01", "person", ["baby", "girl"], "a human")])
    assert read_lvis_vocabulary([old, new]) == {
        "person.n.01": LvisCategory(
            "person.n.01", ("baby", "person"), ("boy", "girl"), "a human", False
        )
    }


def test_two_categories_of_one_file_with_one_synset_are_marked(tmp_path):
    rows = [("a.n.01", "a", [], ""), ("a.n.01", "b", [], ""), ("c.n.01", "c", [], "")]
    found = read_lvis_vocabulary([lvis_json(tmp_path / "lvis.json", rows)])
    assert [category.is_shared for category in found.values()] == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        '{"images": []}',  # no categories
        '{"categories": [{"id": 1, "name": "person"}]}',  # COCO: no synset
        "[1, 2]",
        '{"categories": [',  # cut short
        "",
    ],
)
def test_other_json_is_refused_with_the_file_named(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"x\.json: holds no LVIS categories"):
        read_lvis_vocabulary([path])


@pytest.mark.parametrize(
    "lines",
    [
        # Open Images V5: no header; V7: a header
        ("/m/1,Bat", '/m/2,"Salt, pepper"'),
        ("LabelName,DisplayName", "/m/1,Bat", '/m/2,"Salt, pepper"'),
        # any vocabulary, columns in any order
        ("name,size,id", "Bat,1,/m/1", '"Salt, pepper",2,/m/2'),
        # a label map is a class list too
        ("mid,open_images_name,note", "/m/1,Bat,", '/m/2,"Salt, pepper",'),
    ],
)
def test_class_lists(tmp_path, lines):
    assert read_class_list(write(tmp_path / "c.csv", *lines)) == [
        SourceClass("/m/1", "Bat"),
        SourceClass("/m/2", "Salt, pepper"),
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "is no class list"),
        (("a,b", "1,Bat"), "is no class list. Give a CSV with the columns id and name"),
        (("id,name", "1"), "row 1: 1 fields, expected 2"),
        (("id,name", "1,Bat", ",Cat"), "row 2: the id or the name is empty"),
        (("id,name", "1,"), "row 1: the id or the name is empty"),
        (("/m/1,Bat", "/m/1,Cat"), "row 2: the id /m/1 is there twice"),
    ],
)
def test_bad_class_lists(tmp_path, lines, message):
    with pytest.raises(InputError, match=message):
        read_class_list(write(tmp_path / "c.csv", *lines))


@given(st.binary(max_size=100), st.sampled_from([b"", b"id,name\n", b"/m/1,a\n"]))
def test_any_bytes_are_a_class_list_or_an_input_error(tmp_path_factory, data, head):
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_bytes(head + data)
    try:
        classes = read_class_list(path)
    except InputError:
        return
    assert len({found.source_id for found in classes}) == len(classes)


@pytest.mark.parametrize("name", ["acme.json", "acme.json.gz"])
def test_the_categories_of_a_coco_file_are_a_class_list(tmp_path, name):
    document = {
        "annotations": [1, 2],
        "categories": [{"id": 7, "name": "b"}, {"id": 3, "name": "a"}],
    }
    data = json.dumps(document).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    assert read_class_list(tmp_path / name) == [SourceClass("3", "a"), SourceClass("7", "b")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "has no array `categories`"),
        ('{"categories": []}', "`categories` is empty"),
        ('{"categories": [{"id": 1}]}', "no row of `categories` has `name`"),
        ('{"categories": [{"id": 1, "name": "a"}', "acme.json"),
    ],
)
def test_a_json_file_without_classes_is_refused(tmp_path, text, message):
    path = tmp_path / "acme.json"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_class_list(path)
