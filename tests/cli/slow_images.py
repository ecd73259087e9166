"""`lvis-merge test` in a process that a signal finds in the middle: each image takes a while."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import NoReturn

import torch

from lvis_merge import cli
from lvis_merge.testing.inference.journal import ImageRecord, JournalWriter


def slow_test(cache: str, folder: Path, *arguments: str) -> NoReturn:
    """`lvis-merge ARGUMENTS` in a folder, on one thread, with a second's rest after each image."""
    torch.set_num_threads(1)
    os.environ["LVIS_MERGE_CACHE"] = cache
    os.chdir(folder)
    write = JournalWriter.write

    def slowly(self: JournalWriter, record: ImageRecord) -> None:
        write(self, record)
        time.sleep(1)

    JournalWriter.write = slowly
    sys.argv = ["lvis-merge", *arguments]
    cli.main()
