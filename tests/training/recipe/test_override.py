"""`--set key=value`: what it changes, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest

from lvis_merge.errors import InputError
from lvis_merge.training.recipe.override import apply_overrides, read_override

RECIPE = {
    "amp": False,
    "seed": 0,
    "model": {"backbone": {"type": "ResNet", "depth": 50, "out_indices": (0, 1, 2, 3)}},
    "pipeline": [{"type": "Load"}, {"type": "Flip", "prob": 0.5}],
    "optim_wrapper": {"optimizer": {"type": "SGD", "lr": 0.02}, "clip_grad": None},
    "train_cfg": {"max_iters": 90000},
    "train_dataloader": {"num_workers": 2},
}


def changed(*texts: str) -> Any:
    return apply_overrides(RECIPE, map(read_override, texts))


CHANGES: list[tuple[str, tuple[Any, ...], Any]] = [
    ("amp=True", ("amp",), True),
    # as people type it in a shell
    ("amp=true", ("amp",), True),
    ("optim_wrapper.optimizer.lr=1e-3", ("optim_wrapper", "optimizer", "lr"), 0.001),
    # a word is a string, quoted or not
    ("optim_wrapper.optimizer.type=AdamW", ("optim_wrapper", "optimizer", "type"), "AdamW"),
    ("optim_wrapper.optimizer.type='AdamW'", ("optim_wrapper", "optimizer", "type"), "AdamW"),
    # places of lists, and of tuples, which stay tuples
    ("pipeline.1.prob=0", ("pipeline", 1, "prob"), 0),
    ("model.backbone.out_indices.3=4", ("model", "backbone", "out_indices"), (0, 1, 2, 4)),
    ("model.backbone.out_indices=[1, 2]", ("model", "backbone", "out_indices"), [1, 2]),
    # None stands anywhere, and anything in the place of None
    ("model.backbone.depth=None", ("model", "backbone", "depth"), None),
    (
        "optim_wrapper.clip_grad={'max_norm': 35}",
        ("optim_wrapper", "clip_grad"),
        {"max_norm": 35},
    ),
    # a dict replaces the whole
    (
        "optim_wrapper.optimizer={'type': 'Adam'}",
        ("optim_wrapper", "optimizer"),
        {"type": "Adam"},
    ),
    # new keys, also below dicts that are not there
    ("+model.backbone.with_cp=True", ("model", "backbone", "with_cp"), True),
    ("+model.neck.deep.down=1", ("model", "neck"), {"deep": {"down": 1}}),
    # a + also forces a value of another kind
    ("+train_cfg.max_iters=many", ("train_cfg", "max_iters"), "many"),
    # an equals sign in the value
    ("model.backbone.type=a=b", ("model", "backbone", "type"), "a=b"),
    # a path, a path with a placeholder
    ("model.backbone.type=/data/x.pth", ("model", "backbone", "type"), "/data/x.pth"),
]


@pytest.mark.parametrize(("text", "path", "value"), CHANGES, ids=[text for text, *_ in CHANGES])
def test_changes(text: str, path: tuple[Any, ...], value: Any) -> None:
    found: Any = changed(text)
    for key in path:
        found = found[key]
    assert found == value
    assert type(found) is type(value)


def test_only_that_changes_and_the_recipe_itself_does_not() -> None:
    found = changed("pipeline.1.prob=0.1")
    assert RECIPE["pipeline"] == [{"type": "Load"}, {"type": "Flip", "prob": 0.5}]
    assert found.pop("pipeline") == [{"type": "Load"}, {"type": "Flip", "prob": 0.1}]
    assert found == {key: value for key, value in RECIPE.items() if key != "pipeline"}


def test_the_last_one_wins() -> None:
    assert changed("seed=1", "seed=2")["seed"] == 2


REFUSED = [
    # not key=value
    ("amp", "write key=value"),
    ("=1", "write key=value"),
    ("a..b=1", "write key=value"),
    # broken literals
    ("model.backbone.out_indices=[1,", "[1, is no Python literal"),
    ("model={'type'", "{'type' is no Python literal"),
    ("seed=", "nothing is no Python literal"),
    # a slip in the last part, in the first, and the right name at the wrong place
    ("model.backbone.dept=101", "Did you mean model.backbone.depth?"),
    ("modle.backbone.depth=101", "Did you mean model.backbone.depth?"),
    ("lr=0.1", "Did you mean optim_wrapper.optimizer.lr?"),
    ("train_cfg.lr=0.1", "Did you mean optim_wrapper.optimizer.lr?"),
    # nothing near: what there is
    ("train_cfg.zzz=1", "There are: max_iters."),
    ("train_cfg.zzz=1", "a + : +train_cfg.zzz=1".replace(" :", ":")),
    # below a number
    ("seed.x=1", "seed is 0; there is nothing below it"),
    # places of lists
    ("pipeline.2.prob=1", "pipeline is a list of 2; its places are 0 to 1, and 2 is none"),
    ("pipeline.x.prob=1", "and x is none of them"),
    # another kind of value: a slip
    ("train_cfg.max_iters=9OOOO", "train_cfg.max_iters is a number (90000), and '9OOOO' is not"),
    ("amp=1", "amp is True or False (False), and 1 is not"),
    ("model=5", "model is a dict with keys of its own"),
    ("pipeline=Flip", "pipeline is a list"),
    # worked out from something else
    ("train_dataloader.batch_size=4", "worked out from total_batch; set that"),
    ("optim_wrapper.accumulative_counts=4", "worked out from accumulate; set that"),
]


@pytest.mark.parametrize(("text", "message"), REFUSED, ids=[text for text, _ in REFUSED])
def test_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as error:
        changed(text)
    assert message in str(error.value)
    assert str(error.value).startswith(f"--set {text}: ")
