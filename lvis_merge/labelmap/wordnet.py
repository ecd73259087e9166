"""The nouns of WordNet, read from its own database files (Debian's `wordnet-base`).

Only what suggestions need: the senses of a word, the words of a sense, and what a sense is a kind
of. The file format is that of the manual page wndb(5WN).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lvis_merge.errors import InputError

DEFAULT_FOLDER = Path("/usr/share/wordnet")
_HYPERNYM = ("@", "@i")  # a kind of; an instance of


@dataclass(frozen=True)
class Sense:
    """One noun sense.

    Attributes:
        offset: its place in `data.noun`, WordNet's own key.
        words: its words, `_` between their parts.
        hypernyms: offsets of what it is directly a kind of.
        gloss: its definition, without the examples.
    """

    offset: str
    words: tuple[str, ...]
    hypernyms: tuple[str, ...]
    gloss: str


@dataclass(frozen=True)
class WordNet:
    """Nouns of WordNet.

    Attributes:
        offsets: for each word in lower case its senses, the most frequent first.
        senses: every sense by its offset.
        irregular_plurals: for each irregular plural its singulars.
    """

    offsets: dict[str, tuple[str, ...]]
    senses: dict[str, Sense]
    irregular_plurals: dict[str, tuple[str, ...]]

    def of_word(self, word: str) -> tuple[Sense, ...]:
        """Senses of a word, parts joined by `_`, the most frequent first."""
        return tuple(self.senses[offset] for offset in self.offsets.get(word, ()))

    def of_synset(self, synset: str) -> Sense | None:
        """The sense that a name such as `acorn.n.01` means, or None."""
        word, _, number = synset.rpartition(".n.")
        senses = self.offsets.get(word.lower(), ())
        if not number.isdecimal() or not 1 <= int(number) <= len(senses):
            return None
        return self.senses[senses[int(number) - 1]]

    def above(self, sense: Sense, steps: int) -> dict[str, int]:
        """What a sense is a kind of.

        Args:
            sense: where to start.
            steps: how far to go up.

        Returns:
            The offsets above it with the smallest number of steps to each, 1 to `steps`.
        """
        found: dict[str, int] = {}
        level: Sequence[str] = sense.hypernyms
        for step in range(1, steps + 1):
            new = [offset for offset in level if offset not in found]
            found.update(dict.fromkeys(new, step))
            level = [above for offset in new for above in self.senses[offset].hypernyms]
        return found


def read_wordnet(folder: Path) -> WordNet:
    """Reads the nouns of a WordNet database folder.

    Args:
        folder: the folder with `index.noun`, `data.noun` and `noun.exc`.

    Raises:
        InputError: a file is missing or in another format.
    """
    try:
        senses = {sense.offset: sense for sense in map(_sense, _lines(folder / "data.noun"))}
        offsets = dict(map(_index_entry, _lines(folder / "index.noun")))
        plurals = {
            words[0]: tuple(words[1:]) for words in map(str.split, _lines(folder / "noun.exc"))
        }
        used = {offset for places in offsets.values() for offset in places}
        used.update(offset for sense in senses.values() for offset in sense.hypernyms)
        if not senses or not used <= senses.keys():
            raise ValueError("its files do not belong together")
    except OSError as error:
        raise InputError(
            f"{error.filename}: cannot be read ({error.strerror}). Install WordNet (Debian:"
            " wordnet-base) or leave --wordnet out."
        ) from None
    except (ValueError, IndexError) as error:
        raise InputError(f"{folder}: is no WordNet 3 database ({error}).") from None
    return WordNet(offsets, senses, plurals)


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if not line.startswith("  "):  # the licence at the top of a file is indented
                yield line


def _sense(line: str) -> Sense:
    """`offset file type n_words (word id)* n_pointers (symbol offset pos ends)* | gloss`."""
    fields, _, gloss = line.partition(" | ")
    parts = fields.split()
    n_words = int(parts[3], 16)
    words = tuple(parts[4 : 4 + 2 * n_words : 2])
    start = 4 + 2 * n_words
    pointers = (
        parts[start + 1 + 4 * number : start + 5 + 4 * number]
        for number in range(int(parts[start]))
    )
    hypernyms = tuple(pointer[1] for pointer in pointers if pointer[0] in _HYPERNYM)
    return Sense(parts[0], words, hypernyms, gloss.split('; "')[0].strip())


def _index_entry(line: str) -> tuple[str, tuple[str, ...]]:
    """`word pos n_senses … offset*`: as many offsets at the end as there are senses."""
    parts = line.split()
    return parts[0], tuple(parts[-int(parts[2]) :])
