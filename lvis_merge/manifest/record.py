"""`manifest.json`: what a manifest was built from, and how.

It holds nothing that differs between two equal builds: no folder, host, time, engine or thread
count.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from lvis_merge.errors import InputError
from lvis_merge.manifest.schema import SCHEMA_VERSION
from lvis_merge.merge.rules import REPEAT_THRESHOLD
from lvis_merge.sources.files import InputRecord

RECORD_FILE = "manifest.json"
_ALWAYS_ROWS = 100_000

Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
FileName = Annotated[str, msgspec.Meta(pattern=r"^[^/\\\x00]+$")]
Count = Annotated[int, msgspec.Meta(ge=0)]


class KindCounts(
    msgspec.Struct,
    frozen=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
    rename={"rows_in": "in"},
):
    """What became of the data rows of one source and kind: in = kept + dropped + rejected.

    Attributes:
        rows_in: data rows read (`in` in the file).
        kept: rows used.
        dropped: good rows left out, by the first rule that they met.
        rejected: bad rows; each is in `rejects.parquet`.
        relabelled: rows kept under another category than published; absent from the file if none.
    """

    rows_in: Count
    kept: Count
    dropped: dict[str, Count]
    rejected: Count
    relabelled: Count = 0


class RowCounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rows of one table.

    Attributes:
        total: rows in all.
        sources: rows by source; empty for `categories`.
    """

    total: Count
    sources: dict[str, Count]


class EvidenceCounts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the evidence of the chosen Open Images images looked like.

    Attributes:
        contradictory_labels: (image, MID) pairs verified both present and absent.
    """

    contradictory_labels: Count = 0


class EqlConstants(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"lambda_": "lambda"}
):
    """Constants of the equalization loss: `is_tail` is image_count_lvis < lambda * annotated.

    Attributes:
        lambda_: the published one of this LVIS version; None for a custom list, where the tail
            is LVIS's own r and c (`lambda` in the file).
        annotated_images: LVIS train images with any annotation, before hold-out removal.
    """

    lambda_: float | None
    annotated_images: Count


class RfsConstants(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Constants of repeat factor sampling.

    Attributes:
        threshold: t of `repeat_factor`.
    """

    threshold: float = REPEAT_THRESHOLD


class HoldOut(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which ids the train images were checked against.

    Attributes:
        sha256: hash over the sorted ids.
        image_ids: how many image ids.
        flickr_photo_ids: how many Flickr photo ids.
        files: base names of the files that they came from.
    """

    sha256: Digest
    image_ids: Count
    flickr_photo_ids: Count
    files: tuple[str, ...]


class SplitOrigin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the source file of a split says of itself.

    Attributes:
        info: its `info`, verbatim, or None.
        licenses: its `licenses`, verbatim, or None.
    """

    info: Any = None
    licenses: Any = None


class ExtraOrigin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where an extra source came from.

    Attributes:
        map: name of its label map in `maps/`.
        exhaustive: whether the user vouched that its images are annotated completely.
        info: `info` of its file, verbatim, or None.
        licenses: `licenses` of its file, verbatim, or None.
    """

    map: str
    exhaustive: bool
    info: Any = None
    licenses: Any = None


class ManifestRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All of `manifest.json`.

    Attributes:
        schema_version: of the tables.
        tool_version: of lvis-merge.
        label_space: lvis, coco or open_images.
        lvis_version: v0.5, v1 or custom; None in the other label spaces.
        seed: of the selection.
        options: those that shape the result, by their command line names with `_` for `-`.
        inputs: every file read, by role.
        maps: sha256 of each file in `maps/`, by name.
        counts: by source and kind.
        evidence: counts of Open Images's evidence.
        eql: constants of the equalization loss; None in the other label spaces.
        rfs: constants of repeat factor sampling.
        holdout: ids that were held out; None if leakage was not checked.
        splits: what the LVIS or COCO file of each split says of itself.
        extras: the extra sources, by name; absent from the file if there are none.
        warnings: what the build warned of.
        rows: by table; filled by the writer.
        files: sha256 of each table's file and of croissant.json; filled by the writer.
    """

    schema_version: int = SCHEMA_VERSION
    tool_version: str
    label_space: str
    lvis_version: str | None
    seed: int
    options: dict[str, Any]
    inputs: tuple[InputRecord, ...]
    maps: dict[FileName, Digest]
    counts: dict[str, dict[str, KindCounts]]
    evidence: EvidenceCounts = msgspec.field(default_factory=EvidenceCounts)
    eql: EqlConstants | None = None
    rfs: RfsConstants = msgspec.field(default_factory=RfsConstants)
    holdout: HoldOut | None = None
    splits: dict[str, SplitOrigin] = msgspec.field(default_factory=dict)
    extras: dict[str, ExtraOrigin] = msgspec.field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    rows: dict[str, RowCounts] = msgspec.field(default_factory=dict)
    files: dict[str, Digest] = msgspec.field(default_factory=dict)

    def replace(self, **changes: Any) -> ManifestRecord:
        """A copy with some fields changed."""
        return msgspec.structs.replace(self, **changes)

    def has_room_for(self, table: str, rows: int) -> bool:
        """Whether a table may have so many rows, far more than were written or not.

        A small Parquet file can hold a billion equal rows: they would fill the memory before they
        could be told to be wrong.
        """
        written = self.rows[table].total if table in self.rows else 0
        return rows <= max(_ALWAYS_ROWS, 10 * written)

    def to_json(self) -> bytes:
        """The file's bytes: UTF-8, two spaces, maps sorted by key, a newline at the end."""
        plain = msgspec.to_builtins(self, order="deterministic")
        if not self.extras:
            del plain["extras"]
        return json.dumps(plain, ensure_ascii=False, allow_nan=False, indent=2).encode() + b"\n"

    @classmethod
    def from_json(cls, data: bytes, where: str = RECORD_FILE) -> ManifestRecord:
        """Reads a record of this schema version.

        Args:
            data: the file's bytes.
            where: what messages call the file.

        Raises:
            InputError: not JSON, another schema version, or a field missing or of a wrong type.
        """
        head = record_head(data)
        if head is None:
            raise InputError(
                f"{where}: not a manifest's record (schema_version, tool_version, label_space)."
                " Give the folder that `lvis-merge build` wrote."
            )
        version = head["schema_version"]
        if version != SCHEMA_VERSION:
            raise InputError(
                f"{where}: schema version {version}, written by lvis-merge"
                f" {head['tool_version']}; this lvis-merge reads version {SCHEMA_VERSION}."
                " Build the manifest again, or use the lvis-merge that wrote it."
            )
        try:
            return msgspec.json.decode(data, type=cls)
        except msgspec.ValidationError as error:
            raise InputError(
                f"{where}: {error}. The file was changed by hand or damaged:"
                " build the manifest again."
            ) from error


def record_head(data: bytes) -> Mapping[str, Any] | None:
    """The fields that tell a manifest's record of any version from other JSON, or None."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(value, dict) or not isinstance(value.get("schema_version"), int):
        return None
    return value if {"tool_version", "label_space"} <= set(value) else None
