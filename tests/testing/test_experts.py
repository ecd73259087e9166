"""Experts' results under LVIS ids: joins, what is dropped, and that nothing is lost."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from lvis_merge import manifest as manifests
from lvis_merge import resources
from lvis_merge.errors import InputError
from lvis_merge.evaluation.known import Known
from lvis_merge.labelmap.read import read_map
from lvis_merge.sources.tables import CATEGORY_ROWS
from lvis_merge.testing.experts.convert import Converted, convert
from lvis_merge.testing.experts.partners import ExpertClass, partners
from lvis_merge.testing.experts.report import as_json, lines
from lvis_merge.testing.pools import read_pool
from tests.evaluation.world import found
from tests.manifest.other_spaces import CAT, DOG, PERSON, coco_small, open_images_small
from tests.manifest.small import small

COCO_HEADER = "coco_id,coco_name,lvis_synset,lvis_name,relation,note\n"
COCO_CSV = (
    f"{COCO_HEADER}1,person,person.n.01,person,exact,\n"
    "17,cat,cat.n.01,cat,exact,\n"
    "18,dog,dog.n.01,dog,exact,\n"
    "44,bottle,,,,LVIS has another one\n"
    # two classes of one category
    "45,puppy,dog.n.01,dog,curated,\n"
    # a category of another LVIS version
    "46,goat,goat.n.01,goat,exact,\n"
)
OPEN_CSV = (
    "mid,open_images_name,lvis_synset,lvis_name,relation,note\n"
    "/m/0kmg4,Teddy bear,teddy.n.01,teddy_bear,spelling,\n"
    "/m/0other,Other,other.n.01,other,exact,\n"
)
LVIS = [(7, "person", "person.n.01"), (9, "dog", "dog.n.01"), (11, "cat", "cat.n.01"),
        (13, "teddy_bear", "teddy.n.01")]  # fmt: skip


def lvis_categories() -> pa.Table:
    rows = [{"category_id": i, "name": name, "synset": synset} for i, name, synset in LVIS]
    return pa.Table.from_pylist(rows, schema=CATEGORY_ROWS)


def map_of(folder: Path, text: str) -> Path:
    path = folder / "map.csv"
    path.write_text(text)
    return path


def test_coco_ids_are_joined_by_the_map(tmp_path: Path) -> None:
    read = read_map(map_of(tmp_path, COCO_CSV))
    assert partners(read, lvis_categories(), None) == (
        ExpertClass(1, "person", 7),
        ExpertClass(17, "cat", 11),
        ExpertClass(18, "dog", 9),
        ExpertClass(44, "bottle", None, "no_partner"),
        ExpertClass(45, "puppy", 9),
        ExpertClass(46, "goat", None, "not_in_lvis"),
    )


def test_the_map_of_an_extra_source_joins_like_coco_s(tmp_path: Path) -> None:
    """A detector trained on any numbered classes is an expert too."""
    text = COCO_CSV.replace("coco_id,coco_name", "source_id,source_name")
    found = partners(read_map(map_of(tmp_path, text)), lvis_categories(), None)
    assert found == partners(read_map(map_of(tmp_path, COCO_CSV)), lvis_categories(), None)
    assert found[0] == ExpertClass(1, "person", 7)


def test_a_coco_manifest_s_ids_are_joined_by_their_names(tmp_path: Path) -> None:
    manifest = manifests.open(coco_small().write(tmp_path / "m"))
    # the map gives cats another number; the name decides
    text = COCO_CSV.replace("17,cat", "3,cat").replace("18,dog", "9,hund")
    read = read_map(map_of(tmp_path, text))
    assert partners(read, lvis_categories(), manifest) == (
        ExpertClass(PERSON, "person", 7),
        ExpertClass(CAT, "cat", 11),
        ExpertClass(DOG, "dog", None, "not_in_map"),
    )


def test_an_open_images_manifest_s_ids_are_joined_by_their_mids(tmp_path: Path) -> None:
    manifest = manifests.open(open_images_small().write(tmp_path / "m"))
    read = read_map(map_of(tmp_path, OPEN_CSV))
    assert partners(read, lvis_categories(), manifest) == (
        ExpertClass(1, "Spoon", None, "not_in_map"),
        ExpertClass(2, "Teddy bear", 13),
    )


def test_map_and_manifest_have_to_go_together(tmp_path: Path) -> None:
    coco, open_images = map_of(tmp_path, COCO_CSV), tmp_path / "open.csv"
    open_images.write_text(OPEN_CSV)
    folders = {"coco": coco_small(), "open_images": open_images_small(), "lvis": small()}
    opened = {name: manifests.open(s.write(tmp_path / name)) for name, s in folders.items()}
    for label_map, name, message in (
        (open_images, None, "whose classes have no numbers of their own. Give the --manifest"),
        (open_images, "coco", "is in label space coco. Give the map of the same classes."),
        (coco, "open_images", "is in label space open_images. Give the map of the same classes."),
        (coco, "lvis", "is a manifest in label space lvis; results under its ids are LVIS's"),
    ):
        with pytest.raises(InputError) as error:
            partners(read_map(label_map), lvis_categories(), opened[name] if name else None)
        assert message in str(error.value)


def test_the_published_map_finds_the_shared_categories_of_v1() -> None:
    """Of COCO's 80 classes, all that are of any LVIS version's synsets."""
    read = read_map(resources.default_coco_map())
    synsets = sorted({row.synset for row in read.rows if row.synset})
    rows = [{"category_id": n, "name": s, "synset": s} for n, s in enumerate(synsets, 1)]
    classes = partners(read, pa.Table.from_pylist(rows, schema=CATEGORY_ROWS), None)
    assert len(classes) == 80
    assert {one.why for one in classes} <= {None, "no_partner"}
    assert {one.category_id for one in classes} - {None} == set(range(1, len(synsets) + 1))


BOX = [10.0, 10.0, 20.0, 20.0]
RESULTS = [
    found(1, 18, BOX, 0.9), found(2, 44, BOX, 0.8), found(1, 45, BOX, 0.7), found(3, 46, BOX, 0.6),
    found(1, 1, BOX, 0.5), found(2, 44, BOX, 0.4),
]  # fmt: skip


def converted(folder: Path, rows: list[dict[str, object]], out: Path, **options: bool) -> Converted:
    results = folder / "coco.json"
    results.write_text(json.dumps(rows))
    classes = partners(read_map(map_of(folder, COCO_CSV)), lvis_categories(), None)
    names = {number: name for number, name, _ in LVIS}
    return convert(str(results), classes, names, "map.csv", out, **options)


@pytest.mark.parametrize("name", ["lvis.json", "lvis.parquet"])
def test_results_are_converted_in_their_order(name: str, tmp_path: Path) -> None:
    outcome = converted(tmp_path, RESULTS, tmp_path / name)
    pool = read_pool(str(tmp_path / name), Known("x"))
    found_rows = pool.results.detections
    assert found_rows.category_id.tolist() == [9, 9, 7]
    assert found_rows.image_id.tolist() == [1, 1, 1]
    assert found_rows.score.tolist() == [0.9, 0.7, 0.5]
    # what the expert knows, found here or not: cats too
    assert pool.known_category_ids.tolist() == [7, 9, 11]
    assert outcome.entries == outcome.kept + sum(as_json(outcome)["dropped"].values()) == 6


def test_everything_dropped_is_counted_and_told(tmp_path: Path) -> None:
    bad = [found(1, 99, BOX, 0.5), found(1, 1, BOX, 2.0)]
    outcome = converted(tmp_path, [*RESULTS, *bad], tmp_path / "out.json", lenient=True)
    plain = as_json(outcome)
    assert (plain["entries"], plain["kept"]) == (8, 3)
    assert plain["dropped"] == {"no_partner": 2, "not_in_map": 0, "not_in_lvis": 1, "bad": 2}
    assert plain["bad"] == {"category_id": 1, "score": 1}
    assert plain["several_classes"] == {"9": [18, 45]}
    assert lines(outcome) == [
        "coco.json: 8 detections = 3 kept + 5 dropped",
        "4 of 6 classes are 3 LVIS categories",
        "1 class dropped, the map gives no LVIS category: bottle (2)",
        "1 class dropped, this LVIS has no category of that synset: goat (1)",
        "2 classes on dog: dog (1), puppy (1)",
        "bad entries: category_id 1, score 1",
    ]


def test_an_id_that_no_class_has(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        converted(tmp_path, [found(1, 99, BOX, 0.5)], tmp_path / "out.json")
    assert str(error.value).startswith(
        f"{tmp_path / 'coco.json'}: entry 1: category_id 99 is not in map.csv. Give the map or the"
        " --manifest that has the expert's ids."
    )
    assert not (tmp_path / "out.json").exists()


def test_long_lists_are_cut_and_masks_left_out(tmp_path: Path) -> None:
    text = "".join(f"{n},class {n},,,,none\n" for n in range(1, 16))
    classes = partners(read_map(map_of(tmp_path, COCO_HEADER + text)), lvis_categories(), None)
    rows = [found(1, n, BOX, 0.5, mask=True) for n in (3, 3, 9)]
    (tmp_path / "r.json").write_text(json.dumps(rows))
    outcome = convert(str(tmp_path / "r.json"), classes, {}, "map.csv", tmp_path / "out.parquet")
    assert "class 3 (2), class 9 (1), class 1 (0)" in lines(outcome)[2]
    assert lines(outcome)[2].endswith(" and 3 more")
    assert lines(outcome)[3].startswith("Masks were left out")
    pool = read_pool(str(tmp_path / "out.parquet"), Known("x"))
    assert (len(pool.results.detections), pool.known_category_ids.tolist()) == (0, [])
    assert np.array_equal(pool.results.detections.bbox, np.zeros((0, 4)))  # type: ignore[arg-type]
