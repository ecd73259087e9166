"""Reads a manifest, each table when it is first asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from lvis_merge.errors import InputError
from lvis_merge.manifest.record import RECORD_FILE, ManifestRecord
from lvis_merge.manifest.schema import TABLES, TableSpec
from lvis_merge.manifest.text_room import has_too_much_text
from lvis_merge.sources.ranges import UnreadableError

if TYPE_CHECKING:
    import daft
    import pandas as pd

opened: dict[Path, None] = {}
"""The folders that this process has opened, in order; for messages about errors."""

_DAMAGED = (pa.ArrowException, OSError, UnicodeDecodeError)
_SPECS = {spec.name: spec for spec in TABLES}


class Manifest:
    """A manifest folder.

    Attributes:
        path: the folder.
        record: `manifest.json`.
    """

    def __init__(self, path: Path, record: ManifestRecord) -> None:
        self.path = path
        self.record = record
        self._looked_at: set[str] = set()

    @cached_property
    def images(self) -> pa.Table:
        """All of `images.parquet` (`schema.IMAGES`)."""
        return self.arrow("images")

    @cached_property
    def annotations(self) -> pa.Table:
        """All of `annotations.parquet` (`schema.ANNOTATIONS`)."""
        return self.arrow("annotations")

    @cached_property
    def categories(self) -> pa.Table:
        """All of `categories.parquet` (`schema.CATEGORIES`)."""
        return self.arrow("categories")

    @cached_property
    def rejects(self) -> pa.Table:
        """All of `rejects.parquet` (`schema.REJECTS`)."""
        return self.arrow("rejects")

    def row_groups(self, name: str) -> int:
        """How many parts a table's file has; what `arrow` can read one by one.

        Raises:
            InputError: as `arrow`.
        """
        return int(self.parquet(name).num_row_groups)

    def parquet(self, name: str, *, memory_map: bool = False) -> pq.ParquetFile:
        """A table's file, open; for readers that want it part by part.

        Args:
            name: images, annotations, categories or rejects.
            memory_map: as pyarrow's.

        Raises:
            InputError: the file is missing or damaged, or made to fill the memory.
        """
        path = self.path / self._spec(name).file_name
        try:
            file = pq.ParquetFile(path, memory_map=memory_map)
            if not self.record.has_room_for(name, rows := file.metadata.num_rows):
                raise InputError(
                    f"{path}: has {rows:,} rows, far more than {RECORD_FILE} says."
                    " Build the manifest again."
                )
            if name not in self._looked_at and has_too_much_text(file, path.stat().st_size):
                raise InputError(
                    f"{path}: has far more text than a file of its size should."
                    " Build the manifest again."
                )
        except FileNotFoundError as error:
            raise UnreadableError(f"{path}: missing. Build the manifest again.") from error
        except _DAMAGED as error:
            raise InputError(
                f"{path}: cannot be read ({error}). Build the manifest again."
            ) from error
        self._looked_at.add(name)
        return file

    def arrow(
        self, name: str, columns: Sequence[str] | None = None, row_group: int | None = None
    ) -> pa.Table:
        """Reads a table, or some of its columns.

        Args:
            name: images, annotations, categories or rejects.
            columns: the columns wanted, in that order; None for all.
            row_group: the part of the file to read; None for all of it.

        Returns:
            An Arrow table of the declared types.

        Raises:
            InputError: the file is missing or damaged, or there is no such table or column.
        """
        spec = self._spec(name)
        if unknown := set(columns or ()) - set(spec.schema.names):
            raise InputError(
                f"{name} has no column {', '.join(sorted(unknown))}."
                f" It has {', '.join(spec.schema.names)}."
            )
        path = self.path / spec.file_name
        wanted = None if columns is None else list(columns)
        file = self.parquet(name, memory_map=True)
        try:
            if row_group is None:
                table = file.read(wanted)
            else:
                table = file.read_row_group(row_group, wanted)
        except _DAMAGED as error:
            raise InputError(
                f"{path}: cannot be read ({error}). Build the manifest again."
            ) from error
        named = spec.schema.names if columns is None else columns
        if missing := [column for column in named if column not in table.schema.names]:
            raise InputError(
                f"{path}: has no column {', '.join(missing)}. Build the manifest again."
            )
        return table if columns is None else table.select(list(columns))

    def pandas(self, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Reads a table as a data frame.

        Columns that may be null and hold integers or booleans are of pandas' nullable types, so
        that ids stay exact and null is not False.

        Args:
            name: images, annotations, categories or rejects.
            columns: the columns wanted; None for all.

        Returns:
            A frame with a plain row index.

        Raises:
            InputError: as `arrow`.
        """
        import pandas as pd

        exact = {
            pa.int32(): pd.Int32Dtype(),
            pa.int64(): pd.Int64Dtype(),
            pa.bool_(): pd.BooleanDtype(),
        }
        table = self.arrow(name, columns)
        nullable = {field.name for field in table.schema if field.nullable}
        plain = table.select([n for n in table.schema.names if n not in nullable]).to_pandas()
        masked = table.select([n for n in table.schema.names if n in nullable]).to_pandas(
            types_mapper=exact.get
        )
        frame: pd.DataFrame = pd.concat([plain, masked], axis=1)[table.schema.names]
        return frame

    def daft(self, name: str) -> daft.DataFrame:
        """A lazy Daft frame of a table.

        Args:
            name: images, annotations, categories or rejects.

        Raises:
            InputError: there is no such table.
        """
        import daft

        return daft.read_parquet(str(self.path / self._spec(name).file_name))

    def _spec(self, name: str) -> TableSpec:
        if name not in _SPECS:
            raise InputError(f"a manifest has no table {name}. It has {', '.join(_SPECS)}.")
        return _SPECS[name]


def open_manifest(path: str | Path) -> Manifest:
    """Opens a manifest; its tables are read when asked for.

    Args:
        path: the folder.

    Returns:
        The manifest.

    Raises:
        InputError: there is no such folder, no manifest in it, or one of another schema version.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise InputError(
            f"{folder}: no such folder. Give the folder that `lvis-merge build` wrote."
        )
    file = folder / RECORD_FILE
    try:
        data = file.read_bytes()
    except FileNotFoundError as error:
        raise InputError(
            f"{folder}: not a manifest (no {RECORD_FILE}). Give the folder that"
            " `lvis-merge build` wrote."
        ) from error
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}).") from error
    record = ManifestRecord.from_json(data, str(file))
    opened[folder] = None
    return Manifest(folder, record)
