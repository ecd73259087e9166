"""Round trip, equal bytes, and what stays on disk when a build is cut off."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lvis_merge import manifest
from lvis_merge.errors import InputError
from lvis_merge.manifest import Tables, check_out, write_manifest
from lvis_merge.manifest.parquet import write_table
from lvis_merge.manifest.schema import ANNOTATIONS, IMAGES, ROW_GROUP_ROWS, TABLES
from tests.manifest.small import small, table, write_report

ROOT = Path(__file__).parents[2]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, by relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_is_written_is_read(tmp_path: Path) -> None:
    one = small()
    opened = manifest.open(one.write(tmp_path / "m"))
    for spec, expected in one.tables.named():
        found = getattr(opened, spec.name)
        assert found.schema.equals(spec.schema)
        assert found.to_pylist() == expected.to_pylist()
    assert {path.name for path in (tmp_path / "m" / "maps").iterdir()} == set(one.maps)
    for name, text in one.maps.items():
        assert (tmp_path / "m" / "maps" / name).read_bytes() == text
    assert opened.record.counts == one.record.counts
    assert opened.record.rows["annotations"].sources == {"coco": 3, "lvis": 4, "open_images": 7}


def test_equal_builds_have_equal_bytes(tmp_path: Path) -> None:
    one = small()
    first = contents(one.write(tmp_path / "a"))
    shuffled = one.record.replace(inputs=one.record.inputs[::-1])
    write_manifest(tmp_path / "b", one.tables, shuffled, one.maps, extra=write_report)
    assert contents(tmp_path / "b") == first
    assert set(first) == {
        *(spec.file_name for spec in TABLES),
        *(
            "manifest.json",
            "croissant.json",
            "report.html",
            "maps/coco.csv",
            "maps/open_images.csv",
        ),
    }


def test_bytes_do_not_depend_on_chunks(tmp_path: Path) -> None:
    whole = small().tables.annotations
    pieces = pa.concat_tables([whole[:1], whole[1:6], whole[6:6], whole[6:]])
    assert pieces["bbox"].num_chunks > 1
    digests = {
        write_table(tmp_path / f"{number}.parquet", ANNOTATIONS, one)
        for number, one in enumerate((whole, pieces, pieces.combine_chunks()))
    }
    assert len(digests) == 1


def test_row_groups_and_compression_are_the_contract_s(tmp_path: Path) -> None:
    row = small().tables.images[:1]
    many = row.take(pa.array(np.zeros(ROW_GROUP_ROWS + 1, np.int64)))
    write_table(tmp_path / "images.parquet", IMAGES, many)
    metadata = pq.ParquetFile(tmp_path / "images.parquet").metadata
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    assert [group.num_rows for group in groups] == [65_536, 1]
    assert {group.column(3).compression for group in groups} == {"ZSTD"}


def test_a_table_of_another_schema_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="images has another schema"):
        write_table(tmp_path / "images.parquet", IMAGES, table(ANNOTATIONS, []))


def test_an_existing_manifest_needs_overwrite(tmp_path: Path) -> None:
    one, out = small(), tmp_path / "m"
    one.write(out)
    (out / "stale.txt").write_text("of the old one")
    before = contents(out)
    with pytest.raises(InputError, match="Add --overwrite"):
        one.write(out)
    assert contents(out) == before
    one.write(out, overwrite=True)
    assert "stale.txt" not in contents(out)
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize(
    "make",
    [
        lambda out: out.write_text("mine"),
        lambda out: out.mkdir(),
        lambda out: (out.mkdir(), (out / "photo.jpg").write_text("mine")),
        lambda out: (out.mkdir(), (out / "manifest.json").write_text('{"name": "an app"}')),
        lambda out: (out.mkdir(), (out / "manifest.json").write_text('{"schema_version": 1')),
    ],
    ids=["a file", "an empty folder", "photos", "another manifest.json", "a damaged one"],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_what_is_no_manifest_is_never_touched(
    tmp_path: Path, make: object, overwrite: bool
) -> None:
    out = tmp_path / "m"
    make(out)  # type: ignore[operator]
    before = contents(tmp_path)
    with pytest.raises(InputError, match="left alone"):
        check_out(out, overwrite)
    with pytest.raises(InputError, match="left alone"):
        small().write(out, overwrite=overwrite)
    assert contents(tmp_path) == before


def test_a_folder_that_cannot_be_made_is_told_early(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot write in"):
        check_out(tmp_path / "file" / "m", False)


def test_an_error_leaves_nothing_behind(tmp_path: Path) -> None:
    one, out = small(), tmp_path / "deep" / "m"

    def fail(folder: Path) -> None:
        assert folder.name == f".m.partial-{os.getpid()}"
        assert (folder / "manifest.json").is_file()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_manifest(out, one.tables, one.record, one.maps, extra=fail)
    assert list(out.parent.iterdir()) == []

    one.write(out)
    before = contents(out)
    with pytest.raises(KeyboardInterrupt):
        write_manifest(out, one.tables, one.record, one.maps, overwrite=True, extra=fail)
    assert contents(out.parent) == {f"m/{name}": data for name, data in before.items()}


def test_a_failed_rename_puts_the_old_one_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, out = small(), tmp_path / "m"
    one.write(out)
    before = contents(tmp_path)
    rename = Path.rename

    def fail_for_the_new(path: Path, target: Path) -> Path:
        if "partial" in path.name:
            raise OSError("disk full")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fail_for_the_new)
    with pytest.raises(OSError, match="disk full"):
        one.write(out, overwrite=True)
    assert contents(tmp_path) == before


@pytest.mark.slow
def test_a_killed_build_leaves_no_manifest_and_the_next_one_cleans_up(tmp_path: Path) -> None:
    script = f"""
        import os, signal
        from pathlib import Path
        from lvis_merge.manifest import write_manifest
        from tests.manifest.small import small
        one = small()
        kill = lambda folder: os.kill(os.getpid(), signal.SIGKILL)
        write_manifest(Path({str(tmp_path / "m")!r}), one.tables, one.record, one.maps, extra=kill)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = tmp_path.iterdir()
    assert left.name.startswith(".m.partial-")
    alive = tmp_path / f".m.partial-{os.getppid()}"
    other = tmp_path / ".n.partial-1"
    alive.mkdir()
    other.mkdir()
    small().write(tmp_path / "m")
    assert {path.name for path in tmp_path.iterdir()} == {"m", alive.name, other.name}


def test_a_link_is_followed(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "m").symlink_to(tmp_path / "disk" / "real")
    small().write(tmp_path / "m")
    assert (tmp_path / "disk" / "real" / "manifest.json").is_file()
    assert (tmp_path / "m").is_symlink()


def test_sliced_tables_have_the_bytes_of_whole_ones(tmp_path: Path) -> None:
    one = small()
    padded = {
        spec.name: pa.concat_tables([whole, whole]).combine_chunks().slice(whole.num_rows)
        for spec, whole in one.tables.named()
    }
    write_manifest(tmp_path / "a", Tables(**padded), one.record, one.maps)
    write_manifest(tmp_path / "b", one.tables, one.record, one.maps)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
