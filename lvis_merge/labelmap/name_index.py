"""Finds the LVIS categories whose names agree with a class name, without trying them all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from lvis_merge.labelmap.names import (
    NameMatch,
    match_names,
    normalise,
    spelling_forms,
    split_qualifier,
)
from lvis_merge.labelmap.vocabulary import LvisCategory


class NameIndex:
    """LVIS categories by every way their names and synonyms can be spelt."""

    def __init__(self, categories: Mapping[str, LvisCategory]) -> None:
        """Indexes the categories.

        Args:
            categories: LVIS categories by synset.
        """
        self._categories = categories
        # Two names that agree by any rule share a spelling form: the widest of the rules.
        self._synsets: dict[str, set[str]] = defaultdict(set)
        for synset, category in categories.items():
            for word in (*category.names, *category.synonyms):
                for form in spelling_forms(normalise(split_qualifier(word)[0])):
                    if form:
                        self._synsets[form].add(synset)

    def matches(self, source_name: str) -> list[tuple[LvisCategory, NameMatch]]:
        """All categories that agree with a class name, by synset, and how."""
        synsets: set[str] = set()
        for form in spelling_forms(normalise(source_name)):
            synsets |= self._synsets.get(form, set())
        found = []
        for synset in sorted(synsets):
            category = self._categories[synset]
            match = match_names(source_name, category.names, category.synonyms)
            if match is not None:
                found.append((category, match))
        return found
