"""Imports torch and mmdet: quietly, and with advice where they are not to be had."""

from __future__ import annotations

import importlib
import io
import warnings
from contextlib import redirect_stdout

from lvis_merge.errors import InputError
from lvis_merge.training.stack import SETUP_COMMAND


def import_stack() -> None:
    """Imports torch, mmcv's compiled ops and mmdet, and registers all our classes.

    What mmdet prints while it is imported (optional packages that it missed) is left out: stdout is
    for results.

    Raises:
        InputError: one of them cannot be imported.
    """
    with redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            for name in ("torch", "mmengine", "mmcv._ext", "mmdet"):
                importlib.import_module(name)
        # mmdet asserts mmcv's version; a torch for another CUDA lacks shared libraries
        except (ImportError, AssertionError, OSError) as error:
            raise InputError(
                f"Training needs torch and mmdet with mmcv's compiled ops, and {error}."
                f" Run: {SETUP_COMMAND}"
            ) from error
        from lvis_merge.training import register_all

        register_all()
