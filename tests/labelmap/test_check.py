import pytest

from lvis_merge import resources
from lvis_merge.errors import InputError
from lvis_merge.labelmap import check as check_module
from lvis_merge.labelmap.check import check_map
from lvis_merge.labelmap.known import Known
from lvis_merge.labelmap.read import RejectedPair
from tests.labelmap.vocabularies import (
    COCO_HEADER,
    OPEN_IMAGES_HEADER,
    REFERENCE,
    lvis_json,
    write,
)

KNOWN = Known(
    lvis_names={
        "acorn.n.01": frozenset(["acorn"]),
        "cork.n.01": frozenset(["cork"]),
        "tank.n.02": frozenset(["tank_(storage_vessel)"]),
    },
    class_names={"mid": {"/m/0a": "Acorn"}},
    rejected={
        ("/m/t", "tank.n.02"): RejectedPair(
            "/m/t", "tank.n.02", "Tank", "tank_(storage_vessel)", "a war machine"
        )
    },
)


@pytest.fixture
def lint(tmp_path, monkeypatch):
    """Lints rows of an Open Images map; gives (level, row, code) of each finding."""
    monkeypatch.setattr(check_module, "read_known", lambda: KNOWN)

    def run(*rows: str, lvis: bool = False, classes: tuple[str, ...] = ()):
        problems = check_map(
            write(tmp_path / "map.csv", OPEN_IMAGES_HEADER, *rows),
            [lvis_json(tmp_path / "lvis.json")] if lvis else [],
            write(tmp_path / "classes.csv", "id,name", *classes) if classes else None,
        )
        return [(problem.level, problem.row, problem.code) for problem in problems]

    return run


BAT = "/m/0b,Bat,bat.n.01,bat_(animal),synonym,"
BULL = "/m/1b,Bull,bull.n.11,bull,exact,"


def test_a_sound_map_has_no_findings(lint):
    assert lint(BAT, BULL) == []
    assert lint(BAT, BULL, lvis=True, classes=("/m/0b,Bat", "/m/1b,Bull")) == []


@pytest.mark.parametrize(
    ("rows", "findings"),
    [
        # rows that cannot be read: all of them, the good rows are linted still
        (
            ["/m/0b", BAT.replace("synonym", "same"), BULL.replace("exact", "spelling")],
            [("error", 1, "format"), ("error", 2, "format"), ("warning", 3, "relation")],
        ),
        # a class twice
        ([BAT, BAT], [("error", 2, "format")]),
        # two classes on one category, one name under two ids
        ([BAT, "/m/0c,Bats,bat.n.01,bat_(animal),plural,"], [("warning", 2, "shared-synset")]),
        ([BULL, "/m/2b,bull,x.n.01,x,curated,"], [("warning", 2, "shared-name")]),
        # not sorted by id: told once
        ([BULL, BAT, "/m/0a,Acorn,acorn.n.01,acorn,exact,"], [("warning", 2, "order")]),
        # a name that the packaged maps have otherwise
        (["/m/0a,Oak,oak.n.01,oak,exact,"], [("warning", 1, "name-drift")]),
        (["/m/0z,Oak,acorn.n.01,oak,exact,"], [("warning", 1, "name-drift")]),
        # the row's own names say otherwise
        (["/m/0z,Oak,oak.n.01,oak tree,exact,"], [("error", 1, "relation")]),
        (["/m/0z,Oak,oak.n.01,oak,curated,"], [("warning", 1, "relation")]),
        # a synonym cannot be judged without LVIS's synonyms
        (["/m/0z,Oak,oak.n.01,quercus,synonym,"], []),
        # no synset
        (["/m/0z,Oak,oak,oak,exact,"], [("warning", 1, "synset-form")]),
        # rejected pairs, unless a person decided otherwise and says why
        (["/m/t,Tank,tank.n.02,tank_(storage_vessel),synonym,"], [("error", 1, "rejected")]),
        (["/m/t,Tank,tank.n.02,tank_(storage_vessel),synonym,why"], [("error", 1, "rejected")]),
        (
            ["/m/t,Tank,tank.n.02,storage vessel,curated,why"],
            [("warning", 1, "name-drift"), ("warning", 1, "rejected")],
        ),
    ],
)
def test_lints_without_vocabularies(lint, rows, findings):
    assert lint(*rows) == findings


