"""`manifest.json`: its sums and counts agree with the tables."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow.compute as pc

from lvis_merge.manifest.record import RECORD_FILE, KindCounts
from lvis_merge.manifest.validate.columns import equal, ints, isin, matches
from lvis_merge.manifest.validate.finding import Finding, error
from lvis_merge.manifest.validate.loaded import Loaded
from lvis_merge.manifest.write import row_counts
from lvis_merge.merge.rules import DROP_RULES, EQL_LAMBDA, REPEAT_THRESHOLD
from lvis_merge.sources.rejects import RAW_CHARACTERS

_LABEL_SPACES = ("lvis", "coco", "open_images")
_ROW_KINDS = ("annotation", "box")
_KINDS = {
    "lvis": ("image", "annotation"),
    "coco": ("image", "annotation"),
    "open_images": ("image", "box", "label"),
}


def sums(loaded: Loaded) -> Iterator[Finding]:
    """in = kept + dropped + rejected, and each is what the tables hold."""
    for source, kinds in loaded.record.counts.items():
        for kind, counts in kinds.items():
            where = f"counts of {source} {kind}"
            total = counts.kept + sum(counts.dropped.values()) + counts.rejected
            if counts.rows_in != total:
                yield _wrong(f"{where}: in is {counts.rows_in}, and the parts sum to {total}")
            for rule, number in counts.dropped.items():
                if rule not in DROP_RULES:
                    yield _wrong(f"{where}: {rule} is no rule")
                if number == 0:
                    yield _wrong(f"{where}: {rule} met no row")
            if kind not in _KINDS.get(source, _KINDS["lvis"]):
                yield _wrong(f"{where}: {source} has no rows of this kind")
            yield from _kept(loaded, source, kind, counts)
            yield from _rejected(loaded, source, kind, counts)


def _kept(loaded: Loaded, source: str, kind: str, counts: KindCounts) -> Iterator[Finding]:
    where = f"counts of {source} {kind}"
    if kind in _ROW_KINDS:
        found = int(loaded.rows_from(source).sum())
        if counts.kept != found:
            yield _wrong(f"{where}: kept is {counts.kept}, and annotations has {found} rows")
    elif kind == "image":
        images = loaded.images_from(source)
        found, exact = int(images.sum()), True
        if source == "open_images":
            # Only subsets with an image list are counted.
            roles = [one.role for one in loaded.record.inputs]
            listed = [
                subset
                for subset in ("train", "validation", "test")
                if f"openimages/{subset}/images" in roles
            ]
            if exact := bool(listed):
                of_list = matches(loaded.images["file_name"], rf"^(?:{'|'.join(listed)})/")
                found = int((images & of_list).sum())
        if counts.kept > found or (exact and counts.kept != found):
            yield _wrong(f"{where}: kept is {counts.kept}, and images has {found} rows")


def _rejected(loaded: Loaded, source: str, kind: str, counts: KindCounts) -> Iterator[Finding]:
    rejects = loaded.tables.rejects
    mine = equal(rejects["source"], source) & equal(rejects["kind"], kind)
    found = int(mine.sum())
    if counts.rejected != found:
        yield _wrong(
            f"counts of {source} {kind}: rejected is {counts.rejected}, and rejects has {found}"
        )
    yield from loaded.broken(
        "rejects",
        "rejects",
        mine & (ints(rejects["row"]) > counts.rows_in),
        lambda row: f"row {rejects['row'][row]} is past the {counts.rows_in} rows read",
    )


def completeness(loaded: Loaded) -> Iterator[Finding]:
    """Every source and kind that the tables hold is counted."""
    counted = loaded.record.counts
    for source in ("lvis", "coco", "open_images", *loaded.record.extras):
        kind = "box" if source == "open_images" else "annotation"
        if loaded.rows_from(source).any() and kind not in counted.get(source, {}):
            yield _wrong(f"counts: {source} {kind} is missing")
        needs_images = source == "lvis" or loaded.record.label_space == "coco" == source
        counts_images = "image" in counted.get(source, {})
        if needs_images and loaded.images_from(source).any() and not counts_images:
            yield _wrong(f"counts: {source} image is missing")
    rejects = loaded.tables.rejects
    pairs = zip(rejects["source"].to_pylist(), rejects["kind"].to_pylist(), strict=True)
    for source, kind in sorted(set(pairs)):
        if kind not in counted.get(source, {}):
            yield _wrong(f"counts: {source} {kind} is missing, and rejects has such rows")
    if loaded.record.rows != row_counts(loaded.tables):
        yield _wrong("rows: not the rows of the tables")


def constants(loaded: Loaded) -> Iterator[Finding]:
    """Label space, version, constants and hold-out are possible ones."""
    record = loaded.record
    if record.label_space not in _LABEL_SPACES:
        yield _wrong(f"label_space {record.label_space} is none of {', '.join(_LABEL_SPACES)}")
    if record.lvis_version not in (None, "custom", *EQL_LAMBDA):
        yield _wrong(f"lvis_version {record.lvis_version} is unknown")
    if record.rfs.threshold != REPEAT_THRESHOLD:
        yield _wrong(f"rfs: threshold is {record.rfs.threshold}, the rules' is {REPEAT_THRESHOLD}")
    if not loaded.in_lvis_space and record.eql is not None:
        yield _wrong("eql: the constants are for the label space lvis only")
    held = any(
        "holdout" in one.dropped for kinds in record.counts.values() for one in kinds.values()
    )
    if held and record.holdout is None:
        yield _wrong("holdout: rows were held out, and no ids to hold out are recorded")


def rejects(loaded: Loaded) -> Iterator[Finding]:
    """Rejected rows name an input file and a place in it."""
    table = loaded.tables.rejects
    names = sorted({one.name for one in loaded.record.inputs})
    yield from loaded.broken(
        "rejects",
        "rejects",
        ~isin(table["file"], names),
        lambda row: f"file {table['file'][row]} is none of the inputs",
    )
    yield from loaded.broken("rejects", "rejects", ints(table["row"]) < 1, "row is below 1")
    yield from loaded.broken(
        "rejects",
        "rejects",
        np.asarray(ints(pc.utf8_length(table["raw"])) > RAW_CHARACTERS),
        f"raw is longer than {RAW_CHARACTERS} characters",
    )
    for source, kinds in _KINDS.items():
        yield from loaded.broken(
            "rejects",
            "rejects",
            equal(table["source"], source) & ~isin(table["kind"], list(kinds)),
            f"{source} has no rows of this kind",
        )


def _wrong(message: str) -> Finding:
    return error("record", RECORD_FILE, message)
