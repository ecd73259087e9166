"""`--extra NAME=coco-json:PATH:MAP`: a further data set, and the map that its boxes go through."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from lvis_merge.errors import UsageError
from lvis_merge.merge.rules import SOURCE_ORDER

FORM = "NAME=coco-json:PATH:MAP.csv"
_FORMAT = "coco-json"
_NAME = re.compile(r"[a-z0-9_]+")


@dataclass(frozen=True)
class ExtraSource:
    """A further data set.

    Attributes:
        name: of the source, in every table.
        path: its annotations in COCO's format, a local path or URL.
        mapping: its label map, a local CSV.
        exhaustive: whether every image is annotated completely for every one of its classes.
    """

    name: str
    path: str
    mapping: str
    exhaustive: bool = False

    @classmethod
    def parse(cls, text: str) -> ExtraSource:
        """Reads a value of `--extra`; PATH may be a URL, MAP is what stands behind the last colon.

        Raises:
            UsageError: another form, a name that cannot be one, or no map.
        """
        name, equals, rest = text.partition("=")
        form, colon, files = rest.partition(":")
        if not equals or not colon:
            raise _wrong(text, f"is not {FORM}")
        if not _NAME.fullmatch(name):
            raise _wrong(text, f"the name {name!r} may have a-z, 0-9 and _ only")
        if name in SOURCE_ORDER:
            raise _wrong(text, f"{name} has an option of its own; choose another name")
        if form != _FORMAT:
            raise _wrong(text, f"the format {form!r} is not {_FORMAT}, the one that can be read")
        path, _, mapping = files.rpartition(":")
        if not path or not mapping.endswith(".csv"):
            raise _wrong(text, "the label map, a .csv file, is to stand behind the last colon")
        if mapping.startswith("//"):
            raise _wrong(text, f"the label map must be a local file, not {mapping!r} of a URL")
        return cls(name, path, mapping)


def parse_extras(values: Sequence[str], exhaustive: Sequence[str]) -> tuple[ExtraSource, ...]:
    """Reads `--extra` and `--extra-exhaustive`.

    Args:
        values: of `--extra`.
        exhaustive: names of those that are annotated exhaustively.

    Raises:
        UsageError: see `ExtraSource.parse`; a name that no source has.
    """
    extras = [ExtraSource.parse(text) for text in values]
    names = [extra.name for extra in extras]
    for name in exhaustive:
        if name not in names:
            raise UsageError(
                f"--extra-exhaustive {name}: no --extra has this name"
                f" (there is {', '.join(names) or 'none'})."
            )
    return tuple(replace(extra, exhaustive=extra.name in exhaustive) for extra in extras)


def by_name(extras: Sequence[ExtraSource]) -> list[ExtraSource]:
    """The order in which sources are merged, whatever the order of the options."""
    return sorted(extras, key=lambda extra: extra.name)


def _wrong(text: str, why: str) -> UsageError:
    return UsageError(
        f"--extra {text}: {why}. Give {FORM}, such as"
        " objects365=coco-json:zhiyuan_objv2_train.json:objects365.csv."
    )
