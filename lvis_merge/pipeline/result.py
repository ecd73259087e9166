"""What a label space's build hands to the writer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from lvis_merge.manifest.record import EqlConstants, ExtraOrigin
from lvis_merge.merge.holdout import HoldOut
from lvis_merge.merge.tally import Tally


@dataclass(frozen=True)
class BuildResult:
    """Tables and facts of a build, before they are written.

    Attributes:
        images: rows of `schema.IMAGES`.
        annotations: rows of `schema.ANNOTATIONS`.
        categories: rows of `schema.CATEGORIES`.
        tallies: source -> kind -> what became of the rows.
        maps: file name -> bytes of the label maps used.
        lvis_version: v0.5, v1 or custom; None in other label spaces.
        eql: constants of the equalization loss; None in other label spaces.
        holdout: what the train images were checked against, None if nothing.
        splits: per split the source file's `info` and `licenses`.
        contradictory: (image, MID) pairs verified both present and absent.
        extras: where the extra sources came from, by name.
    """

    images: pa.Table
    annotations: pa.Table
    categories: pa.Table
    tallies: Mapping[str, Mapping[str, Tally]]
    maps: Mapping[str, bytes] = field(default_factory=dict)
    lvis_version: str | None = None
    eql: EqlConstants | None = None
    holdout: HoldOut | None = None
    splits: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)
    contradictory: int = 0
    extras: Mapping[str, ExtraOrigin] = field(default_factory=dict)
