"""A WordNet database of a few nouns, written in its own file format."""

from pathlib import Path

# offset: (words, hypernym offsets, gloss)
SENSES = {
    "00000001": (["animal"], [], 'a living organism; "animals move"'),
    "00000002": (["rodent", "gnawer"], ["00000001"], "a gnawing animal"),
    "00000003": (["mouse"], ["00000002"], "a small rodent"),
    "00000004": (["mouse", "computer_mouse"], ["00000005"], "a pointing device"),
    "00000005": (["device"], [], "an instrument"),
    "00000006": (["frisbee", "flying_disc"], ["00000005"], "a light plastic disk"),
    "00000007": (["tank", "army_tank"], [], "an armored vehicle"),
    "00000008": (["tank", "storage_tank"], [], "a vessel"),
    "00000009": (["bull"], [], "an optimist"),
    "00000010": (["bull"], ["00000001"], "a mature male cow"),
    "00000011": (["house_mouse"], ["00000003"], "a brownish mouse"),
}
LICENCE = "  1 This software and database is being provided to you\n"


def write_wordnet(folder: Path) -> Path:
    data, index = LICENCE, {}
    for offset, (words, hypernyms, gloss) in SENSES.items():
        for word in words:
            index.setdefault(word, []).append(offset)
        names = " ".join(f"{word} 0" for word in words)
        # a pointer of another kind first: part of
        pointers = ["#p 00000005 n 0000", *(f"@ {offset} n 0000" for offset in hypernyms)]
        data += (
            f"{offset} 03 n {len(words):02x} {names} {len(pointers):03d} {' '.join(pointers)}"
            f" | {gloss}  \n"
        )
    (folder / "data.noun").write_text(data)
    (folder / "index.noun").write_text(
        LICENCE
        + "".join(
            f"{word} n {len(found)} 2 @ #p {len(found)} 0 {' '.join(found)}  \n"
            for word, found in sorted(index.items())
        )
    )
    (folder / "noun.exc").write_text("mice mouse\n")
    return folder
