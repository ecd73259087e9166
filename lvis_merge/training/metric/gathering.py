"""Objects of all ranks on the first one, without a shared folder and without a GPU's memory."""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import Any, TypeVar

from mmengine.dist import gather_object, get_backend, get_world_size

T = TypeVar("T")


def gathered(mine: list[T]) -> list[T]:
    """Lists of all ranks, joined, on the first rank; elsewhere an empty list.

    mmengine's `collect_results` writes files below the working directory, which nodes need not
    share, or sends everything to every GPU.

    Args:
        mine: this rank's; anything that pickles. Every rank has to call.
    """
    if get_world_size() == 1:
        return mine
    parts: list[list[T]] | None = gather_object(mine, dst=0, group=_cpu_group())
    return list(chain.from_iterable(parts or []))


@cache
def _cpu_group() -> Any:
    """All ranks, over gloo; None where they talk over gloo anyhow."""
    import torch.distributed

    return None if get_backend() == "gloo" else torch.distributed.new_group(backend="gloo")
