"""The same inputs and options give the same bytes, whatever the order and cutting of the work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from lvis_merge.sources import csv_chunks, json_blocks
from tests.pipeline.running import (
    build_quietly,
    build_to,
    contents,
    hold_little,
    run_command,
    table_bytes,
)
from tests.pipeline.shuffled import packed, shuffled, without_bad_rows
from tests.pipeline.test_reference_worlds import build_options
from tests.worlds import Options, make_world

MERGED = ("images", "annotations", "categories")
SEEDS = (1, 3, 20, 60, 118)
EVERYTHING = 101
"""The world with every kind of file."""
TWO_EXTRAS = 10


def test_the_world_has_every_kind_of_file(tmp_path: Path) -> None:
    world = make_world(EVERYTHING, tmp_path / "world").options
    counts = build_quietly(build_options(world, tmp_path / "m")).counts
    assert {source: set(kinds) for source, kinds in counts.items()} == {
        "lvis": {"image", "annotation"},
        "coco": {"annotation"},
        "open_images": {"image", "box", "label"},
        "objects365": {"image", "annotation"},
    }
    assert world.lvis_val is not None
    assert world.lvis_test is not None
    assert counts["open_images"]["image"].dropped["not_selected"] > 3
    assert any(tally.rejected for kinds in counts.values() for tally in kinds.values())


@pytest.fixture(scope="module", params=SEEDS)
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Options:
    folder = tmp_path_factory.mktemp("world")
    return make_world(request.param, folder).options


def build(options: Options, out: Path) -> dict[str, bytes]:
    return build_to(build_options(options, out), out)


def test_the_same_build_gives_the_same_bytes(world: Options, tmp_path: Path) -> None:
    first = build(world, tmp_path / "a")
    assert build(world, tmp_path / "elsewhere" / "b") == first
    assert {"images.parquet", "annotations.parquet", "categories.parquet"} <= set(first)
    assert {"rejects.parquet", "manifest.json", "croissant.json", "report.html"} <= set(first)


@pytest.mark.parametrize(
    "chunk_bytes",
    [
        150,  # a row or two, so that a duplicate and its first row are in different ranges
        1 << 12,  # some rows
    ],
)
def test_bytes_do_not_depend_on_how_files_are_cut(
    world: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk_bytes: int
) -> None:
    whole = build(world, tmp_path / "whole")
    kwdefaults = csv_chunks.open_csv.__kwdefaults__
    assert kwdefaults is not None
    monkeypatch.setitem(kwdefaults, "chunk_bytes", chunk_bytes)
    monkeypatch.setattr(csv_chunks.recut, "__defaults__", (chunk_bytes,))
    monkeypatch.setattr(json_blocks, "BLOCK_BYTES", chunk_bytes)
    assert build(world, tmp_path / "cut") == whole


@pytest.mark.parametrize("buckets", [2, 7, 1024])
def test_bytes_do_not_depend_on_how_little_memory_holds(
    world: Options, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, buckets: int
) -> None:
    whole = build(world, tmp_path / "whole")
    hold_little(monkeypatch, buckets, waiting=1)
    assert build(world, tmp_path / "apart") == whole


def test_bytes_do_not_depend_on_the_order_of_good_rows(world: Options, tmp_path: Path) -> None:
    build(world, tmp_path / "with_bad_rows")
    good = without_bad_rows(world, tmp_path / "good", tmp_path / "with_bad_rows")
    build(good, tmp_path / "in_order")
    expected = table_bytes(tmp_path / "in_order")
    for seed in range(3):
        mixed = shuffled(good, tmp_path / f"mixed_{seed}", Random(seed))
        build(mixed, tmp_path / f"m_{seed}")
        assert table_bytes(tmp_path / f"m_{seed}") == expected


def test_bytes_do_not_depend_on_the_order_of_extras(tmp_path: Path) -> None:
    options = build_options(make_world(TWO_EXTRAS, tmp_path / "world").options, tmp_path)
    assert [extra.name for extra in options.extra] == ["zoo_2", "objects365"]
    given = build_to(options, tmp_path / "given")
    turned = replace(options, extra=options.extra[::-1])
    assert build_to(turned, tmp_path / "turned") == given


@pytest.mark.parametrize("suffix", [".gz", ".zip"])
def test_packed_files_give_the_bytes_of_plain_ones(
    world: Options, tmp_path: Path, suffix: str
) -> None:
    build(world, tmp_path / "given")
    build(packed(world, tmp_path / "files", suffix), tmp_path / "packed")
    assert table_bytes(tmp_path / "packed", MERGED) == table_bytes(tmp_path / "given", MERGED)


def test_another_seed_selects_others(tmp_path: Path) -> None:
    """So that equal bytes above are no matter of course."""
    world = make_world(EVERYTHING, tmp_path / "world").options
    options = replace(build_options(world, tmp_path), images=3)
    drawn = set()
    for seed in range(6):
        files = build_to(replace(options, selection="random", seed=seed), tmp_path / str(seed))
        drawn.add(files["images.parquet"])
    assert len(drawn) > 1


@pytest.mark.slow
def test_bytes_do_not_depend_on_the_number_of_threads(tmp_path: Path) -> None:
    """Each count in a process of its own: daft takes it once. Small ranges, so that many wait."""
    options = make_world(EVERYTHING, tmp_path / "world").options
    builds = {}
    for threads in (1, 2):
        out = tmp_path / str(threads)
        arguments = [*options.arguments(), "--out", str(out), "--threads", str(threads)]
        done = run_command("build", *arguments, chunk_bytes=300)
        assert done.returncode == 0, done.stderr
        builds[threads] = contents(out)
    assert builds[1] == builds[2]
    here = build_to(build_options(options, tmp_path / "here"), tmp_path / "here")
    assert builds[1] == here
