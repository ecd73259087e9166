"""Box files: every row checked in ranges, those of the chosen images fetched."""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest

from lvis_merge.errors import InputError
from lvis_merge.sources import csv_table
from lvis_merge.sources.csv_chunks import recut
from lvis_merge.sources.open_images import gather as gather_module
from lvis_merge.sources.open_images import scan as scan_module
from lvis_merge.sources.open_images.boxes import (
    KINDS,
    MappedBoxes,
    chosen_boxes,
    inside_unit_square,
)
from lvis_merge.sources.open_images.gather import gather
from lvis_merge.sources.open_images.join import LateRows, join_bucket
from tests.sources.open_images.first_pass import (
    Known,
    images_of,
    index_of,
    rejects_with,
    scan,
    scan_of_images,
)
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


@pytest.mark.parametrize("chunk_bytes", [1, 200, 900, 1 << 20])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_file_is_read_alike_in_ranges_of_any_size(
    tmp_path: Path, chunk_bytes: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: rejects, counts and chosen rows are those of a plain loop; in = good + rejected.
    Bad rows that memory did not hold are the same."""
    monkeypatch.setattr(csv_table, "recut", partial(recut, chunk_bytes=chunk_bytes))
    monkeypatch.setattr(scan_module, "_KEPT_REJECTS", 3 * seed)
    rng = Random(seed)
    rows = drawn_rows(rng, 60)
    file = csv_file(tmp_path, "b.csv", BOXES, rows, chunk_bytes)
    known = scan_of_images(tmp_path, file, "box", IMAGES)

    place_of = {image: place for place, image in enumerate(IMAGES)}
    reasons = [reject_reason(row, IMAGES) for row in rows]
    good = [row for row, reason in zip(rows, reasons, strict=True) if reason is None]
    assert known.scan.rows == len(rows)
    expected = [(number, reason) for number, reason in enumerate(reasons, 1) if reason]
    assert reject_tuples(known.rejects) == expected
    assert set(known.rejects["kind"].to_pylist()) <= {"box"}
    per_image = Counter(place_of[row[0]] for row in good)
    found: Counter[int] = Counter()
    for run in known.runs.to_pylist():
        found[run["image"]] += run["good"]
    assert +found == per_image
    assert known.scan.rows == len(good) + known.rejects.num_rows

    counted: Counter[tuple[int, int, bool]] = Counter()
    mapped = MappedBoxes.of(known.runs)
    for image, category, flagged, boxes in zip(
        mapped.image, mapped.category, mapped.flagged, mapped.boxes, strict=True
    ):
        counted[int(image), int(category), bool(flagged)] += int(boxes)
    assert counted == Counter(
        (place_of[row[0]], CLASSES[row[2]], "1" in row[10:13]) for row in good if CLASSES[row[2]]
    )

    places = [place_of[image] for image in rng.sample(IMAGES, 2)]
    table = chosen_boxes(
        known.scan, known.runs_of(places), index_of(IMAGES, places), CLASSES, nothing
    )
    assert [
        [row["image"], row["LabelName"], row["Source"], row["XMin"], row["IsInside"]]
        for row in table.to_pylist()
    ] == [
        [place_of[row[0]], row[2], row[1] or None, float(row[4]), int(row[12]) if row[12] else None]
        for row in good
        if place_of[row[0]] in places
    ]


def every_box(known: Known, images: list[str]) -> pa.Table:
    index = index_of(images, range(len(images)))
    return chosen_boxes(known.scan, known.runs, index, CLASSES, nothing)


def test_a_repeated_first_pass_gives_the_same_with_rows_in_another_order(tmp_path: Path) -> None:
    """Rule: nothing depends on the order of the good input rows."""
    rows = drawn_rows(Random(5), 50)
    counts = []
    for seed in (1, 2):
        shuffled = Random(seed).sample(rows, len(rows))
        file = csv_file(tmp_path, f"{seed}.csv", BOXES, shuffled, 300)
        known = scan_of_images(tmp_path, file, "box", IMAGES)
        kinds = Counter(reason for _, reason in reject_tuples(known.rejects))
        counts.append((kinds, sorted(map(repr, every_box(known, IMAGES).to_pylist()))))
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
    known = scan_of_images(tmp_path, file, "box", [image, other])
    assert [reason for _, reason in reject_tuples(known.rejects)] == [
        "unknown_category", "columns", "box", "value",
    ]  # fmt: skip
    index = index_of([image, other], [0])
    table = chosen_boxes(known.scan, known.runs_of([0]), index, CLASSES, nothing)
    assert table["Source"].to_pylist() == ["1", "7"]


def test_an_unknown_image_comes_before_what_else_is_wrong_with_its_rows(tmp_path: Path) -> None:
    """Rule: the first reason is told, also where it shows only once the lists are joined."""
    rows = [
        box_row("zz1" * 3),
        box_row("bad"),
        box_row("bad", "/m/unknown"),
        box_row("bad", box=("half", "1", "0", "1")),
        box_row("bad")[:-1],
        box_row("bad", box=("0.5", "0.4", "0", "1")),
        box_row(IMAGES[0], "/m/unknown"),
        box_row(IMAGES[0]),
    ]
    file = csv_file(tmp_path, "b.csv", BOXES, rows, 1 << 20)
    known = scan_of_images(tmp_path, file, "box", IMAGES)
    assert reject_tuples(known.rejects) == [
        (1, "value"), (2, "unknown_image"), (3, "unknown_image"), (4, "value"), (5, "columns"),
        (6, "unknown_image"), (7, "unknown_category"),
    ]  # fmt: skip
    assert len(every_box(known, IMAGES)) == 1


def test_where_the_build_stops_the_first_range_with_a_bad_row_is_enough(tmp_path: Path) -> None:
    """Rule: of millions of bad rows the first is told, and memory does not hold the others."""
    rows = [box_row(IMAGES[0])] + [box_row("bad"), box_row(IMAGES[0], "/m/unknown")] * 30
    file = csv_file(tmp_path, "b.csv", BOXES, rows, 1)
    one, runs = scan(tmp_path, file, "box")
    _, (unknown,), _ = join_bucket(images_of(IMAGES), [runs], [None])
    assert (one.bad, len(unknown)) == (30, 30)
    parts = [unknown.slice(start, 7) for start in range(0, 30, 7)][::-1]
    assert reject_tuples(rejects_with(one, *parts, most=20)) == [(2, "unknown_image")]
    late = LateRows(20)
    for part in parts:
        late.add(part)
    assert (late.number, list(late.by_range())) == (30, [1])


def test_rejects_carry_the_text_of_their_row(tmp_path: Path) -> None:
    """Rule: `raw` is the row's text without its line end, quoted line ends and all."""
    rows = [box_row("zz", source="two\nlines"), box_row(IMAGES[0], "/m/9"), box_row("dd")]
    file = csv_file(tmp_path, "b.csv", BOXES, rows, 1 << 20)
    rejects = scan_of_images(tmp_path, file, "box", IMAGES).rejects
    assert rejects["raw"].to_pylist() == [
        'zz,"two\nlines",/m/1,1,0.1,0.2,0.3,0.4,0,0,0,0,0',
        f"{IMAGES[0]},xclick,/m/9,1,0.1,0.2,0.3,0.4,0,0,0,0,0",
        "dd,xclick,/m/1,1,0.1,0.2,0.3,0.4,0,0,0,0,0",
    ]
    assert rejects["file"].to_pylist() == ["b.csv"] * 3


@pytest.mark.parametrize("rows", [[], [box_row("zz")], [box_row("dd")]])
def test_a_file_without_good_rows_is_read(tmp_path: Path, rows: list[list[str]]) -> None:
    """Rule: no rows, or none that is good, is no error here."""
    file = csv_file(tmp_path, "b.csv", BOXES, rows, 1 << 20)
    known = scan_of_images(tmp_path, file, "box", IMAGES)
    table = every_box(known, IMAGES)
    assert (known.scan.rows, known.rejects.num_rows, len(table)) == (len(rows), len(rows), 0)
    assert table.schema.names == [*KINDS, "image"]
    assert len(MappedBoxes.of(known.runs).image) == 0


def test_only_ranges_with_chosen_images_are_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: the second pass reads what it needs."""
    file = csv_file(tmp_path, "b.csv", BOXES, [box_row(i) for i in IMAGES], 1)
    known = scan_of_images(tmp_path, file, "box", IMAGES)
    tasks: list[int] = []
    run_plan = gather_module.run_plan

    def counting(work, todo, advance):  # type: ignore[no-untyped-def]
        tasks.append(len(todo))
        return run_plan(work, todo, advance)

    monkeypatch.setattr(gather_module, "run_plan", counting)
    table = gather(file, KINDS, known.runs_of([0, 2]), index_of(IMAGES, [0, 2]))
    assert table["ImageID"].to_pylist() == [IMAGES[0], IMAGES[2]]
    assert tasks == [2]


def test_a_file_that_changes_between_the_passes_is_told(tmp_path: Path) -> None:
    """Rule: no box goes to another image than its own."""
    rows = [box_row(image) for image in IMAGES]
    known = scan_of_images(
        tmp_path, csv_file(tmp_path, "b.csv", BOXES, rows, 1 << 20), "box", IMAGES
    )
    csv_file(tmp_path, "b.csv", BOXES, [rows[1], rows[0], *rows[2:]], 1 << 20)
    with pytest.raises(InputError, match=r"b\.csv: changed while it was read\. .* build again"):
        gather(known.scan.table, KINDS, known.runs_of([0]), index_of(IMAGES, [0]))


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