@pytest.mark.parametrize(
    ("row", "findings"),
    [
        ("/m/1,Acorn,acorn.n.99,acorn,exact,", [("error", 1, "unknown-synset")]),
        # a packaged map has the synset: another version of LVIS
        ("/m/1,Cork,cork.n.01,cork,exact,", [("warning", 1, "other-version")]),
        # the name that LVIS gives counts, not the row's
        ("/m/1,Bull,bull.n.11,bulls,exact,", [("warning", 1, "name-drift")]),
        ("/m/1,Bat,bat.n.01,bat,exact,", [("error", 1, "relation"), ("warning", 1, "name-drift")]),
        ("/m/1,Bull,bull.n.11,ox,synonym,", [("warning", 1, "name-drift")]),
        # LVIS's synonyms are known now
        ("/m/1,Computer mouse,mouse.n.04,mouse_(computer_equipment),synonym,", []),
        ("/m/1,Flying disc,frisbee.n.01,frisbee,synonym,", [("warning", 1, "relation")]),
        ("/m/1,Flying disc,frisbee.n.01,frisbee,curated,", []),
        # two categories agree by name: the note has to say why this one, or the other is rejected
        ("/m/1,Mouse,mouse.n.01,mouse_(animal_rodent),synonym,", [("warning", 1, "look-alike")]),
        ("/m/1,Mouse,mouse.n.01,mouse_(animal_rodent),synonym,the animal", []),
        ("/m/t,Tank,tank.n.01,army_tank,curated,", []),
    ],
)
def test_lints_with_lvis_categories(lint, row, findings):
    assert lint(row, lvis=True) == findings


def test_lints_with_a_class_list(lint):
    assert lint(BAT, BULL, classes=("/m/0b,Bat (animal)",)) == [
        ("warning", 1, "name-drift"),
        ("error", 2, "unknown-class"),
    ]


def test_a_synset_of_two_categories_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(check_module, "read_known", Known)
    lvis = lvis_json(tmp_path / "l.json", [("a.n.01", "a", [], ""), ("a.n.01", "b", [], "")])
    path = write(tmp_path / "map.csv", OPEN_IMAGES_HEADER, "/m/1,a,a.n.01,a,exact,")
    assert [problem.code for problem in check_map(path, [lvis])] == ["shared-category"]


def test_coco_ids_are_ordered_as_numbers_and_need_no_synset(tmp_path, monkeypatch):
    monkeypatch.setattr(check_module, "read_known", Known)
    rows = ("9,bat,bat.n.01,bat_(animal),synonym,", "10,hot dog,,,,none")
    path = write(tmp_path / "coco.csv", COCO_HEADER, *rows)
    assert check_map(path, [lvis_json(tmp_path / "lvis.json")]) == []


def test_a_file_that_is_no_map_is_a_finding_but_a_missing_one_is_an_error(tmp_path):
    problems = check_map(write(tmp_path / "x.csv", "a,b"))
    assert [(problem.level, problem.row, problem.code) for problem in problems] == [
        ("error", None, "format")
    ]
    with pytest.raises(InputError, match="no such file"):
        check_map(tmp_path / "absent.csv")


PACKAGED = (resources.default_map, resources.all_pairs_map, resources.default_coco_map)


@pytest.mark.parametrize("path", PACKAGED)
def test_packaged_maps_have_no_errors_by_themselves(path):
    assert [problem for problem in check_map(path()) if problem.level == "error"] == []


@pytest.mark.parametrize("path", PACKAGED)
@pytest.mark.skipif(not REFERENCE.is_dir(), reason="no reference vocabularies")
def test_packaged_maps_have_no_errors_with_the_real_vocabularies(path):
    lvis = [REFERENCE / "lvis_v0.5_categories.json", REFERENCE / "lvis_v1_categories.json"]
    classes = REFERENCE / "open_images_class-descriptions-boxable.csv"
    problems = check_map(path(), lvis, None if path is resources.default_coco_map else classes)
    assert [problem for problem in problems if problem.level == "error"] == []
