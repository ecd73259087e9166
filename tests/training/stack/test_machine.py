"""Which ops a machine gets, and under which name their wheel is kept."""

import pytest

from lvis_merge.errors import InputError
from lvis_merge.training.stack.machine import Machine, this_machine

LAPTOP = Machine("2.13.0+cpu", None, (), None)
NODE = Machine("2.13.0+cu130", "13.0", ("9.0",), "/cuda/bin/nvcc")
NO_NVCC = Machine("2.13.0+cu130", "13.0", ("9.0",), None)
LOGIN_NODE = Machine("2.13.0+cu130", "13.0", (), "/cuda/bin/nvcc")


@pytest.mark.parametrize(
    ("machine", "wanted", "ops"),
    [
        (LAPTOP, "auto", "cpu"),
        (NODE, "auto", "cuda"),
        (NODE, "cpu", "cpu"),
        (LOGIN_NODE, "auto", "cpu"),  # no GPU is seen: compile CUDA only where asked for
        (LOGIN_NODE, "cuda", "cuda"),
    ],
)
def test_ops(machine: Machine, wanted: str, ops: str) -> None:
    assert machine.ops(wanted) == ops


@pytest.mark.parametrize(
    ("machine", "wanted", "message"),
    [
        (NO_NVCC, "auto", "no nvcc is found"),  # silently compiling for the CPU would train there
        (LAPTOP, "cuda", r"torch 2\.13\.0\+cpu is a CPU build"),
    ],
)
def test_cuda_that_cannot_be_built_is_said(machine: Machine, wanted: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        machine.ops(wanted)


def test_wheels_of_different_machines_are_kept_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TORCH_CUDA_ARCH_LIST", raising=False)
    older = Machine("2.13.0+cu130", "13.0", ("8.0",), "/cuda/bin/nvcc")
    keys = {
        LAPTOP.key("2.3.6", "cpu"),
        LAPTOP.key("2.3.7", "cpu"),
        NODE.key("2.3.6", "cuda"),
        NODE.key("2.3.6", "cpu"),
        older.key("2.3.6", "cuda"),  # code for one generation of GPUs does not run on another
    }
    monkeypatch.setenv("TORCH_CUDA_ARCH_LIST", "8.0;9.0")
    keys.add(NODE.key("2.3.6", "cuda"))
    assert len(keys) == 6
    assert not any("/" in key or " " in key or ";" in key for key in keys)


def test_the_installed_torch_is_asked() -> None:
    import torch

    machine = this_machine()
    assert machine.torch == torch.__version__
    assert machine.cuda == torch.version.cuda
