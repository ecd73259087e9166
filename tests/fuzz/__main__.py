"""`make fuzz`: hostile files, then damaged ones until the time is over; keeps what it finds.

    FUZZ_SECONDS=600 FUZZ_SEED=7 make fuzz

The same seed runs the same files in the same order. `python -m tests.fuzz WORD…` runs the targets
that have one of the words in their names. A crash or a hang ends it: the folder that it names first
then holds the file.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from tests.cli.small_inputs import Inputs
from tests.fuzz.hostile import hostile_files
from tests.fuzz.search import FoundError, check, search
from tests.fuzz.targets import TARGETS, Target
from tests.fuzz.world import make_files

CORPUS = Path(__file__).parent / "corpus"
_CASES_A_ROUND = 20


class _Fuzz:
    """One run.

    Attributes:
        inputs: the world.
        number: the seed.
        until: when to stop, by the clock.
        ran: files so far.
        found: targets with a finding; one each, the rest is likely to be the same.
    """

    def __init__(self, inputs: Inputs, number: int, seconds: float) -> None:
        self.inputs = inputs
        self.number = number
        self.start = time.monotonic()
        self.seconds = seconds
        self.ran = 0
        self.found: set[str] = set()

    def over(self, share: float = 1.0) -> bool:
        """Whether so much of the time has passed."""
        return time.monotonic() - self.start > share * self.seconds

    def hostile(self, targets: Sequence[Target]) -> Iterator[str]:
        """Runs the megabyte files in an order of the seed, for at most half of the time."""
        for target in Random(self.number).sample(targets, len(targets)):
            good = self.inputs.path(target.file).read_bytes()
            for name, data in hostile_files(target.file, target.format, good):
                if self.over(0.5) or target.id in self.found:
                    break
                self.ran += 1
                try:
                    check(target, self.inputs, data)
                except FoundError as finding:
                    self.found.add(target.id)
                    yield f"hostile file {name}: {finding}"

    def damaged(self, targets: Sequence[Target]) -> Iterator[str]:
        """Runs damaged files, some for each target in turn."""
        rounds = 0
        while not self.over() and self.found < {target.id for target in targets}:
            for target in targets:
                if self.over() or target.id in self.found:
                    continue
                try:
                    search(target, self.inputs, self.number + rounds, _CASES_A_ROUND)
                except FoundError as finding:
                    self.found.add(target.id)
                    yield f"{finding}\nkept as {_keep(target, finding.data)}"
                self.ran += _CASES_A_ROUND
            rounds += 1


def main() -> int:
    seconds = float(os.environ.get("FUZZ_SECONDS", "600"))
    number = int(os.environ.get("FUZZ_SEED") or secrets.randbelow(2**32))
    words = sys.argv[1:]
    targets = [one for one in TARGETS if not words or any(word in one.id for word in words)]
    folder = Path(tempfile.mkdtemp(prefix="lvis-merge-fuzz-"))
    print(f"fuzz: seed {number}, {seconds:.0f} s, {len(targets)} targets, in {folder}", flush=True)
    fuzz = _Fuzz(make_files(folder / "files"), number, seconds)
    for kind in (fuzz.hostile, fuzz.damaged):
        before = fuzz.ran
        for finding in kind(targets):
            print(f"\n{finding}", flush=True)
        print(f"fuzz: {fuzz.ran - before:,} {kind.__name__} files", flush=True)
    shutil.rmtree(folder)
    passed = time.monotonic() - fuzz.start
    print(f"fuzz: seed {number}, {passed:.0f} s, findings in {len(fuzz.found)} targets")
    return int(bool(fuzz.found))


def _keep(target: Target, data: bytes) -> Path:
    place = CORPUS / target.id.replace(":", "/") / hashlib.sha256(data).hexdigest()[:12]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    return place


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # as the command line does: see lvis_merge.cli.main
