import pytest

from lvis_merge.errors import InputError
from lvis_merge.labelmap.vocabulary import read_lvis_vocabulary
from lvis_merge.labelmap.wordnet import DEFAULT_FOLDER, Sense, read_wordnet
from tests.labelmap.mini_wordnet import write_wordnet
from tests.labelmap.vocabularies import REFERENCE


def test_words_senses_and_kinds(tmp_path):
    found = read_wordnet(write_wordnet(tmp_path))
    assert found.of_synset("mouse.n.02") == Sense(
        "00000004", ("mouse", "computer_mouse"), ("00000005",), "a pointing device"
    )
    assert [sense.offset for sense in found.of_word("mouse")] == ["00000003", "00000004"]
    # examples are cut off the gloss
    assert found.of_word("animal")[0].gloss == "a living organism"
    assert found.irregular_plurals == {"mice": ("mouse",)}


@pytest.mark.parametrize("synset", ["mouse.n.03", "mouse.n.00", "cat.n.01", "mouse.v.01", "mouse"])
def test_unknown_synsets_have_no_sense(tmp_path, synset):
    assert read_wordnet(write_wordnet(tmp_path)).of_synset(synset) is None


def test_above_counts_the_steps(tmp_path):
    found = read_wordnet(write_wordnet(tmp_path))
    mouse = found.of_synset("mouse.n.01")
    assert found.above(mouse, 1) == {"00000002": 1}
    assert found.above(mouse, 9) == {"00000002": 1, "00000001": 2}


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("index.noun", None, "cannot be read"),
        ("data.noun", "00000001 03 n\n", "is no WordNet 3 database"),
        ("data.noun", "", "do not belong together"),
        ("index.noun", "mouse n 1 0 1 0 99999999\n", "do not belong together"),
    ],
)
def test_a_damaged_database_is_an_input_error(tmp_path, file, text, message):
    path = write_wordnet(tmp_path) / file
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_wordnet(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not DEFAULT_FOLDER.is_dir(), reason="WordNet is not installed")
@pytest.mark.skipif(not REFERENCE.is_dir(), reason="no reference vocabularies")
def test_wordnet_resolves_every_lvis_synset_but_the_stop_sign():
    categories = read_lvis_vocabulary(
        [REFERENCE / "lvis_v0.5_categories.json", REFERENCE / "lvis_v1_categories.json"]
    )
    found = read_wordnet(DEFAULT_FOLDER)
    assert [s for s in categories if found.of_synset(s) is None] == ["stop_sign.n.01"]
