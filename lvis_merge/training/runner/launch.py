"""`--gpus N`: torchrun in this process, one worker per GPU with the same command line."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lvis_merge.errors import InputError, UsageError
from lvis_merge.training.runner.process import OUTCOME_VARIABLE

_SHUTDOWN_SECONDS = 300
"""How long workers may take to finish their step and save; torchrun kills them after that."""

_SIGNALS_VARIABLE = "TORCHELASTIC_SIGNALS_TO_HANDLE"
_SIGNALS = "SIGTERM,SIGINT,SIGQUIT"


def launch(
    processes: int,
    arguments: Sequence[str],
    *,
    nodes: int = 1,
    node_rank: int = 0,
    master: str | None = None,
    module: str = "lvis_merge",
    carry_on: str = "",
) -> int:
    """Runs `python -m MODULE ARGUMENTS` once per GPU of this machine, under torchrun.

    torchrun runs in this process rather than as one more: it then gets the signals itself and hands
    them to the workers, and the workers' exit codes are seen. Its own logging and tracebacks are
    left out: the workers have told the user.

    Args:
        processes: how many on this machine.
        arguments: of the command line; the workers find RANK, LOCAL_RANK and WORLD_SIZE set.
        nodes: machines of the run; on each of them this is called.
        node_rank: which of them this is, from 0.
        master: HOST:PORT of machine 0, where they meet; needed with several.
        module: what to run.
        carry_on: what the user is told to do where a process was killed.

    Returns:
        The exit code that the run ends with: that of rank 0, or of the process that failed first
        on this machine (128 + the signal if it was killed).

    Raises:
        UsageError: several machines and no place to meet.
        InputError: the machines did not find each other.
    """
    import signal

    from torch.distributed import DistError
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.elastic.rendezvous import RendezvousError
    from torch.distributed.run import parse_args, run

    meeting = _meeting(nodes, node_rank, master)
    logging.getLogger("torch.distributed").handlers[:] = [logging.NullHandler()]
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as torchrun does, with less noise
    # under nohup a lost terminal must not end the run
    hangs_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    os.environ.setdefault(_SIGNALS_VARIABLE, f"{_SIGNALS},SIGHUP" if hangs_up else _SIGNALS)
    with tempfile.TemporaryDirectory(prefix="lvis-merge-") as folder:
        outcome = Path(folder) / "exit_code"
        os.environ[OUTCOME_VARIABLE] = str(outcome)
        options = [f"--nproc-per-node={processes}", f"--shutdown-timeout={_SHUTDOWN_SECONDS}"]
        try:
            run(parse_args([*options, *meeting, "-m", module, *arguments]))
        except ChildFailedError as failed:
            _, first = failed.get_first_failure()
            if first.exitcode < 0:
                name = signal.Signals(-first.exitcode).name
                print(
                    f"lvis-merge: a process of this run was killed ({name}; out of memory?)."
                    f" {carry_on}".rstrip(),
                    file=sys.stderr,
                )
                return 128 - first.exitcode
            return first.exitcode
        except (DistError, RendezvousError) as error:
            raise InputError(
                f"the processes of this run did not find each other ({str(error)[:200]}). With"
                " several machines: is --master right and reachable, and does each start?"
            ) from error
        except SignalException as stop:
            told = outcome.read_text(encoding="utf-8") if outcome.is_file() else ""
            return int(told) if told else 128 + stop.sigval
        finally:
            os.environ.pop(OUTCOME_VARIABLE, None)
    return 0


def _meeting(nodes: int, node_rank: int, master: str | None) -> list[str]:
    if nodes == 1:
        return ["--standalone"]
    if master is None:
        raise UsageError(f"--nodes {nodes} needs --master HOST:PORT.")
    host, _, port = master.rpartition(":")
    return [
        f"--nnodes={nodes}",
        f"--node-rank={node_rank}",
        f"--master-addr={host}",
        f"--master-port={port}",
    ]
