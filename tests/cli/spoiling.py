"""Ways to spoil an input file, and what a case of a bad file is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.cli.small_inputs import COCO, Inputs

Spoil = Callable[[Inputs], object]


@dataclass(frozen=True)
class Bad:
    """A file that cannot be used at all.

    Attributes:
        id: of the case.
        spoil: what is done to good inputs.
        message: what the message starts with; `{}` is the inputs' folder, `{{` a brace.
        options: of the build.
    """

    id: str
    spoil: Spoil
    message: str
    options: Callable[[Inputs], list[str]] = Inputs.everything


@dataclass(frozen=True)
class BadJson(Bad):
    """An LVIS or COCO file that cannot be used; Open Images is left out, to save time."""

    options: Callable[[Inputs], list[str]] = Inputs.json_files


def write(name: str, content: str | bytes) -> Spoil:
    return lambda inputs: inputs.write(name, content)


def replace(name: str, old: str, new: str) -> Spoil:
    return lambda inputs: inputs.replace(name, old, new)


def append(name: str, line: str) -> Spoil:
    return lambda inputs: inputs.append(name, line + "\n")


def edit(name: str, change: Callable[[dict[str, Any]], object]) -> Spoil:
    return lambda inputs: inputs.edit(name, change)


def cut(name: str) -> Spoil:
    return lambda inputs: inputs.cut(name)


def remove(name: str) -> Spoil:
    return lambda inputs: inputs.path(name).unlink()


def set_in(array: str, row: int, **fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda content: content[array][row - 1].update(fields)


def without(array: str, field: str) -> Callable[[dict[str, Any]], object]:
    return lambda content: [row.pop(field) for row in content[array]]


def only(*flags_and_names: str) -> Callable[[Inputs], list[str]]:
    """Options of pairs (flag, file); a value that is no file of the inputs stays as it is."""

    def options(inputs: Inputs) -> list[str]:
        return [
            str(inputs.path(part)) if not part.startswith("-") and "." in part else part
            for part in flags_and_names
        ]

    return options


def train_as(name: str) -> Callable[[Inputs], list[str]]:
    return only("--lvis", name)


COCO_SPACE = only("--coco", COCO, "--label-space", "coco")
JSON_KIND = "Give an LVIS or COCO annotation file."
CUT = "The file is damaged, cut short or of another kind. Download it again."
ARCHIVE = "the archive is damaged or cut short"
OF_ANOTHER_KIND = "It is a file of another kind: give an LVIS or COCO annotation file."
MAP_HEADERS = (
    "Give a CSV with the header mid,open_images_name,lvis_synset,lvis_name,relation,note or"
    " coco_id,coco_name,lvis_synset,lvis_name,relation,note or"
    " source_id,source_name,lvis_synset,lvis_name,relation,note."
)
BOX_FIELDS = "XMin, XMax, YMin, YMax, IsOccluded, IsTruncated, IsGroupOf, IsDepiction, IsInside"


TWO = ("a.csv", "b.csv")


def gzipped_and(name: str, then: Callable[[Inputs, str], object]) -> Spoil:
    def spoil(inputs: Inputs) -> None:
        inputs.gzip(name)
        then(inputs, f"{name}.gz")

    return spoil


def flip_a_bit(inputs: Inputs, name: str) -> None:
    data = bytearray(inputs.path(name).read_bytes())
    data[len(data) // 2] ^= 0x10
    inputs.write(name, bytes(data))
