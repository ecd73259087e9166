"""--init: the class head anew, everything else as it was, any other difference an error."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from lvis_merge.errors import InputError
from lvis_merge.training.runner.checkpoint_file import load, save
from lvis_merge.training.runner.identity import RunIdentity
from lvis_merge.training.runner.starting_weights import holdout_warning, start_from
from tests.training.runner.conftest import Apart, toy_run, weights_of


class BoxHead(nn.Module):
    def __init__(self, outputs: int, regressed: int, agnostic: bool) -> None:
        super().__init__()
        self.reg_class_agnostic = agnostic
        self.shared_fcs = nn.ModuleList([nn.Linear(4, 6)])
        self.fc_cls, self.fc_reg = nn.Linear(6, outputs), nn.Linear(6, regressed)


class MaskHead(nn.Module):
    def __init__(self, masks: int, agnostic: bool) -> None:
        super().__init__()
        self.class_agnostic = agnostic
        self.convs, self.conv_logits = nn.Conv2d(2, 2, 1), nn.Conv2d(2, masks, 1)


class Detector(nn.Module):
    """Weights named as mmdet's, of a head with a sigmoid."""

    def __init__(self, classes: int = 5, agnostic: bool = False, outputs: int = 0) -> None:
        super().__init__()
        one = 1 if agnostic else classes
        self.backbone = nn.Sequential(nn.Conv2d(3, 2, 1), nn.BatchNorm2d(2))
        self.roi_head = nn.ModuleDict(
            {
                "bbox_head": BoxHead(outputs or classes, 4 * one, agnostic),
                "mask_head": MaskHead(one, agnostic),
            }
        )


HEAD = {
    f"roi_head.{name}.{kind}"
    for name in ("bbox_head.fc_cls", "bbox_head.fc_reg", "mask_head.conv_logits")
    for kind in ("weight", "bias")
}
CLASSIFIER = {name for name in HEAD if "fc_cls" in name}


def identity(ids: tuple[int, ...] = (1, 2, 3, 4, 5), **changes: Any) -> RunIdentity:
    values: dict[str, Any] = {
        "recipe": "r",
        "label_space": "lvis",
        "manifest_sha256": "m",
        "holdout_sha256": "h",
        "classes": tuple(f"c{number}" for number in ids),
        "category_ids": ids,
        "seed": 0,
        "world_size": 1,
        "batch_size": 2,
        "accumulate": 1,
        "max_iters": 10,
        "settings": {},
    }
    return RunIdentity(**{**values, **changes})


def checkpoint_of(model: nn.Module, run: RunIdentity | None = None) -> dict[str, Any]:
    meta = run.to_meta() if run else {}
    return {"meta": meta, "state_dict": model.state_dict()}


@pytest.mark.parametrize(
    ("before", "after", "saved", "fresh"),
    [
        pytest.param({"classes": 3}, {}, identity((1, 2, 3)), HEAD, id="other classes"),
        # v0.5 and v1, or COCO and a subset: as many classes, and others
        pytest.param({}, {}, identity((1, 2, 3, 4, 6)), HEAD, id="as many, others"),
        pytest.param({}, {}, identity(label_space="coco"), HEAD, id="another label space"),
        pytest.param({}, {}, None, HEAD, id="no record of its labels"),
        pytest.param(
            {"agnostic": True}, {"agnostic": True}, None, CLASSIFIER, id="class-agnostic parts"
        ),
        pytest.param({}, {}, identity(), set(), id="the same labels"),
        # a softmax head has a background column
        pytest.param({"outputs": 6}, {}, identity(), CLASSIFIER, id="same labels, another loss"),
    ],
)
def test_class_head(
    before: dict[str, Any], after: dict[str, Any], saved: RunIdentity | None, fresh: set[str]
) -> None:
    """fc_cls, class-specific fc_reg and conv_logits start anew unless the labels are the same."""
    earlier, model = Detector(**before), Detector(**after)
    initial = {name: value.clone() for name, value in model.state_dict().items()}
    started = start_from(model, checkpoint_of(earlier, saved), "a.pth", identity())
    assert set(started.fresh) == fresh
    for name, value in model.state_dict().items():
        expected = initial[name] if name in fresh else earlier.state_dict()[name]
        assert torch.equal(value, expected), name
    told = started.told("a.pth")
    if fresh:
        assert "the class head starts anew" in told
        assert all(name.rpartition(".")[0] in told for name in fresh)
    else:
        assert "the class head is kept" in told


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(
            lambda state: state.pop("backbone.0.bias"),
            r"a\.pth: does not fit this model: weights are missing: backbone\.0\.bias\.",
            id="missing",
        ),
        pytest.param(
            lambda state: state.update({"neck.weight": torch.zeros(1)}),
            r"weights are not in the model: neck\.weight",
            id="too many",
        ),
        pytest.param(
            lambda state: state.update({"backbone.0.weight": torch.zeros(4, 3, 1, 1)}),
            r"another shape: backbone\.0\.weight \[4, 3, 1, 1\], the model's is \[2, 3, 1, 1\]",
            id="another shape",
        ),
        pytest.param(
            lambda state: state.update({f"x{n}": torch.zeros(1) for n in range(9)}),
            r"x0; x1; x2; x3; x4 and 4 more",
            id="many",
        ),
    ],
)
def test_any_other_difference(change: Any, message: str) -> None:
    checkpoint = checkpoint_of(Detector())
    change(checkpoint["state_dict"])
    with pytest.raises(InputError, match=message):
        start_from(Detector(), checkpoint, "a.pth", identity())


