"""The column tables of `manifests/README.md`, from the declared schema.

`python -m lvis_merge.manifest.docs` rewrites them in place.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa

from lvis_merge.errors import InputError
from lvis_merge.manifest.schema import BBOX, TABLES, Column, TableSpec

README = Path(__file__).parents[2] / "manifests" / "README.md"


def begin(spec: TableSpec) -> str:
    """The line before a generated table."""
    return f"<!-- columns of {spec.name}: written by python -m lvis_merge.manifest.docs -->"


END = "<!-- end of columns -->"


def with_columns(text: str) -> str:
    """A text with the table between each pair of markers written anew.

    Args:
        text: Markdown that has the markers of every table.

    Returns:
        The text, everything outside the markers as it was.

    Raises:
        InputError: a table's markers are missing.
    """
    for spec in TABLES:
        before, found, rest = text.partition(begin(spec))
        _, closed, after = rest.partition(END)
        if not found or not closed:
            raise InputError(
                f"the markers of {spec.name} are missing: {begin(spec)} … {END}. Put them back."
            )
        text = f"{before}{begin(spec)}\n{columns_table(spec)}\n{END}{after}"
    return text


def columns_table(spec: TableSpec) -> str:
    """A Markdown table of a table's columns, in file order."""
    rows = [_row(column) for column in spec.columns]
    return "\n".join(["| column | type | meaning |", "|---|---|---|", *rows])


def _row(column: Column) -> str:
    meaning = column.meaning
    if column.values:
        meaning += f". One of {', '.join(f'`{value}`' for value in column.values)}"
    null = ", or null" if column.nullable else ""
    return f"| `{column.name}` | {_type_name(column.type)}{null} | {meaning} |"


def _type_name(kind: pa.DataType) -> str:
    if kind == BBOX:
        return "4 × float32"
    if pa.types.is_list(kind):
        return f"list of {_type_name(kind.value_type)}"
    return {"double": "float64", "float": "float32"}.get(str(kind), str(kind))


def main() -> None:
    """Rewrites the tables of `manifests/README.md`."""
    README.write_text(with_columns(README.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    main()
