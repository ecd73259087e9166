import csv
import io

import pytest

from lvis_merge import resources
from lvis_merge.labelmap.names import match_names
from lvis_merge.labelmap.read import RejectedPair, read_map, read_rejected
from lvis_merge.labelmap.suggest import KINDS, suggest_rows, suggestions_csv
from lvis_merge.labelmap.vocabulary import SourceClass, read_class_list, read_lvis_vocabulary
from lvis_merge.labelmap.wordnet import read_wordnet
from tests.labelmap.mini_wordnet import write_wordnet
from tests.labelmap.vocabularies import LVIS, REFERENCE, lvis_json


@pytest.fixture
def categories(tmp_path):
    # the mini WordNet has fewer senses than the real one
    renumbered = {"mouse.n.04": "mouse.n.02", "bull.n.11": "bull.n.02"}
    rows = [(renumbered.get(synset, synset), *rest) for synset, *rest in LVIS]
    rows.append(("rodent.n.01", "rodent", [], "a gnawing mammal"))
    return read_lvis_vocabulary([lvis_json(tmp_path / "lvis.json", rows)])


@pytest.fixture
def wordnet(tmp_path):
    return read_wordnet(write_wordnet(tmp_path))


def brief(rows):
    return [(row.lvis_synset, row.relation, row.score) for row in rows]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Bull", [("bull.n.02", "exact", 0.95)]),
        ("Bat", [("bat.n.01", "synonym", 0.8)]),
        ("Chopsticks", [("chopstick.n.01", "plural", 0.75)]),
        ("Sun hat", [("sunhat.n.01", "spelling", 0.7)]),
        ("Flying disc", []),
        # several categories agree: all are proposed, all lose
        ("Mouse", [("mouse.n.01", "synonym", 0.64), ("mouse.n.02", "synonym", 0.64)]),
    ],
)
def test_names_alone(categories, name, expected):
    assert brief(suggest_rows([SourceClass("1", name)], categories)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # the same sense under another word
        ("Flying disc", [("frisbee.n.01", "wordnet", 0.6)]),
        # a name of the category too: the name's relation, a little more certain
        ("Bull", [("bull.n.02", "exact", 1.0)]),
        # irregular plural from noun.exc; the wider and the narrower come last
        ("Gnawer", [("rodent.n.01", "wordnet", 0.6), ("mouse.n.01", "wordnet", 0.3)]),
        # a kind of mouse, itself a kind of rodent
        ("House mouse", [("mouse.n.01", "wordnet", 0.3), ("rodent.n.01", "wordnet", 0.2)]),
        # sense 1 of the word before the name's look-alike of sense 2
        ("Tank", [("tank.n.02", "synonym", 0.85), ("tank.n.01", "wordnet", 0.6)]),
        ("Unheard-of", []),
    ],
)
def test_names_and_wordnet(categories, wordnet, name, expected):
    found = suggest_rows([SourceClass("1", name)], categories, wordnet=wordnet)
    assert brief(found) == expected


def test_irregular_plurals_are_looked_up_in_wordnet(categories, wordnet):
    no_names = {synset: categories[synset] for synset in ("rodent.n.01",)}
    found = suggest_rows([SourceClass("1", "House mice")], no_names, wordnet=wordnet)
    assert brief(found) == [("rodent.n.01", "wordnet", 0.2)]


def test_rejected_pairs_are_flagged_with_their_reason_and_come_last(categories, wordnet):
    pair = RejectedPair("/m/t", "tank.n.02", "Tank", "tank_(storage_vessel)", "a war machine")
    found = suggest_rows(
        [SourceClass("/m/t", "Tank"), SourceClass("7", "tank")],
        categories,
        wordnet=wordnet,
        rejected={("/m/t", "tank.n.02"): pair},
    )
    assert brief(found) == [
        ("tank.n.01", "wordnet", 0.6),
        ("tank.n.02", "synonym", 0.04),
        # another source's class of that name: a hint, no verdict
        ("tank.n.01", "wordnet", 0.6),
        ("tank.n.02", "synonym", 0.42),
    ]
    assert found[1].evidence.startswith("REJECTED: a war machine; ")
    assert found[3].evidence.startswith("rejected for Open Images /m/t: a war machine; ")


def test_limit_keeps_the_best_of_each_class(categories, wordnet):
    classes = [SourceClass("1", "Tank"), SourceClass("2", "Mouse")]
    every = suggest_rows(classes, categories, wordnet=wordnet)
    first = suggest_rows(classes, categories, wordnet=wordnet, limit=1)
    assert [row for row in every if row.source_id == "1"][:1] == first[:1]
    assert [row.source_id for row in first] == ["1", "2"]


def test_csv_columns_and_evidence(categories):
    found = suggest_rows([SourceClass("1", "Bat")], categories)
    rows = list(csv.DictReader(io.StringIO(suggestions_csv(found))))
    assert rows == [
        {
            "source_id": "1",
            "source_name": "Bat",
            "lvis_synset": "bat.n.01",
            "lvis_name": "bat_(animal)",
            "relation": "synonym",
            "score": "0.80",
            "evidence": "LVIS bat_(animal) without its qualifier",
            "definition": "nocturnal mouselike mammal",
        }
    ]


@pytest.mark.skipif(not REFERENCE.is_dir(), reason="no reference vocabularies")
def test_names_find_nearly_all_pairs_that_people_accepted_by_name():
    categories = read_lvis_vocabulary(
        [REFERENCE / "lvis_v0.5_categories.json", REFERENCE / "lvis_v1_categories.json"]
    )
    classes = read_class_list(REFERENCE / "open_images_class-descriptions-boxable.csv")
    rejected = read_rejected(resources.rejected_pairs())
    found = {
        (row.source_id, row.lvis_synset): row
        for row in suggest_rows(classes, categories, rejected=rejected)
    }
    accepted = [
        row for row in read_map(resources.all_pairs_map()).rows if row.relation in KINDS[:4]
    ]
    missed = [row for row in accepted if (row.source_id, row.synset) not in found]
    assert len(accepted) > 300
    assert len(missed) <= 0.05 * len(accepted), missed
    # what names suggest is either accepted or rejected with a reason: nobody overlooked a pair
    judged = {(row.source_id, row.synset) for row in accepted} | rejected.keys()
    assert found.keys() <= judged
    # the index finds every category that the definitions relate, for some of the classes
    for source in classes[::40]:
        by_trying_all = {
            synset
            for synset, category in categories.items()
            if match_names(source.name, category.names, category.synonyms)
        }
        assert by_trying_all == {synset for mid, synset in found if mid == source.source_id}
