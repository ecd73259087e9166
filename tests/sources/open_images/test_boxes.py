"""Box files: every row checked in ranges, those of the chosen images fetched."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from random import Random

import numpy as np
import pyarrow as pa
import pytest

from lvis_merge.sources import csv_table
from lvis_merge.sources.csv_chunks import recut
from lvis_merge.sources.open_images import scan as scan_module
from lvis_merge.sources.open_images.boxes import (
    KINDS,
    MappedBoxes,
    chosen_boxes,
    inside_unit_square,
    scan_boxes,
)
from lvis_merge.sources.open_images.ids import IdIndex
from lvis_merge.sources.open_images.scan import gather
from tests.sources.open_images.small_files import (
    BOXES,
    CLASSES,
    box_row,
    csv_file,
    nothing,
    reject_reason,
    reject_tuples,
)

IMAGES = ["00000000000000a1", "00000000000000a2", "00000000000000A2", "b3", "00000000000000c4"]


def drawn_rows(rng: Random, number: int) -> list[list[str]]:
    """Rows in runs of an image, some bad ones in their midst, some quoted line ends."""
    rows: list[list[str]] = []
    while len(rows) < number:
        image = rng.choice([*IMAGES[:4], "0000000000000bad"])
        for _ in range(rng.randint(1, 4)):
            row = box_row(image, rng.choice([*CLASSES, "/m/1", "/m/1", "/m/unknown"]))
            row[1] = rng.choice(["xclick", "xclick", "", "two\nlines", 'q"'])
            row[8:] = rng.choices(["0", "1", "-1", ""], (6, 2, 1, 1), k=5)
            kind = rng.random()
            if kind < 0.1:
                row[rng.choice([4, 5])] = rng.choice(["0.9", "0.0", "1", "nan", "-0.1", "inf"])
            elif kind < 0.15:
                row[rng.choice([0, 4, 8])] = rng.choice(["", "half", "2"])
            elif kind < 0.2:
                row = row[:-1] if rng.random() < 0.5 else [*row, "more"]
            rows.append(row)
    if rng.random() < 0.3:
        rng.shuffle(rows)
    return rows


def index_of(places: dict[str, int]) -> IdIndex:
    return IdIndex.of(pa.array(list(places)), np.array(list(places.values()), dtype=np.int32))


@pytest.mark.parametrize("chunk_bytes", [1, 200, 900, 1 << 20])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_file_is_read_alike_in_ranges_of_any_size(
    tmp_path: Path, chunk_bytes: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: rejects, counts and chosen rows are those of a plain loop; in = good + rejected."""
    monkeypatch.setattr(csv_table, "recut", partial(recut, chunk_bytes=chunk_bytes))
    rng = Random(seed)
    rows = drawn_rows(rng, 60)
    file = csv_file(tmp_path, "b.csv", BOXES, rows, chunk_bytes)
    # places of this subset's images lie among those of other subsets
    places = {image: 10 + 2 * place for place, image in enumerate(IMAGES)}
    scan = scan_boxes(file, index_of(places), CLASSES, nothing)

    reasons = [reject_reason(row, places) for row in rows]
    good = [row for row, reason in zip(rows, reasons, strict=True) if reason is None]
    assert scan.rows == len(rows)
    expected = [(number, reason) for number, reason in enumerate(reasons, 1) if reason]
    assert reject_tuples(scan.rejects) == expected
    assert set(scan.rejects["kind"].to_pylist()) <= {"box"}
    per_image = Counter(places[row[0]] for row in good)
    assert scan.runs.rows_per_image(20).tolist() == [per_image[place] for place in range(20)]
    assert scan.rows == len(good) + scan.rejects.num_rows

    counted: Counter[tuple[int, int, bool]] = Counter()
    parts = MappedBoxes.concat(scan.found)
    for image, category, flagged, boxes in zip(
        parts.image, parts.category, parts.flagged, parts.boxes, strict=True
    ):
        counted[int(image), int(category), bool(flagged)] += int(boxes)
    mapped = [(row, CLASSES[row[2]]) for row in good]
    assert counted == Counter(
        (places[row[0]], category, "1" in row[10:13]) for row, category in mapped if category
    )

    chosen = np.zeros(20, dtype=bool)
    chosen[[places[image] for image in rng.sample(IMAGES, 2)]] = True
    table = chosen_boxes(scan, chosen, index_of(places), CLASSES, nothing)
    assert [
        [row["image"], row["LabelName"], row["Source"], row["XMin"], row["IsInside"]]
        for row in table.to_pylist()
    ] == [
        [places[row[0]], row[2], row[1] or None, float(row[4]), int(row[12]) if row[12] else None]
        for row in good
        if chosen[places[row[0]]]
    ]


def test_a_repeated_first_pass_gives_the_same_with_rows_in_another_order(tmp_path: Path) -> None:
    """Rule: nothing depends on the order of the good input rows."""
    rows = drawn_rows(Random(5), 50)
    index = IdIndex.of(pa.array(IMAGES))
    counts = []
    for seed in (1, 2):
        shuffled = Random(seed).sample(rows, len(rows))
        file = csv_file(tmp_path, f"{seed}.csv", BOXES, shuffled, 300)
        scan = scan_boxes(file, index, CLASSES, nothing)
        found = chosen_boxes(scan, np.ones(len(IMAGES), bool), index, CLASSES, nothing)
        kinds = Counter(reason for _, reason in reject_tuples(scan.rejects))
        counts.append((kinds, sorted(map(repr, found.to_pylist()))))
    assert counts[0] == counts[1]


