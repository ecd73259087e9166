import pytest

from lvis_merge.errors import InputError
from lvis_merge.labelmap.read import read_map
from lvis_merge.labelmap.resolve import (
    COCO_RESOLVED,
    EXTRA_RESOLVED,
    OPEN_IMAGES_RESOLVED,
    Renamed,
    resolve_coco,
    resolve_extra,
    resolve_open_images,
    resolve_own_labels,
)
from tests.labelmap.vocabularies import COCO_HEADER, OPEN_IMAGES_HEADER, category_rows, write


@pytest.fixture
def open_images(tmp_path):
    return read_map(
        write(
            tmp_path / "oi.csv",
            OPEN_IMAGES_HEADER,
            "/m/b,Bat,bat.n.01,bat_(animal),synonym,",
            "/m/B,Big bat,bat.n.01,bat_(animal),curated,",
            "/m/a,Acorn,acorn.n.01,acorn,exact,",
            "/m/c,Cork,cork.n.01,cork,exact,",
            "/m/d,Dog,dog.n.01,dog,exact,",
        )
    )


@pytest.fixture
def coco(tmp_path):
    return read_map(
        write(
            tmp_path / "coco.csv",
            COCO_HEADER,
            "10,bat,bat.n.01,bat_(animal),synonym,",
            "9,acorn,acorn.n.01,acorn,exact,",
            "58,hot dog,,,,LVIS has none",
            "80,dog,dog.n.01,dog,exact,",
            "90,cork,cork.n.01,cork,exact,",
        )
    )


LVIS = category_rows(
    (7, "bat_(animal)", "bat.n.01"), (3, "acorn", "acorn.n.01"), (4, "dog", "dog.n.01")
)


def test_open_images_rows_get_lvis_ids_by_synset_in_byte_order_of_mids(open_images):
    found = resolve_open_images(open_images, LVIS, ["/m/a", "/m/b", "/m/B", "/m/c", "/m/z"])
    assert found.table.schema == OPEN_IMAGES_RESOLVED
    assert [tuple(row.values()) for row in found.table.to_pylist()] == [
        ("/m/B", 7, "curated", "bat.n.01"),  # two classes may mean one category
        ("/m/a", 3, "exact", "acorn.n.01"),
        ("/m/b", 7, "synonym", "bat.n.01"),
    ]


def test_rows_this_version_or_class_list_lacks_are_reported_in_map_order(open_images):
    found = resolve_open_images(open_images, LVIS, ["/m/a", "/m/b", "/m/B", "/m/c"])
    assert [(row.row, row.source_id, row.synset, row.why) for row in found.unresolved] == [
        (4, "/m/c", "cork.n.01", "the LVIS file has no category with this synset"),
        (5, "/m/d", "dog.n.01", "the class list has no such class"),
    ]


def test_own_label_space_numbers_mids_from_one_and_asks_no_lvis(open_images):
    found = resolve_own_labels(open_images, {"/m/c", "/m/b", "/m/B"})
    assert found.table.schema == OPEN_IMAGES_RESOLVED
    assert found.table["mid"].to_pylist() == ["/m/B", "/m/b", "/m/c"]
    assert found.table["category_id"].to_pylist() == [1, 2, 3]
    assert [row.source_id for row in found.unresolved] == ["/m/a", "/m/d"]


def test_coco_is_joined_by_id_and_classes_without_a_category_are_not_unresolved(coco):
    classes = category_rows(
        (9, "acorn", None), (10, "Bat", None), (58, "hot dog", None), (90, "cork", None)
    )
    found = resolve_coco(coco, LVIS, classes)
    assert found.table.schema == COCO_RESOLVED
    assert [tuple(row.values()) for row in found.table.to_pylist()] == [
        (9, 3, "exact", "acorn.n.01"),
        (10, 7, "synonym", "bat.n.01"),
    ]
    assert [(row.source_id, row.why) for row in found.unresolved] == [
        ("80", "the COCO file has no such category"),
        ("90", "the LVIS file has no category with this synset"),
    ]
    # the id decides; another name under it is shown to the user
    assert found.renamed == (Renamed(1, "10", "bat", "Bat"),)


def test_a_mapped_synset_of_two_lvis_categories_is_an_error(open_images, coco):
    shared = category_rows((1, "a", "bat.n.01"), (2, "b", "bat.n.01"))
    with pytest.raises(InputError, match=r"bat.n.01 is shared by the LVIS categories 1 and 2"):
        resolve_open_images(open_images, shared, ["/m/b"])
    with pytest.raises(InputError, match=r"coco.csv: the synset bat.n.01 is shared"):
        resolve_coco(coco, shared, category_rows((10, "bat", None)))


def test_an_unmapped_synset_may_be_shared(open_images):
    shared = category_rows((1, "a", "x.n.01"), (2, "b", "x.n.01"), (3, "acorn", "acorn.n.01"))
    assert resolve_open_images(open_images, shared, ["/m/a"]).table.num_rows == 1


def test_a_map_of_the_other_kind_is_an_error(open_images, coco):
    with pytest.raises(InputError, match=r"a label map for COCO .* column mid is needed"):
        resolve_open_images(coco, LVIS, [])
    with pytest.raises(InputError, match="a label map for COCO"):
        resolve_own_labels(coco, [])
    with pytest.raises(InputError, match="a label map for Open Images"):
        resolve_coco(open_images, LVIS, category_rows())


def test_nothing_resolves_to_an_empty_table(open_images):
    found = resolve_open_images(open_images, LVIS, [])
    assert found.table.schema == OPEN_IMAGES_RESOLVED
    assert found.table.num_rows == 0
    assert len(found.unresolved) == 5


def test_a_map_of_an_extra_source_is_joined_by_its_numbers(tmp_path):
    lines = (
        "source_id,source_name,lvis_synset,lvis_name,relation,note",
        "7,Bat,bat.n.01,bat_(animal),synonym,",
        "007,Bats,bat.n.01,bat_(animal),plural,",
    )
    with pytest.raises(InputError, match="source_id 7 is already in row 1"):
        read_map(write(tmp_path / "twice.csv", *lines))
    found = resolve_extra(
        read_map(write(tmp_path / "acme.csv", *lines[:2], "8,Cat,,,,", "9,Nut,bat.n.01,x,exact,")),
        LVIS,
        category_rows((7, "bat", None), (8, "Cat", None)),
    )
    assert found.table.schema == EXTRA_RESOLVED
    assert [tuple(row.values()) for row in found.table.to_pylist()] == [
        (7, 7, "synonym", "bat.n.01")
    ]
    assert [row.why for row in found.unresolved] == ["its file has no such category"]
    assert found.renamed == (Renamed(1, "7", "Bat", "bat"),)
