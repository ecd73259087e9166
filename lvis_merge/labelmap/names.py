"""When two class names count as equal: the mechanical side of a label map's relations.

`mappings/README.md` gives people the same definitions. They compare spellings only; whether two
classes mean the same thing in pictures is for a person to say.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

_QUALIFIER = re.compile(r"\([^()]*\)")
_BETWEEN_WORDS = re.compile(r"[\s_\-/]+")
_LONGEST_PLURAL = 4  # words; each may have several singulars, so long names are left as they are
_IRREGULAR_PLURALS = {
    "children": "child",
    "feet": "foot",
    "geese": "goose",
    "lice": "louse",
    "mice": "mouse",
    "oxen": "ox",
    "people": "person",
    "teeth": "tooth",
}
# British and American English, and words that are spelt in two ways. Both sides are rewritten.
_SPELLING_VARIANTS = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        ("aeroplane", "airplane"),
        ("chilli|chile", "chili"),
        ("cheque", "check"),
        ("doughnut", "donut"),
        ("drier", "dryer"),
        ("grey", "gray"),
        ("jewellery", "jewelry"),
        ("moustache", "mustache"),
        ("omelette", "omelet"),
        ("plough", "plow"),
        ("pyjama", "pajama"),
        ("racquet", "racket"),
        ("theatre", "theater"),
        ("tyre", "tire"),
        ("whiskey", "whisky"),
        ("yogh?ourt|yoghurt", "yogurt"),
        ("(?<=arb|arm|col|hum|lab|lav|vap)our", "or"),
        ("(?<=ent|fib|lit|met)re(?=s?$)", "er"),
    )
)


def normalise(name: str) -> str:
    """Lower case, single spaces for `_`, `-` and `/`, `and` for `&`, no apostrophes."""
    text = name.casefold().replace("&", " and ").replace("'", "").replace("’", "")
    return " ".join(_BETWEEN_WORDS.sub(" ", text).split())


def split_qualifier(name: str) -> tuple[str, bool]:
    """A name without its parts in brackets, and whether it had any: `bat_(animal)`."""
    bare = _QUALIFIER.sub(" ", name)
    return bare, bare != name


def singular_forms(name: str) -> frozenset[str]:
    """What a normalised name may be the plural of, itself included.

    Forms are for comparing, not for showing: `bus` also gives `bu`, which is no name.
    """
    words = name.split(" ")
    if len(words) > _LONGEST_PLURAL:
        return frozenset((name,))
    return frozenset(" ".join(forms) for forms in product(*map(_singular_words, words)))


def _singular_words(word: str) -> list[str]:
    forms = [word]
    if word in _IRREGULAR_PLURALS:
        forms.append(_IRREGULAR_PLURALS[word])
    elif word.endswith("men"):
        forms.append(word[:-3] + "man")
    elif len(word) > 2 and word.endswith("s") and not word.endswith("ss"):
        forms.append(word[:-1])
        if re.search(r"(s|x|z|ch|sh|o)es$", word):
            forms.append(word[:-2])
        if word.endswith("ies"):
            forms.append(word[:-3] + "y")
        if word.endswith("ves"):
            forms += [word[:-3] + "f", word[:-3] + "fe"]
    return forms


def spelling_forms(name: str) -> frozenset[str]:
    """The singular forms without spaces and in one of the spellings that exist of a word."""
    return frozenset(_one_spelling(form) for form in singular_forms(name))


def _one_spelling(form: str) -> str:
    text = form.replace(" ", "")
    for pattern, replacement in _SPELLING_VARIANTS:
        text = pattern.sub(replacement, text)
    return text


@dataclass(frozen=True)
class NameMatch:
    """How a source's class name and an LVIS category's names agree.

    Attributes:
        relation: `exact`, `synonym`, `plural` or `spelling`.
        lvis_word: the LVIS name or synonym that agrees, as LVIS writes it.
    """

    relation: str
    lvis_word: str


def match_names(
    source_name: str, lvis_names: Iterable[str], synonyms: Iterable[str]
) -> NameMatch | None:
    """The first relation that holds between a source's class and an LVIS category.

    - exact: the names are equal once normalised, and LVIS's has no qualifier in brackets;
    - synonym: the source's name equals an LVIS synonym, or the name without its qualifier;
    - plural: equal to one of these but for plurals, word by word;
    - spelling: equal to one of these but for spaces or a word's second spelling.

    Args:
        source_name: the source's class name.
        lvis_names: the category's names (LVIS versions may differ).
        synonyms: its synonyms, the names not needed among them.

    Returns:
        The relation and the LVIS word, or None: only a person can relate the two (`curated`).
    """
    name = normalise(source_name)
    names, words = list(lvis_names), []
    for word in (*names, *synonyms):
        bare, qualified = split_qualifier(word)
        if not qualified and word in names and normalise(bare) == name:
            return NameMatch("exact", word)
        words.append((word, normalise(bare)))
    words = [(word, bare) for word, bare in words if bare]
    for word, bare in words:
        if bare == name:
            return NameMatch("synonym", word)
    singulars = singular_forms(name)
    for word, bare in words:
        if singulars & singular_forms(bare):
            return NameMatch("plural", word)
    spellings = spelling_forms(name)
    for word, bare in words:
        if spellings & spelling_forms(bare):
            return NameMatch("spelling", word)
    return None
