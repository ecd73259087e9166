"""The files of a build: made local, hashed in the background, and counted as they are read."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from lvis_merge.manifest.schema import REJECTS
from lvis_merge.merge.corrections import Corrections, read_corrections
from lvis_merge.pipeline.corrections import AppliedCorrections
from lvis_merge.pipeline.options import BuildOptions
from lvis_merge.progress import Stages
from lvis_merge.sources.apart import read_source
from lvis_merge.sources.csv_chunks import CsvFile, open_csv
from lvis_merge.sources.csv_table import PARQUET, CsvTable, open_parquet, table_of
from lvis_merge.sources.files import (
    ARCHIVES,
    InputRecord,
    base_name,
    hash_file,
    is_remote,
    local_files,
    read_all,
    temporary_folder,
    unpacked,
)
from lvis_merge.sources.plan import run_plan, runs_on_ray
from lvis_merge.sources.ranges import digest
from lvis_merge.sources.rejects import RejectPolicy
from lvis_merge.sources.tables import REJECT_KINDS, REJECT_ROWS, JsonSource


@dataclass
class Inputs:
    """What a running build knows of its files.

    Attributes:
        options: of the build.
        policy: how many bad rows are tolerated.
        stages: progress.
        local: path or URL -> local file; without those that the plan reads in place.
        scratch: folder for unpacked files, gone when the build ends.
        corrections: what people corrected, and what became of it.
        files: (role, path or URL) of everything that is read.
        hashes: (role, path) -> what waits for the record.
        rejects: bad rows so far.
        warnings: what the user should know.
    """

    options: BuildOptions
    policy: RejectPolicy
    stages: Stages
    local: dict[str, Path]
    scratch: Path
    corrections: AppliedCorrections
    files: Sequence[tuple[str, str]] = ()
    hashes: dict[tuple[str, str], Callable[[], InputRecord]] = field(default_factory=dict)
    rejects: list[pa.Table] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def warn(self, text: str) -> None:
        """Tells the user once, now and in the manifest."""
        if text not in self.warnings:
            self.warnings.append(text)
            self.stages.say(f"note: {text}")

    def check(self, rejects: pa.Table, rows: int, number: int | None = None) -> pa.Table:
        """Keeps the bad rows of one file and kind, or stops where there are too many.

        Args:
            rejects: the bad rows, at least the first of them where they are too many.
            rows: data rows of that file and kind.
            number: how many are bad; None for all that are given.
        """
        self.policy.check(rejects, rows, number)
        self.rejects.append(rejects)
        return rejects

    def read(self, reader: Callable[..., JsonSource], path: str, **options: Any) -> JsonSource:
        """Reads a JSON file with `reader(local path, **options)`."""
        return read_source(reader, self.local[path], self.scratch, **options)

    def table(self, paths: Sequence[str], needed: tuple[str, ...]) -> CsvTable:
        """Opens a large table, in one file or several, for reading by ranges."""
        return table_of([self._part(path, needed) for path in paths])

    def _part(self, path: str, needed: tuple[str, ...]) -> CsvFile:
        where = self.local.get(path, path)
        if base_name(path).endswith(PARQUET):
            return open_parquet(where, base_name(path), needed)
        if isinstance(where, Path):
            where = unpacked(where, ".csv", self.scratch)
        return open_csv(where, base_name(path), needed)

    def rejects_table(self) -> pa.Table:
        """All bad rows by (source, file, row)."""
        table = pa.concat_tables([REJECT_ROWS.empty_table(), *self.rejects])
        kind = pc.index_in(table["kind"], value_set=pa.array(REJECT_KINDS))
        table = table.append_column("place", kind)
        keys = [(name, "ascending") for name in ("source", "file", "row", "place")]
        table = table.take(pc.sort_indices(table, sort_keys=keys)).drop_columns("place")
        return REJECTS.build({name: table[name] for name in table.schema.names})

    def records(self) -> tuple[InputRecord, ...]:
        """Waits for the hashes."""
        return tuple(self.hashes[file]() for file in self.files)


@contextmanager
def open_inputs(
    options: BuildOptions,
    files: Sequence[tuple[str, str]],
    stages: Stages,
    by_ranges: Collection[str] = (),
) -> Iterator[Inputs]:
    """Makes every file local and starts to hash it.

    On a Ray cluster the files that are read by ranges stay where they are, and the cluster hashes
    them.

    Args:
        options: of the build.
        files: (role, path or URL).
        stages: progress.
        by_ranges: the paths of large tables.

    Raises:
        InputError: a file that is not there.
    """
    policy = RejectPolicy.parse(options.max_rejects, options.strict)
    shared = set()
    if runs_on_ray():
        shared = {path for path in by_ranges if not base_name(path).endswith(ARCHIVES)}
    fetched = [path for _, path in files if path not in shared or not is_remote(path)]
    with ExitStack() as stack:
        local = stack.enter_context(local_files(fetched))
        scratch = stack.enter_context(temporary_folder())
        # one thread: hashing is as fast as one disk, and the other cores have work of their own
        hasher = ThreadPoolExecutor(1)
        # after an error or Ctrl-C nobody waits for the hash of a large file
        stack.callback(hasher.shutdown, wait=False, cancel_futures=True)
        corrections = AppliedCorrections(_corrections(options.corrections, local))
        inputs = Inputs(options, policy, stages, local, scratch, corrections, files)
        on_cluster = [file for file in files if file[1] in shared]
        for role, path in files:
            if path not in shared:
                record = hasher.submit(hash_file, local[path], role, base_name(path))
                inputs.hashes[role, path] = record.result
        digests = hasher.submit(run_plan, digest, [path for _, path in on_cluster])
        for place, (role, path) in enumerate(on_cluster):
            inputs.hashes[role, path] = partial(_record, role, path, digests, place)
        yield inputs


def _record(
    role: str, path: str, digests: Future[list[tuple[int, str]]], place: int
) -> InputRecord:
    return InputRecord(role, base_name(path), *digests.result()[place])


def _corrections(path: str | None, local: dict[str, Path]) -> Corrections:
    if path is None:
        return Corrections("")
    return read_corrections(read_all(local[path], ".csv"), base_name(path))
