"""Rows to files: JSON and CSV in several honest shapes, plain or compressed."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from pathlib import Path
from random import Random
from typing import Any, Literal


class Writer:
    """Writes into one folder and remembers every file."""

    def __init__(self, folder: Path, rng: Random) -> None:
        self.folder = folder
        self.rng = rng
        self.files: list[Path] = []
        folder.mkdir(parents=True, exist_ok=True)

    def text(self, name: str, text: str, compress: bool = False) -> Path:
        """Writes UTF-8 text, sometimes as `.gz` or `.zip` where `compress` allows it."""
        data = text.encode("utf-8")
        suffix = self.rng.choices(("", ".gz", ".zip"), (8, 1, 1))[0] if compress else ""
        if suffix == ".gz":
            data = gzip.compress(data, mtime=0)
        elif suffix == ".zip":
            packed = io.BytesIO()
            with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(zipfile.ZipInfo(Path(name).name, (1980, 1, 1, 0, 0, 0)), data)
            data = packed.getvalue()
        path = self.folder / (name + suffix)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        self.files.append(path)
        return path

    def json(self, name: str, members: dict[str, Any], compress: bool = True) -> Path:
        """Writes a JSON object; members and keys of rows in drawn order.

        An infinite number is written as 1e999, which is JSON and no float64.
        """
        indent = self.rng.choice((None, None, 1))
        ascii_only = self.rng.random() < 0.5
        keys = list(members)
        self.rng.shuffle(keys)
        text = json.dumps(
            {key: members[key] for key in keys}, indent=indent, ensure_ascii=ascii_only
        )
        return self.text(name, text.replace("Infinity", "1e999"), compress)

    def csv(
        self,
        name: str,
        header: tuple[str, ...] | None,
        rows: list[list[str]],
        compress: bool = False,
        counted: bool = False,
    ) -> Path:
        """Writes a CSV; one that is `counted` may have CRLF ends, blank lines, full quoting."""
        target = io.StringIO(newline="")
        end = "\r\n" if counted and self.rng.random() < 0.15 else "\n"
        quote_all = counted and self.rng.random() < 0.1
        quoting: Literal[0, 1] = csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL
        writer = csv.writer(target, lineterminator=end, quoting=quoting)
        blank_lines = counted and self.rng.random() < 0.15
        if header is not None:
            writer.writerow(header)
        for row in rows:
            writer.writerow(row)
            if blank_lines and self.rng.random() < 0.2:
                target.write(end)
        text = target.getvalue()
        if counted and self.rng.random() < 0.2:
            text = text.removesuffix(end)  # no line end after the last row
        return self.text(name, text, compress)
