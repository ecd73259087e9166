"""The paper's road map, trick by trick, on a CPU: several seeds on several drawn worlds.

    python benchmarks/road_map.py --out runs/road_map

Every step is a `lvis-merge` command, as a user would type it; the logs in OUT/logs show them. The
same command goes on where it was stopped. Two processes of one thread each take under two hours.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported

from road_map_jobs import Draw, Job, Lengths, Run
from road_map_run import FailedError, run_all, say
from road_map_settings import SETTINGS, chosen, experiment_file, run_name


def main() -> int:
    """Runs the experiment and returns the exit code."""
    arguments = _arguments()
    out: Path = arguments.out
    settings = chosen(arguments.settings)
    lengths = Lengths(arguments.pretrain_steps, arguments.steps)
    draws = [
        Draw(out / f"draw{seed}", seed, lengths, arguments.small) for seed in range(arguments.draws)
    ]
    runs = [
        Run(out / run_name(draw.seed, seed), draw, seed)
        for seed in range(arguments.seeds)
        for draw in draws
    ]
    experts = any(setting.key == "ensemble" for setting in settings)
    shared = [draw.jobs(experts) for draw in draws]
    # draws in turn, so that both processes have something to do from the start
    jobs: list[Job] = [job for of_all in zip(*shared, strict=True) for job in of_all]
    jobs += [run.job(setting) for run in runs for setting in settings]
    out.mkdir(parents=True, exist_ok=True)
    (out / "experiment.toml").write_text(
        experiment_file(settings, arguments.draws, arguments.seeds), encoding="utf-8"
    )
    # as Ctrl-C: the running commands are ended first
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        run_all(jobs, out / "logs", arguments.processes)
    except FailedError as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("stopped; the same command goes on.")
        return 130
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for everything")
    parser.add_argument("--draws", type=int, default=2, help="worlds (default: 2)")
    parser.add_argument("--seeds", type=int, default=3, help="runs on each (default: 3)")
    parser.add_argument("--processes", type=int, default=2, help="side by side (default: 2)")
    parser.add_argument(
        "--settings", nargs="*", default=(), choices=[setting.key for setting in SETTINGS],
        help="only these, and what they go on from",
    )  # fmt: skip
    parser.add_argument("--small", action="store_true", help="a small world, for a quick look")
    parser.add_argument("--steps", type=int, help="of each training; default: the recipes'")
    parser.add_argument("--pretrain-steps", type=int, help="default: the recipe's")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
