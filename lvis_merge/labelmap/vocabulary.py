"""Vocabularies that maps are checked against: LVIS categories and a source's class list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from lvis_merge.errors import InputError
from lvis_merge.labelmap.csv_text import decode_csv, read_bytes, split_csv
from lvis_merge.sources.files import read_all
from lvis_merge.sources.json_blocks import read_document
from lvis_merge.sources.json_categories import CocoCategory, read_categories

_CLASS_HEADERS = (
    ("LabelName", "DisplayName"),
    ("id", "name"),
    ("source_id", "source_name"),
    ("mid", "open_images_name"),
    ("coco_id", "coco_name"),
)


@dataclass(frozen=True)
class LvisCategory:
    """An LVIS category as one or several LVIS files describe it.

    Attributes:
        synset: its WordNet synset, such as `acorn.n.01`; the key.
        names: its names, one per differing file, in the order the files were given.
        synonyms: all listed synonyms, the names not among them.
        definition: its definition, "" where no file gives one.
        is_shared: two categories of one file have this synset.
    """

    synset: str
    names: tuple[str, ...]
    synonyms: tuple[str, ...]
    definition: str
    is_shared: bool


@dataclass(frozen=True)
class SourceClass:
    """A class of a source's vocabulary: its id and the name shown to people."""

    source_id: str
    name: str


class _Category(msgspec.Struct, rename={"definition": "def"}):
    name: str
    synset: str
    synonyms: list[str] = []
    definition: str = ""


class _Annotations(msgspec.Struct):
    categories: list[_Category]


def read_lvis_vocabulary(paths: Sequence[Path | str]) -> dict[str, LvisCategory]:
    """Reads the categories of LVIS files and joins them by synset.

    Args:
        paths: LVIS annotation files (plain, `.zip` or `.gz`; only `categories` is kept) or JSON
            lists of LVIS categories.

    Returns:
        The categories by synset, in the order in which they first appear.

    Raises:
        InputError: no such file, no JSON, or categories without a name and a synset.
    """
    found: dict[str, list[_Category]] = {}
    shared: set[str] = set()
    for path in paths:
        in_file: set[str] = set()
        for category in _read_categories(Path(path)):
            found.setdefault(category.synset, []).append(category)
            if category.synset in in_file:
                shared.add(category.synset)
            in_file.add(category.synset)
    return {synset: _joined(synset, seen, synset in shared) for synset, seen in found.items()}


def _read_categories(path: Path) -> list[_Category]:
    data = read_all(path, ".json")
    try:
        if data.lstrip()[:1] == b"[":
            return msgspec.json.decode(data, type=list[_Category])
        return msgspec.json.decode(data, type=_Annotations).categories
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"{path}: holds no LVIS categories ({error}). Give an LVIS annotation file or a list"
            " of LVIS categories, each with name and synset."
        ) from None


def _joined(synset: str, seen: list[_Category], is_shared: bool) -> LvisCategory:
    names = tuple(dict.fromkeys(category.name for category in seen))
    synonyms = dict.fromkeys(word for category in seen for word in category.synonyms)
    return LvisCategory(
        synset,
        names,
        tuple(word for word in synonyms if word not in names),
        next((category.definition for category in seen if category.definition), ""),
        is_shared,
    )


def read_class_list(path: Path | str) -> list[SourceClass]:
    """Reads a source's vocabulary.

    Args:
        path: a CSV with the columns `id,name`, `source_id,source_name` or those of a label map;
            or Open Images' class list, with the header `LabelName,DisplayName` or with none; or
            an annotation file in COCO's format (`.json`, `.json.gz`, `.zip`).

    Returns:
        Its classes, in file order; those of a COCO file by id.

    Raises:
        InputError: no such file, no such columns, a row with the wrong number of fields, an empty
            or repeated id.
    """
    if Path(path).name.endswith((".json", ".json.gz", ".zip")):
        return _coco_classes(Path(path))
    lines = split_csv(decode_csv(read_bytes(path), str(path)), str(path))
    id_place, name_place, first = _class_columns(lines, path)
    classes: list[SourceClass] = []
    seen: set[str] = set()
    for number, fields in enumerate(lines[first:], 1):
        where = f"{path}, row {number}"
        if len(fields) != len(lines[0]):
            raise InputError(
                f"{where}: {len(fields)} fields, expected {len(lines[0])}. Put a field that holds"
                " a comma in double quotes."
            )
        source_id, name = fields[id_place], fields[name_place]
        if not source_id or not name:
            raise InputError(f"{where}: the id or the name is empty. Fill it in.")
        if source_id in seen:
            raise InputError(f"{where}: the id {source_id} is there twice. Remove one of the rows.")
        seen.add(source_id)
        classes.append(SourceClass(source_id, name))
    return classes


def _coco_classes(path: Path) -> list[SourceClass]:
    values = read_document(path, {}, frozenset({"categories"})).values
    if "categories" not in values:
        raise InputError(f"{path}: has no array `categories`. Give a file in COCO's format.")
    table = read_categories(path, values["categories"], CocoCategory)
    pairs = zip(table["category_id"].to_pylist(), table["name"].to_pylist(), strict=True)
    return [SourceClass(str(number), name) for number, name in pairs]


def _class_columns(lines: list[list[str]], path: Path | str) -> tuple[int, int, int]:
    """Places of the id and the name, and the first data line."""
    header = lines[0] if lines else []
    for id_column, name_column in _CLASS_HEADERS:
        if id_column in header and name_column in header:
            return header.index(id_column), header.index(name_column), 1
    if len(header) == 2 and header[0].startswith(("/m/", "/g/")):
        return 0, 1, 0  # Open Images V5's list has no header
    raise InputError(
        f"{path}: is no class list. Give a CSV with the columns id and name, or the class list of"
        " Open Images (class-descriptions-boxable.csv)."
    )
