"""A signal ends the command even where Python loses the exception that it raises."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from lvis_merge.cli.stopping import GRACE_SECONDS, STOPPED

ROOT = Path(__file__).parents[2]

LOST = """
    # the signal comes in a callback that cannot raise
    import os, signal, time, weakref
    from lvis_merge import cli

    def work():
        class Thing: pass
        thing = Thing()
        link = weakref.ref(thing, lambda _: os.kill(os.getpid(), signal.SIGTERM))
        del thing
        time.sleep(60)

    cli.app = lambda standalone_mode: work()
    cli.main()
"""
STUCK = """
    # something on the way swallows every exception
    import os, signal, time
    from pathlib import Path
    from lvis_merge import cli
    from lvis_merge.unfinished import unfinished

    def app(standalone_mode):
        with unfinished(Path({folder!r})):
            for _ in range(2):
                try:
                    os.kill(os.getpid(), signal.SIGTERM)
                    time.sleep(60)
                except BaseException:
                    pass

    cli.app = app
    cli.main()
"""
BY_A_LIBRARY = """
    # a library makes an error of its own out of it
    import os, signal, time
    from lvis_merge import cli

    def app(standalone_mode):
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        except BaseException as error:
            raise RuntimeError("the engine was shut down") from error

    cli.app = app
    cli.main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("script", [LOST, STUCK, BY_A_LIBRARY], ids=["lost", "stuck", "library"])
def test_a_signal_ends_the_command(tmp_path: Path, script: str) -> None:
    folder = tmp_path / "unfinished"
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script).format(folder=str(folder))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=GRACE_SECONDS + 10,
    )
    assert done.returncode == 143
    assert done.stderr == f"lvis-merge: {STOPPED}\n"
    assert not folder.exists()
