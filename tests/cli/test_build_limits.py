"""`lvis-merge build --max-rejects, --strict`: how many bad rows are too many."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvis_merge.sources.csv_chunks import open_csv
from tests.cli.command import Run
from tests.cli.small_inputs import BOXES, LABELS, LIST, MAP, PICTURES, TRAIN, Inputs

BAD_LABEL = f"{PICTURES[0]},verification,/m/dog,0.5\n"


@pytest.mark.parametrize(
    ("bad", "limit", "code"),
    [
        (10, None, 0),
        (11, None, 3),  # the larger of 10 and 0.1 % of 14 rows is 10
        (2, "2", 0),
        (3, "2", 3),
        (1, "0", 3),
        (3, "50%", 0),  # 3 of 6
        (4, "50%", 3),  # 4 of 7: 3.5 are allowed
        (1, "0%", 3),
        (3, "100%", 0),
    ],
)
def test_too_many_bad_rows_end_with_3(
    bad: int, limit: str | None, code: int, run: Run, inputs: Inputs
) -> None:
    inputs.append(LABELS, BAD_LABEL * bad)
    more = ["--max-rejects", limit] if limit else []
    found = run("build", *inputs.everything(), *more, "--out", str(inputs.path("out")))
    assert found.code == code
    if code:
        allowed = {None: 10, "50%": 3, "0%": 0}.get(limit) or int((limit or "10").strip("%"))
        name = Path(LABELS).name
        assert found.error == (
            f"{name}: {bad} of {bad + 3} label rows are bad, more than the {allowed} that"
            f" --max-rejects allows. First: {name}, label row 4: value: {BAD_LABEL.strip()}\n"
            "Check that it is the right file, or raise --max-rejects."
        )
        assert not inputs.path("out").exists()


@pytest.mark.parametrize("kind", ["box", "label"])
def test_rows_of_unknown_images_are_all_counted_where_they_are_too_many(
    kind: str, run: Run, inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rule: the message has the number of all bad rows and the first of them, in whatever range."""
    kwdefaults = open_csv.__kwdefaults__
    assert kwdefaults is not None
    monkeypatch.setitem(kwdefaults, "chunk_bytes", 200)
    file, bad = {"box": (BOXES, f"{PICTURES[0]},x\n"), "label": (LABELS, BAD_LABEL)}[kind]
    last = inputs.text(file).splitlines()[-1]
    unknown = last.replace(last.split(",")[0], "00000000000000ff") + "\n"
    inputs.append(file, unknown * 2 + last + "\n" + bad * 3 + unknown * 20)
    good = inputs.text(file).count("\n") - 26
    options = [*inputs.everything(), "--max-rejects", "24", "--out", str(inputs.path("out"))]
    found = run("build", *options)
    name = Path(file).name
    assert found.code == 3
    assert found.error.startswith(
        f"{name}: 25 of {good + 25} {kind} rows are bad, more than the 24 that --max-rejects"
        f" allows. First: {name}, {kind} row {good}: unknown_image: {unknown[:16]}"
    )
    options[options.index("24")] = "25"
    assert run("build", *options).code == 0


def test_the_limit_is_of_each_file_and_kind(run: Run, inputs: Inputs) -> None:
    inputs.append(LABELS, BAD_LABEL)
    inputs.append(LIST, "no-hex,,,,,,,,\n")
    inputs.append(BOXES, "1\n")
    inputs.edit(TRAIN, lambda content: content["images"].append(5))
    inputs.edit(TRAIN, lambda content: content["annotations"].append(5))
    options = [*inputs.everything(), "--max-rejects", "1", "--out", str(inputs.path("out"))]
    assert run("build", *options).code == 0


@pytest.mark.parametrize(
    ("name", "row", "message"),
    [
        (LABELS, BAD_LABEL, "{name}, label row 4: value: {row}"),
        (BOXES, f"{PICTURES[0]},x\n", "{name}, box row 4: columns: {row}"),
        (LIST, f"{PICTURES[0]},,,,,,,,\n", "{name}, image row 4: duplicate_id: {row}"),
        (LABELS, "0ff,verification,/m/dog,1\n", "{name}, label row 4: unknown_image: {row}"),
    ],
)
def test_strict_stops_at_the_first_bad_row(
    name: str, row: str, message: str, run: Run, inputs: Inputs
) -> None:
    inputs.append(name, row * 2)
    found = run("build", *inputs.everything(), "--strict", "--out", str(inputs.path("out")))
    assert found.code == 3
    assert found.error == (
        message.format(name=Path(name).name, row=row.strip())
        + "\nStopped at the first bad row because of --strict. Mend the row or build without"
        " --strict."
    )


def test_strict_stops_at_a_map_row_without_a_category(run: Run, inputs: Inputs) -> None:
    inputs.append(MAP, "/m/pet,Pet,pet.n.01,pet,exact,\n")
    options = [*inputs.everything(), "--out", str(inputs.path("out"))]
    found = run("build", *options, "--strict")
    assert (found.code, found.error) == (
        3,
        "map.csv: 1 rows cannot be used (row 3, /m/pet Pet: the LVIS file has no category with this"
        " synset). Remove them or build without --strict.",
    )
    found = run("build", *options)
    assert found.code == 0
    assert "map.csv: 1 rows are not used here (row 3, /m/pet Pet: the LVIS" in found.stderr
