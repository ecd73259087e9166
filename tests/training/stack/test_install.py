"""A wheel of the ops is built once, kept whole, and never one without ops."""

import tarfile
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lvis_merge.cache import CACHE_VARIABLE
from lvis_merge.errors import InputError
from lvis_merge.training.stack import fault, install, mmcv_wheel, pins
from lvis_merge.training.stack.machine import Machine
from lvis_merge.training.stack.pip import pip

MACHINE = Machine("2.13.0+cpu", None, (), None)


class FakePip:
    """Downloads an empty source and "builds" a wheel of a given name."""

    def __init__(self, wheel: str) -> None:
        self.wheel = wheel
        self.commands: list[str] = []
        self.env: dict[str, str] = {}

    def __call__(self, arguments: Sequence[str], **more: Any) -> None:
        self.commands.append(arguments[0])
        folder = next(Path(a.split("=", 1)[1]) for a in arguments if "-dir=" in a or "dest=" in a)
        if arguments[0] == "download":
            (folder / "setup.py").write_text("")
            with tarfile.open(folder / "onedl_mmcv-2.3.6.tar.gz", "w:gz") as packed:
                packed.add(folder / "setup.py", "onedl_mmcv-2.3.6/setup.py")
        else:
            self.env = dict(more["env"])
            (folder / self.wheel).write_bytes(b"ops")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakePip:
    fake = FakePip("onedl_mmcv-2.3.6-cp311-cp311-linux_x86_64.whl")
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(mmcv_wheel, "pip", fake)
    return fake


def test_a_wheel_is_built_once(fake: FakePip) -> None:
    said: list[str] = []
    first = mmcv_wheel.mmcv_wheel(MACHINE, "cpu", said.append)
    second = mmcv_wheel.mmcv_wheel(MACHINE, "cpu", said.append)
    assert first == second
    assert first.read_bytes() == b"ops"
    assert fake.commands == ["download", "wheel"]
    # the empty source is of no known shape: as shipped, and said to take long
    assert "as shipped" in said[0]
    assert "kept" in said[1]
    # only the wheel and the lock stay
    assert sorted(path.name for path in first.parent.iterdir()) == sorted(["lock", first.name])


def test_a_visible_gpu_does_not_turn_a_cpu_build_into_a_cuda_one(fake: FakePip) -> None:
    mmcv_wheel.mmcv_wheel(MACHINE, "cpu", lambda _: None)
    assert fake.env["CUDA_VISIBLE_DEVICES"] == ""
    assert "FORCE_CUDA" not in fake.env


def test_a_cuda_build_needs_no_visible_gpu(fake: FakePip) -> None:
    mmcv_wheel.mmcv_wheel(MACHINE, "cuda", lambda _: None)
    assert fake.env["FORCE_CUDA"] == "1"


def test_a_wheel_without_ops_is_refused_and_not_kept(fake: FakePip, tmp_path: Path) -> None:
    fake.wheel = "onedl_mmcv-2.3.6-py3-none-any.whl"
    with pytest.raises(InputError, match="without its compiled ops"):
        mmcv_wheel.mmcv_wheel(MACHINE, "cpu", lambda _: None)
    assert not list(tmp_path.rglob("*.whl"))


def test_a_failing_pip_says_what_and_why() -> None:
    with pytest.raises(InputError, match=r"pip install --no-index no-such-package-at-all[^$]*No "):
        pip(["install", "--no-index", "no-such-package-at-all"])


def test_the_extra_names_the_versions_that_set_up_installs() -> None:
    text = (Path(__file__).parents[3] / "pyproject.toml").read_text()
    extra = tomllib.loads(text)["project"]["optional-dependencies"]["train"]
    pinned = {f"{name}=={version}" for name, version in pins.PINNED.items()}
    assert set(extra) == pinned | {f"torch=={pins.TORCH}", pins.LOGS}


@pytest.mark.slow
def test_the_stack_of_these_tests_is_sound_and_is_left_alone() -> None:
    assert fault() is None
    said: list[str] = []
    install("auto", said.append)
    assert said == ["installed already"]
