"""Small files that unpack to much text are told before they are unpacked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from lvis_merge.errors import InputError
from lvis_merge.manifest import open as open_manifest
from lvis_merge.manifest.text_room import has_too_much_text
from lvis_merge.manifest.validate import validate
from tests.manifest.small import small

MEBIBYTE = 1 << 20


def written(path: Path, texts: pa.Array, **layout: object) -> bool:
    pq.write_table(pa.table({"id": pa.array(range(len(texts))), "text": texts}), path, **layout)
    with pq.ParquetFile(path) as file:
        return has_too_much_text(file, path.stat().st_size)


def repeated(length: int, times: int) -> pa.Array:
    return pa.DictionaryArray.from_arrays(np.zeros(times, np.int32), ["x" * length])


LAYOUTS = {
    "dictionary": {"store_schema": False},
    "plain": {"use_dictionary": False, "compression": "zstd"},
    "prefixes": {"use_dictionary": False, "column_encoding": {"text": "DELTA_BYTE_ARRAY"}},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(("length", "times"), [(MEBIBYTE, 100), (1 << 10, 100 << 10)])
def test_a_text_many_times_is_too_much(
    tmp_path: Path, layout: str, length: int, times: int
) -> None:
    """Rule: however it is packed, few bytes do not become a hundred megabytes."""
    texts = repeated(length, times)
    if layout != "dictionary":
        texts = texts.cast(pa.string())
    assert written(tmp_path / "t.parquet", texts, **LAYOUTS[layout])
    assert (tmp_path / "t.parquet").stat().st_size < MEBIBYTE


@pytest.mark.parametrize("texts", [[], [None], ["a", None, "b"], ["x" * MEBIBYTE] * 40])
def test_what_does_no_harm_is_read(tmp_path: Path, texts: list[str | None]) -> None:
    """Rule: 64 MiB are not too much for a file of any size; nor is a table without rows."""
    assert not written(tmp_path / "t.parquet", pa.array(texts, pa.string()))


def test_text_in_proportion_to_its_file_is_read(tmp_path: Path) -> None:
    """Rule: texts that differ do not become fifty times as long."""
    texts = [f"{np.random.default_rng(place).bytes(2000).hex()}" for place in range(20_000)]
    assert not written(tmp_path / "t.parquet", pa.array(texts))


def test_every_reader_of_a_manifest_is_told(tmp_path: Path) -> None:
    """Rule: `validate` names the table, and the reading of it ends in a message."""
    folder = small().write(tmp_path / "m")
    table = pq.read_table(folder / "categories.parquet").slice(0, 1)
    many = table.take(pa.array(np.zeros(4096, np.int64)))
    place = many.schema.get_field_index("name")
    many = many.set_column(place, "name", repeated(MEBIBYTE, 4096))
    pq.write_table(many, folder / "categories.parquet", store_schema=False)
    for read in ("arrow", "parquet"):
        with pytest.raises(InputError, match=r"categories\.parquet: has far more text than"):
            getattr(open_manifest(folder), read)("categories")
    told = [str(finding) for finding in validate(folder)]
    assert any("categories" in one and "far more text" in one for one in told)
