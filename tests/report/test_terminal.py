import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from lvis_merge.report.summary import Summary, summarise
from lvis_merge.report.tallies import InputCount, SourceCount
from lvis_merge.report.terminal import MOST_GAINS, print_stats
from tests.report import small


def printed(summary: Summary, width: int) -> list[str]:
    out = io.StringIO()
    print_stats(summary, Console(file=out, width=width, color_system=None))
    return out.getvalue().splitlines()


@pytest.fixture(scope="module")
def summary() -> Summary:
    return summarise(small.three_sources(), small.record())


@pytest.fixture(scope="module")
def full_scale(summary) -> Summary:
    """Numbers as wide as those of LVIS v1 and all of Open Images."""
    return replace(
        summary,
        sources=(
            SourceCount("lvis", "train", 100_170, 99_388, 1_270_141, 1_270_141, 0),
            SourceCount("open_images", "train", 20_000, 20_000, 136_059, 0, 1_190_000),
        ),
        inputs=(
            InputCount(
                "open_images",
                "box",
                14_610_229,
                126_059,
                (("not_on_an_lvis_image", 260_111), ("not_a_candidate", 13_320_011)),
                1_037,
            ),
        ),
    )


@pytest.mark.parametrize("width", [80, 100])
def test_no_cell_wraps_or_is_cut_at_full_scale(full_scale, width):
    lines = printed(full_scale, width)
    assert max(map(cell_len, lines)) <= width
    assert not any("…" in line for line in lines)
    # a row is one line: first and last cell on it
    for first, last in (
        ("Open Images boxes  14,610,229", "no LVIS train image"),
        ("LVIS         train  100,170", "-"),
    ):
        assert any(line.startswith(first) and line.rstrip().endswith(last) for line in lines)


def test_brackets_in_names_are_no_markup(summary):
    gain = replace(summary.rare_gains[0], name="bar[bold]")
    assert any("bar[bold]" in line for line in printed(replace(summary, rare_gains=(gain,)), 80))


def test_only_the_first_rare_categories_are_named(summary):
    gains = tuple(replace(summary.rare_gains[0], name=f"name{i}") for i in range(MOST_GAINS + 3))
    text = "\n".join(printed(replace(summary, rare_gains=gains), 80))
    assert f"name{MOST_GAINS - 1}" in text
    assert f"name{MOST_GAINS}" not in text
    assert "and 3 more: report.html" in text


def test_warnings_come_before_the_tables(summary):
    lines = printed(summary, 80)
    assert "! 2 input rows were bad and not used: rejects.parquet has them." in lines[2:6]


@pytest.mark.parametrize("source", ["coco", "open_images"])
def test_other_label_spaces_print(source):
    record = small.record(label_space=source, lvis_version=None, counts={}, holdout=None)
    text = "\n".join(printed(summarise(small.own_label_space(source), record), 80))
    assert "2 of 2 categories have at most 10 training images" in text
    assert "rare category" not in text


def test_an_empty_manifest_prints():
    text = "\n".join(printed(summarise(small.tables([], [], []), small.record(counts={})), 80))
    assert "There is no train image." in text