def test_counters_of_batches_may_be_missing() -> None:
    """Converted files of before torch 0.4.1 have none."""
    checkpoint = checkpoint_of(Detector())
    del checkpoint["state_dict"]["backbone.1.num_batches_tracked"]
    start_from(Detector(), checkpoint, "a.pth", identity())


@pytest.mark.parametrize(
    ("saved", "now", "told"),
    [
        (identity(), identity(), None),
        (identity(holdout_sha256=None), identity(), "does not record"),
        (identity(holdout_sha256="other"), identity(), "does not record"),
        (None, identity(), "does not record"),
        (identity(), identity(holdout_sha256=None), "built without a hold-out"),
        (
            identity(holdout_sha256=None),
            identity(holdout_sha256=None),
            "built without a hold-out",
        ),
    ],
)
def test_hold_out(saved: RunIdentity | None, now: RunIdentity, told: str | None) -> None:
    """Said unless the checkpoint records the very hold-out of this manifest."""
    warning = holdout_warning(checkpoint_of(Detector(), saved), "a.pth", now)
    assert warning is None if told is None else warning and told in warning


def test_identity_through_a_file(tmp_path: Path) -> None:
    save({"meta": identity().to_meta()}, tmp_path / "a.pth")
    assert RunIdentity.from_meta(load(tmp_path / "a.pth")["meta"]) == identity()
    assert RunIdentity.from_meta({"seed": 3}) is None
    assert RunIdentity.from_meta(None) is None


@pytest.mark.slow
def test_in_a_run(apart: Apart, tmp_path: Path) -> None:
    """Said on stderr; a resumed run does not look at it again."""
    short = {"train_cfg__max_iters": 4}
    assert apart(toy_run, short, tmp_path / "first").code == 0
    start = tmp_path / "first" / "iter_4.pth"
    frozen = {**short, "optim_wrapper__optimizer__lr": 0.0, "label_space": "coco"}
    ended = apart(toy_run, frozen, tmp_path / "second", False, start)
    assert ended.code == 0
    assert "the class head starts anew (labels differ): fc_cls" in ended.stderr
    assert "warning: this manifest was built without a hold-out" in ended.stderr
    before, after = weights_of(start), weights_of(tmp_path / "second" / "iter_4.pth")
    assert torch.equal(before["body.0.weight"], after["body.0.weight"])
    assert not torch.equal(before["fc_cls.weight"], after["fc_cls.weight"])
    start.unlink()
    more = {**frozen, "train_cfg__max_iters": 5}
    ended = apart(toy_run, more, tmp_path / "second", True, start)
    assert ended.code == 0
    assert "resuming at iteration 4 of 5" in ended.stderr
    ended = apart(toy_run, short, tmp_path / "third", False, start)
    assert ended.code == 3
    assert f"{start}: no such file" in ended.stderr
