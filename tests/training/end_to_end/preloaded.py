"""Imported once by the process that all runs are forked from: mmdet alone takes seconds."""

import torch
import torch.utils.tensorboard

import tests.training.end_to_end.runs  # noqa: F401
from lvis_merge.training import register_all

torch.set_num_threads(1)
register_all()
