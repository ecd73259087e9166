"""`python -m tests.training.runner.toy_worker JSON`: one process of a run, as torchrun starts it.

The object: `changes` of the config, `work_dir`, `resume`; `missing_rank`, whose image is not there;
`kill_rank` for a violent end.
"""

import json
import os
import signal
import sys

from tests.training.runner.toy import run, toy_config


def main() -> None:
    given = json.loads(sys.argv[1])
    rank = int(os.environ["RANK"])
    config = toy_config(**given["changes"])
    if rank == given.get("kill_rank"):
        config.custom_hooks = [{"type": "SignalHook", "number": signal.SIGKILL, "after": 5}]
    if rank == given.get("missing_rank"):
        config.train_dataloader.dataset.missing = 8 + rank
    code = run(config, given["work_dir"], given.get("resume", False))
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
