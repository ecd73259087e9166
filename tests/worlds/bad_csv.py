"""Bad rows of the Open Images CSV files: every reason, alone and two at a time."""

from __future__ import annotations

from random import Random

# an ImageID that no image list has, of each subset; without a list it makes an image of its own
STRAY = {
    "train": "00000000000fffff",
    "validation": "00000000000ffff1",
    "test": "00000000000ffff2",
}
BOX_FIELDS = {"xmin": 4, "xmax": 5, "ymin": 6, "ymax": 7}


def torn(rng: Random, row: list[str]) -> list[str]:
    """A row with a field too few or too many."""
    return row[: rng.randint(1, len(row) - 1)] if rng.random() < 0.5 else [*row, "extra"]


def spoil_boxes(rng: Random, rows: list[list[str]], subset: str) -> list[list[str]]:
    """Adds 1 to 5 bad box rows."""
    spoiled = list(rows)
    for _ in range(rng.randint(1, 5)):
        row = list(rng.choice(rows))
        kinds = ("value", "unknown_image", "unknown_category", "box", "box")
        for kind in rng.sample(kinds, rng.choice((1, 1, 1, 2))):
            spoil_box(rng, row, kind, subset)
        if rng.random() < 0.2:
            row = torn(rng, row)
        spoiled.append(row)
    return spoiled


def spoil_box(rng: Random, row: list[str], kind: str, subset: str) -> None:
    if kind == "value":
        place, value = rng.choice(
            (
                (0, "xyz"), (0, ""), (0, row[0] + " "), (4, ""), (5, "half"), (6, "0,5"),
                (7, " 0.5"), (8, "2"), (10, "yes"), (12, "-2"), (11, "1.5"),
            )
        )  # fmt: skip
        row[place] = value
    elif kind == "unknown_image":
        row[0] = STRAY[subset]
    elif kind == "unknown_category":
        row[2] = rng.choice(("/m/0unknown", row[2] + " ", row[2].upper()))
    else:
        changes = rng.choice(
            (
                {"xmin": "0.6", "xmax": "0.6"},
                {"xmin": "0.7", "xmax": "0.3"},
                {"ymin": "-0.000001"},
                {"ymax": "1.000001"},
                {"xmin": "nan"},
                {"ymax": "inf"},
                {"ymin": "-inf"},
                {"ymin": "0.900", "ymax": "0.9"},
            )
        )
        for name, value in changes.items():
            row[BOX_FIELDS[name]] = value


def spoil_labels(rng: Random, rows: list[list[str]], subset: str) -> list[list[str]]:
    """Adds 1 to 4 bad label rows."""
    spoiled = list(rows)
    for _ in range(rng.randint(1, 4)):
        row = list(rng.choice(rows))
        for kind in rng.sample(("value", "value", "image", "class"), rng.choice((1, 1, 2))):
            if kind == "value":
                place, value = rng.choice(((3, "0.5"), (3, ""), (3, "-1"), (3, "nan"), (0, "0x1f")))
                row[place] = value
            elif kind == "image":
                row[0] = STRAY[subset]
            else:
                row[2] = "/m/0unknown"
        if rng.random() < 0.25:
            row = torn(rng, row)
        spoiled.append(row)
    return spoiled


def spoil_listing(rng: Random, rows: list[list[str]]) -> list[list[str]]:
    """Adds 1 to 3 bad image rows, or spoils a row in place, which makes its boxes unknown."""
    spoiled = list(rows)
    for _ in range(rng.randint(1, 3)):
        place = rng.randrange(len(rows))
        row = list(rows[place])
        kind = rng.choice(("columns", "value", "value", "duplicate_id", "duplicate_id"))
        if kind == "columns":
            row = torn(rng, row)
        elif kind == "value":
            field, value = rng.choice(((0, "not-hex"), (0, ""), (11, "45"), (11, "upright")))
            row[field] = value
        else:
            row[6] = "Somebody Else"
        if kind != "duplicate_id" and rng.random() < 0.4:
            spoiled[place] = row
        else:
            spoiled.append(row)
    return spoiled
