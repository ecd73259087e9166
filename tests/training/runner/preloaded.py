"""Imported once by the process that the runs are forked from."""

import os
import tempfile
from contextlib import redirect_stderr
from pathlib import Path

import torch.utils.tensorboard  # noqa: F401

from tests.training.runner.toy import run, toy_config

# a first run imports half of torch, yapf and matplotlib
with (
    tempfile.TemporaryDirectory() as folder,
    Path(os.devnull).open("w") as nowhere,
    redirect_stderr(nowhere),
):
    run(toy_config(train_cfg__max_iters=1), folder)
