"""The data sets that are in the database: which are ours, of which manifest, half loaded or not."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lvis_merge.errors import InputError, LvisMergeError
from lvis_merge.manifest.record import RECORD_FILE

INFO_KEY = "lvis_merge"
"""In a data set's `info`: of which manifest it is, how many images it has and lacks."""

_PARTIAL = re.compile(r"lvis-merge-partial-(\d+)-.*")


def partial_name(name: str) -> str:
    """The name of a data set while this process loads it."""
    return f"lvis-merge-partial-{os.getpid()}-{name}"


def remove_leftovers() -> None:
    """Deletes data sets that killed processes left half loaded."""
    import fiftyone as fo
    from psutil import pid_exists

    for name in fo.list_datasets():
        match = _PARTIAL.fullmatch(name)
        if match and (int(match[1]) == os.getpid() or not pid_exists(int(match[1]))):
            fo.delete_dataset(name)


def manifest_digest(manifest: Path) -> str:
    """Sha256 of `manifest.json`, which holds the hash of every table."""
    return hashlib.sha256((manifest / RECORD_FILE).read_bytes()).hexdigest()


def datasets_of(manifest: Path) -> list[str]:
    """Names of the data sets of a manifest: of this folder, in any build, or of these contents."""
    place, digest = str(manifest.resolve()), manifest_digest(manifest)
    return sorted(
        name
        for name, about in _infos()
        if (about.get("manifest") == place or about.get("digest") == digest)
        and not _PARTIAL.fullmatch(name)
    )


def _infos() -> Iterator[tuple[str, dict[str, Any]]]:
    import fiftyone as fo

    for name in fo.list_datasets():
        dataset = fo.load_dataset(name)
        about = dataset.info.get(INFO_KEY)
        if isinstance(about, dict):
            yield name, about


def remove_older(about: dict[str, Any]) -> list[str]:
    """Deletes what older builds of a folder left, unless there are tags on it.

    Args:
        about: what a data set that was loaded just now says of itself (`INFO_KEY`).

    Returns:
        Names of those that were kept because of their tags.
    """
    import fiftyone as fo

    asked = ("manifest", "selection", "results")
    kept = []
    for name, other in list(_infos()):
        older = other.get("digest") != about["digest"] and not _PARTIAL.fullmatch(name)
        if not older or any(other.get(key) != about[key] for key in asked):
            continue
        dataset = fo.load_dataset(name)
        if dataset.count_sample_tags() or dataset.count_label_tags():
            kept.append(name)
        else:
            dataset.delete()
    return kept


@contextmanager
def told() -> Iterator[None]:
    """Says what FiftyOne or its database could not do, without a traceback.

    Raises:
        InputError: the database is not there, too old, or of another FiftyOne.
    """
    from pymongo.errors import PyMongoError

    try:
        yield
    except LvisMergeError:
        raise
    except (PyMongoError, ConnectionError, RuntimeError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of a file, not of FiftyOne
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InputError(
            f"FiftyOne cannot use its database ({said[:300]}). Check FIFTYONE_DATABASE_URI; with a"
            " database that another FiftyOne wrote, use that version or another database."
        ) from error
