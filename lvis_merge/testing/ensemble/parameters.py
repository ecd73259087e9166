"""The parameters of a re-scoring ensemble."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
import numpy as np

from lvis_merge.errors import InputError
from lvis_merge.evaluation.pairs import Ints
from lvis_merge.testing.ensemble.cap import GROUPS, Group
from lvis_merge.testing.fusion.fused import Codes
from lvis_merge.testing.logits import Floats

FusionName = Literal["nms", "wbf"]
_Finite = Annotated[float, msgspec.Meta(ge=-100, le=100)]


class Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True, order=True):
    """What is added to the logits of scores.

    Attributes:
        shift_r: to rare categories', for the cap.
        shift_c: to common categories', for the cap; frequent ones have none.
        offsets: to each expert's, before fusion; the main model has none.
    """

    shift_r: _Finite = 0.0
    shift_c: _Finite = 0.0
    offsets: tuple[_Finite, ...] = ()

    @classmethod
    def nothing(cls, experts: int) -> Parameters:
        """All zero."""
        return cls(offsets=(0.0,) * experts)

    @property
    def shifts(self) -> Floats:
        """float64 [3], by group code."""
        return np.array([self.shift_r, self.shift_c, 0.0])

    @property
    def model_offsets(self) -> Floats:
        """float64 [K], the main model first."""
        return np.array([0.0, *self.offsets])

    @property
    def size(self) -> float:
        """|b|: the sum of all absolute values."""
        return sum(map(abs, (self.shift_r, self.shift_c, *self.offsets)))


class Fitted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Parameters with what they belong to, so that results without ground truth can be scored.

    Attributes:
        parameters: fitted on all images.
        fusion: nms or wbf.
        experts: names of the experts' pools, in the order of the offsets.
        fitted_on: name of the ground truth.
        groups: category ids by frequency group; those without one are among f.
    """

    parameters: Parameters
    fusion: FusionName
    experts: tuple[str, ...]
    fitted_on: str
    groups: dict[Group, list[int]]

    @property
    def categories(self) -> tuple[Ints, Codes]:
        """int64 [C], ascending category ids; int8 [C], their groups' codes."""
        members = [self.groups.get(group, []) for group in GROUPS]
        ids = np.array([number for group in members for number in group], np.int64)
        codes = np.repeat(np.arange(len(GROUPS), dtype=np.int8), [len(m) for m in members])
        order = np.argsort(ids)
        return ids[order], codes[order]


def groups_of(category_ids: Ints, codes: Codes) -> dict[Group, list[int]]:
    """Category ids by frequency group."""
    return {group: category_ids[codes == code].tolist() for code, group in enumerate(GROUPS)}


class _File(msgspec.Struct):
    """What is read of a report."""

    fitted: Fitted


def read_fitted(path: Path) -> Fitted:
    """Reads the parameters in the report of a fit.

    Raises:
        InputError: no such file, or no report of a fit.
    """
    try:
        fitted = msgspec.json.decode(path.read_bytes(), type=_File).fitted
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file. Give the report that --fit-on wrote.") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}).") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            f"{path}: is not the report of a fit ({error}). Give the file that --fit-on wrote."
        ) from error
    ids = fitted.categories[0]
    if not len(ids) or len(np.unique(ids)) < len(ids):
        raise InputError(
            f"{path}: `groups` is empty or has a category twice. Fit again with --fit-on."
        )
    if len(fitted.parameters.offsets) != len(fitted.experts):
        raise InputError(
            f"{path}: {len(fitted.parameters.offsets)} offsets for {len(fitted.experts)} experts."
            " Fit again with --fit-on."
        )
    return fitted
