import pytest

from lvis_merge.labelmap.names import (
    match_names,
    normalise,
    singular_forms,
    spelling_forms,
    split_qualifier,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Alarm clock", "alarm clock"),
        ("alarm_clock", "alarm clock"),
        ("Flip-flop", "flip flop"),
        ("windshield/screen", "windshield screen"),
        ("Carpenter's saw", "carpenters saw"),
        ("Salt & pepper", "salt and pepper"),
        ("  a__b ", "a b"),
    ],
)
def test_normalise(name, expected):
    assert normalise(name) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bat_(animal)", ("bat", True)),
        ("bat", ("bat", False)),
        ("monitor_(computer_equipment) computer_monitor", ("monitor computer monitor", True)),
    ],
)
def test_split_qualifier(name, expected):
    bare, qualified = split_qualifier(name)
    assert (normalise(bare), qualified) == expected


@pytest.mark.parametrize(
    ("plural", "singular"),
    [
        ("chopsticks", "chopstick"),
        ("boxes", "box"),
        ("watches", "watch"),
        ("tomatoes", "tomato"),
        ("shoes", "shoe"),  # -oes that only loses its s
        ("cherries", "cherry"),
        ("cookies", "cookie"),  # -ies that only loses its s
        ("knives", "knife"),
        ("shelves", "shelf"),
        ("gloves", "glove"),  # -ves that only loses its s
        ("mice", "mouse"),
        ("snowmen", "snowman"),
        ("children", "child"),
        ("roller skates", "roller skate"),
        ("moths and butterflies", "moth and butterfly"),
    ],
)
def test_a_plural_has_its_singular_among_its_forms(plural, singular):
    assert singular in singular_forms(plural)
    assert plural in singular_forms(plural)


@pytest.mark.parametrize("name", ["glass", "dress", "s", "as", "a b c d es"])
def test_no_plural_no_other_form(name):
    # -ss, words too short, names of more than four words
    assert singular_forms(name) == {name}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("light bulb", "lightbulb"),
        ("doughnut", "donut"),
        ("hair drier", "hairdryer"),
        ("armour", "armor"),
        ("litres", "liters"),
        ("grey racquets", "gray racket"),
    ],
)
def test_spellings_that_agree(one, other):
    assert spelling_forms(one) & spelling_forms(other)


@pytest.mark.parametrize(("one", "other"), [("hour", "hor"), ("tire", "tier"), ("four", "for")])
def test_spelling_rules_leave_other_words_alone(one, other):
    assert not spelling_forms(one) & spelling_forms(other)


@pytest.mark.parametrize(
    ("source", "names", "synonyms", "relation", "word"),
    [
        ("Acorn", ["acorn"], [], "exact", "acorn"),
        ("Alarm clock", ["alarm_clock"], [], "exact", "alarm_clock"),
        # the second LVIS version's name counts as a name too
        ("Person", ["baby", "person"], [], "exact", "person"),
        # a qualifier says that the bare name is ambiguous: never exact
        ("Bat", ["bat_(animal)"], [], "synonym", "bat_(animal)"),
        ("Human", ["baby"], ["human"], "synonym", "human"),
        # exact before synonym, synonym before plural, whatever the order of the words
        ("Jeans", ["jean"], ["jeans"], "synonym", "jeans"),
        ("Chopsticks", ["chopstick"], [], "plural", "chopstick"),
        ("Knife", ["knives"], [], "plural", "knives"),
        ("Ice cream", ["icecream"], [], "spelling", "icecream"),
        ("Door handle", ["doorknob"], ["doorhandle"], "spelling", "doorhandle"),
        ("Tank", ["army_tank"], [], None, None),
        # nothing left beside the qualifier
        ("(x)", ["(x)"], [], None, None),
    ],
)
def test_match_names_gives_the_first_relation_that_holds(source, names, synonyms, relation, word):
    match = match_names(source, names, synonyms)
    assert (match and match.relation, match and match.lvis_word) == (relation, word)
