"""Is an annotation file whole, and the one that was published?"""

from __future__ import annotations

import hashlib
import shutil
import zipfile
import zlib
from pathlib import Path

from lvis_merge.fetch.annotation_table import AnnotationFile
from lvis_merge.fetch.trouble import Reason, Trouble

_BLOCK = 1 << 22
_UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)
"""What archives raise; the last for passwords and unknown methods."""


def verify(path: Path, file: AnnotationFile) -> None:
    """Checks a download as far as it can be: its first bytes, its checksum, an archive's own ones.

    Those of an archive of masks are left to `unpack_masks`.

    Args:
        path: where it lies meanwhile.
        file: what it is to be.

    Raises:
        Trouble: it is another thing, or damaged.
    """
    check_start(path, file)
    if file.sha256:
        with path.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
        if digest != file.sha256:
            raise Trouble(
                Reason.damaged, f"its sha256 is {digest}, the published one {file.sha256}"
            )
    elif file.holds_masks:
        return  # all of it is unpacked, and so checked, next
    elif zipfile.is_zipfile(path) or file.name.endswith(".zip"):
        try:
            with zipfile.ZipFile(path) as archive:
                bad = archive.testzip()
        except _UNREADABLE as error:
            raise Trouble(Reason.damaged, f"the archive is damaged ({error})") from error
        if bad is not None:
            raise Trouble(Reason.damaged, f"{bad} in the archive is damaged")


def check_start(path: Path, file: AnnotationFile) -> None:
    """Checks the first bytes.

    Raises:
        Trouble: they are not those of the published file, but of an error page, say.
    """
    with path.open("rb") as content:
        start = content.read(max(len(file.starts), 60))
    if not start.startswith(file.starts.encode()):
        raise Trouble(Reason.no_image, f"it begins with {start[:60]!r}, not {file.starts!r}")


def is_there(root: Path, file: AnnotationFile) -> bool:
    """Whether all that a file becomes is there.

    Files have their names only once they are whole, so a quick look is enough: at the length where
    it is known, at the directory of an archive, at both ends of a JSON file. So have folders of
    masks: there is one, and something is in it.
    """
    return all(_looks_whole(root / target, file) for target in file.targets)


def _looks_whole(path: Path, file: AnnotationFile) -> bool:
    if file.holds_masks:
        return path.is_dir() and any(path.iterdir())
    if not path.is_file():
        return False
    if path.suffix == ".json":
        with path.open("rb") as content:
            first = content.read(1)
            content.seek(max(path.stat().st_size - 16, 0))
            return first in b"{[" and content.read().rstrip()[-1:] in (b"}", b"]")
    if file.bytes is not None and path.stat().st_size != file.bytes:
        return False
    return zipfile.is_zipfile(path) if path.suffix == ".zip" else path.stat().st_size > 0


def unpack(archive: Path, member: str, target: Path) -> None:
    """Unpacks one file of an archive; its own checksum is checked on the way.

    Raises:
        Trouble: the archive lacks it or is damaged.
    """
    try:
        with (
            zipfile.ZipFile(archive) as packed,
            packed.open(member) as source,
            target.open("wb") as out,
        ):
            shutil.copyfileobj(source, out, _BLOCK)
    except (KeyError, *_UNREADABLE) as error:
        raise Trouble(Reason.damaged, f"{member} cannot be unpacked ({error})") from error