def test_bad_rows_inside_a_run_do_not_split_what_is_fetched(tmp_path: Path) -> None:
    """Rule: of a run with bad rows in its midst the good rows come, the bad ones do not."""
    image, other = IMAGES[:2]
    rows = [
        box_row(image, source="1"),
        box_row(image, "/m/unknown", source="2"),
        box_row(image, source="3")[:-1],
        box_row(image, box=("0.5", "0.5", "0", "1"), source="4"),
        box_row(image, box=("half", "0.5", "0", "1"), source="5"),
        box_row(other, source="6"),
        box_row(image, source="7"),
    ]
    file = csv_file(tmp_path, "b.csv", BOXES, rows, 1 << 20)
    index = IdIndex.of(pa.array([image, other]))
    scan = scan_boxes(file, index, CLASSES, nothing)
    assert [reason for _, reason in reject_tuples(scan.rejects)] == [
        "unknown_category", "columns", "box", "value",
    ]  # fmt: skip
    table = chosen_boxes(scan, np.array([True, False]), index, CLASSES, nothing)
    assert table["Source"].to_pylist() == ["1", "7"]


def test_rejects_carry_the_text_of_their_row(tmp_path: Path) -> None:
    """Rule: `raw` is the row's text without its line end, quoted line ends and all."""
    rows = [box_row("zz", source="two\nlines"), box_row(IMAGES[0], "/m/9")]
    file = csv_file(tmp_path, "b.csv", BOXES, rows, 1 << 20)
    scan = scan_boxes(file, IdIndex.of(pa.array(IMAGES)), CLASSES, nothing)
    assert scan.rejects["raw"].to_pylist() == [
        'zz,"two\nlines",/m/1,1,0.1,0.2,0.3,0.4,0,0,0,0,0',
        f"{IMAGES[0]},xclick,/m/9,1,0.1,0.2,0.3,0.4,0,0,0,0,0",
    ]
    assert scan.rejects["file"].to_pylist() == ["b.csv", "b.csv"]


@pytest.mark.parametrize("rows", [[], [box_row("zz")]])
def test_a_file_without_good_rows_is_read(tmp_path: Path, rows: list[list[str]]) -> None:
    """Rule: no rows, or none that is good, is no error here."""
    file = csv_file(tmp_path, "b.csv", BOXES, rows, 1 << 20)
    index = IdIndex.of(pa.array(IMAGES))
    scan = scan_boxes(file, index, CLASSES, nothing)
    table = chosen_boxes(scan, np.ones(len(IMAGES), bool), index, CLASSES, nothing)
    assert (scan.rows, scan.rejects.num_rows, len(table)) == (len(rows), len(rows), 0)
    assert table.schema.names == [*KINDS, "image"]
    assert len(MappedBoxes.concat(scan.found).image) == 0


def test_only_ranges_with_chosen_images_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: the second pass reads what it needs."""
    file = csv_file(tmp_path, "b.csv", BOXES, [box_row(i) for i in IMAGES], 1)
    index = IdIndex.of(pa.array(IMAGES))
    scan = scan_boxes(file, index, CLASSES, nothing)
    tasks: list[int] = []
    run_plan = scan_module.run_plan

    def counting(work, todo, advance):  # type: ignore[no-untyped-def]
        tasks.append(len(todo))
        return run_plan(work, todo, advance)

    monkeypatch.setattr(scan_module, "run_plan", counting)
    table = gather(scan, KINDS, np.array([True, False, True, False, False]), index)
    assert table["ImageID"].to_pylist() == [IMAGES[0], IMAGES[2]]
    assert tasks == [2]


SQUARE = [
    # (XMin, XMax, YMin, YMax, good)
    (0.0, 1.0, 0.0, 1.0, True),  # the whole image
    (0.1, 0.1, 0.0, 1.0, False),  # no width
    (0.0, 1.0, 0.2, 0.2, False),  # no height
    (0.2, 0.1, 0.0, 1.0, False),  # turned round
    (-1e-9, 1.0, 0.0, 1.0, False),
    (0.0, 1 + 2**-52, 0.0, 1.0, False),  # the next number above 1
    (0.0, 1.0, -0.0, 1.0, True),  # minus zero is zero
    (0.0, float("nan"), 0.0, 1.0, False),
    (0.0, 1.0, float("nan"), 1.0, False),
    (0.0, float("inf"), 0.0, 1.0, False),
]


@pytest.mark.parametrize(("x_min", "x_max", "y_min", "y_max", "good"), SQUARE)
def test_a_box_lies_in_the_unit_square(
    x_min: float, x_max: float, y_min: float, y_max: float, good: bool
) -> None:
    """Rule: 0 <= min < max <= 1."""
    table = pa.table({"XMin": [x_min], "XMax": [x_max], "YMin": [y_min], "YMax": [y_max]})
    assert inside_unit_square(table).tolist() == [good]
