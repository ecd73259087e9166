"""Proposes map rows for a new vocabulary, with the evidence, for a person to accept.

A score orders the candidates of a class; it is no probability. It starts from the kind of
evidence (`_BASE`), gains a little where WordNet agrees, and loses where several categories agree
by name or where people rejected the pair.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace

from lvis_merge.labelmap.name_index import NameIndex
from lvis_merge.labelmap.names import NameMatch, normalise, singular_forms, split_qualifier
from lvis_merge.labelmap.read import RejectedPair
from lvis_merge.labelmap.vocabulary import LvisCategory, SourceClass
from lvis_merge.labelmap.wordnet import Sense, WordNet

KINDS = ("exact", "synonym", "plural", "spelling", "wordnet")
"""The kinds of evidence, the strongest first. `wordnet` is no relation of a map: who accepts such a
row writes `curated`."""

_BASE = {"exact": 0.95, "synonym": 0.8, "plural": 0.75, "spelling": 0.7, "wordnet": 0.6}
_WORDNET_AGREES = 0.05
_PER_LATER_SENSE = 0.05
_LOWEST_SAME_SENSE = 0.4
_KIND_OF = {1: 0.3, 2: 0.2}  # by steps between the two senses
_SENSES_FOR_KIND_OF = 2  # rarer senses of a word lead to far-fetched kinds
_AMBIGUOUS_FACTOR = 0.8
_REJECTED_FACTOR = 0.05
_REJECTED_BY_NAME_FACTOR = 0.5


@dataclass(frozen=True)
class Suggestion:
    """A proposed map row; the fields are the columns of the output.

    Attributes:
        source_id: the source's class id.
        source_name: its name.
        lvis_synset: the LVIS synset.
        lvis_name: the LVIS name.
        relation: one of `KINDS`.
        score: in [0, 1], two decimals; orders the candidates of a class.
        evidence: what speaks for and against the pair.
        definition: LVIS's definition.
    """

    source_id: str
    source_name: str
    lvis_synset: str
    lvis_name: str
    relation: str
    score: float
    evidence: str
    definition: str


def suggest_rows(
    classes: Iterable[SourceClass],
    categories: Mapping[str, LvisCategory],
    *,
    wordnet: WordNet | None = None,
    rejected: Mapping[tuple[str, str], RejectedPair] | None = None,
    limit: int = 5,
) -> list[Suggestion]:
    """Proposes LVIS categories for the classes of a vocabulary.

    Args:
        classes: the new vocabulary.
        categories: LVIS categories by synset.
        wordnet: WordNet's nouns; without them there is no evidence of kind `wordnet`.
        rejected: pairs that people rejected, by (id, synset); flagged, not left out. A pair is
            also flagged, more weakly, where only the name is that of a rejected class.
        limit: the most candidates per class.

    Returns:
        Suggestions in the order of the classes, for each class the best first.
    """
    index = NameIndex(categories)
    links = _WordNetLinks(wordnet, categories) if wordnet is not None else None
    rejections = _Rejections(rejected or {})
    rows: list[Suggestion] = []
    for source in classes:
        by_name = [_from_names(source, *match) for match in index.matches(source.name)]
        candidates = {row.lvis_synset: row for row in _mark_ambiguous(by_name)}
        for row in links.of_class(source) if links is not None else ():
            candidates[row.lvis_synset] = _joined(candidates.get(row.lvis_synset), row)
        judged = [rejections.judge(row) for row in candidates.values()]
        judged.sort(key=lambda row: (-row.score, KINDS.index(row.relation), row.lvis_synset))
        rows += judged[:limit]
    return rows


def is_undisputed(row: Suggestion) -> bool:
    """Whether the names agree, with no other category, and nobody rejected the pair."""
    return row.relation != "wordnet" and row.score >= _BASE[row.relation]


def _row(
    source: SourceClass, category: LvisCategory, relation: str, score: float, evidence: str
) -> Suggestion:
    return Suggestion(
        source.source_id,
        source.name,
        category.synset,
        category.names[0],
        relation,
        round(score, 2),
        evidence,
        category.definition,
    )


def _from_names(source: SourceClass, category: LvisCategory, match: NameMatch) -> Suggestion:
    word = match.lvis_word
    if match.relation == "exact":
        evidence = f"same name as LVIS {word}"
    elif match.relation == "synonym":
        qualified = word in category.names and split_qualifier(word)[1]
        evidence = f"LVIS {word} without its qualifier" if qualified else f"LVIS synonym {word}"
    elif match.relation == "plural":
        evidence = f"LVIS {word} but for the plural"
    else:
        evidence = f"LVIS {word} but for spaces or spelling"
    return _row(source, category, match.relation, _BASE[match.relation], evidence)


def _mark_ambiguous(rows: Sequence[Suggestion]) -> list[Suggestion]:
    if len(rows) < 2:
        return list(rows)
    return [
        replace(
            row,
            score=round(row.score * _AMBIGUOUS_FACTOR, 2),
            evidence=f"{row.evidence}; {len(rows)} categories agree by name",
        )
        for row in rows
    ]


def _joined(by_name: Suggestion | None, by_wordnet: Suggestion) -> Suggestion:
    """The name's evidence with WordNet's added; a mere kind-of adds nothing to a name."""
    if by_name is None:
        return by_wordnet
    if by_wordnet.score < _LOWEST_SAME_SENSE:
        return by_name
    return replace(
        by_name,
        score=round(min(1.0, by_name.score + _WORDNET_AGREES), 2),
        evidence=f"{by_name.evidence}; {by_wordnet.evidence}",
    )


class _WordNetLinks:
    """Categories whose WordNet sense is one of a class name's, or just above or below it."""

    def __init__(self, wordnet: WordNet, categories: Mapping[str, LvisCategory]) -> None:
        self._wordnet = wordnet
        self._by_offset: dict[str, LvisCategory] = {}
        self._below: dict[str, list[tuple[int, LvisCategory]]] = {}
        for synset, category in sorted(categories.items()):
            sense = wordnet.of_synset(synset)
            if sense is None:
                continue
            self._by_offset.setdefault(sense.offset, category)
            for above, steps in wordnet.above(sense, max(_KIND_OF)).items():
                self._below.setdefault(above, []).append((steps, category))

    def of_class(self, source: SourceClass) -> list[Suggestion]:
        best: dict[str, Suggestion] = {}
        for word, rank, sense in self._senses(source.name):
            for category, score, evidence in self._links(word, rank, sense):
                row = _row(source, category, "wordnet", score, evidence)
                old = best.get(category.synset)
                if old is None or row.score > old.score:
                    best[category.synset] = row
        return list(best.values())

    def _links(
        self, word: str, rank: int, sense: Sense
    ) -> Iterable[tuple[LvisCategory, float, str]]:
        if same := self._by_offset.get(sense.offset):
            score = max(_LOWEST_SAME_SENSE, _BASE["wordnet"] - _PER_LATER_SENSE * (rank - 1))
            yield same, score, f"WordNet: {same.synset} is sense {rank} of {word}"
        if rank > _SENSES_FOR_KIND_OF:
            return
        for offset, steps in self._wordnet.above(sense, max(_KIND_OF)).items():
            if wider := self._by_offset.get(offset):
                yield wider, _KIND_OF[steps], f"WordNet: {word} is a kind of {wider.synset}"
        for steps, narrower in self._below.get(sense.offset, ()):
            yield narrower, _KIND_OF[steps], f"WordNet: {narrower.synset} is a kind of {word}"

    def _senses(self, name: str) -> Iterable[tuple[str, int, Sense]]:
        """Senses of the name as it stands, or of its singulars where WordNet lacks it."""
        plain = normalise(name)
        for forms in ([plain], sorted(singular_forms(plain)), self._irregular(plain)):
            words = [
                word
                for form in forms
                for word in dict.fromkeys(form.replace(" ", mark) for mark in ("_", "-", ""))
                if word in self._wordnet.offsets
            ]
            if words:
                for word in words:
                    for rank, sense in enumerate(self._wordnet.of_word(word), 1):
                        yield word, rank, sense
                return

    def _irregular(self, plain: str) -> list[str]:
        start, _, last = plain.rpartition(" ")
        return [
            f"{start} {single}".strip() for single in self._wordnet.irregular_plurals.get(last, ())
        ]


class _Rejections:
    """What people said against pairs, by id and by name."""

    def __init__(self, rejected: Mapping[tuple[str, str], RejectedPair]) -> None:
        self._by_id = rejected
        self._by_name = {
            (normalise(pair.open_images_name), pair.synset): pair for pair in rejected.values()
        }

    def judge(self, row: Suggestion) -> Suggestion:
        if pair := self._by_id.get((row.source_id, row.lvis_synset)):
            factor, flag = _REJECTED_FACTOR, f"REJECTED: {pair.reason}"
        elif pair := self._by_name.get((normalise(row.source_name), row.lvis_synset)):
            factor = _REJECTED_BY_NAME_FACTOR
            flag = f"rejected for Open Images {pair.mid}: {pair.reason}"
        else:
            return row
        return replace(row, score=round(row.score * factor, 2), evidence=f"{flag}; {row.evidence}")


def suggestions_csv(rows: Iterable[Suggestion]) -> str:
    """The suggestions as CSV text, with a header."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in fields(Suggestion)])
    writer.writerows([*astuple(row)[:5], f"{row.score:.2f}", *astuple(row)[6:]] for row in rows)
    return text.getvalue()
