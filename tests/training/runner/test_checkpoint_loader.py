"""Starting weights by mmengine's names: always as weights only, and every failure one message."""

import os
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.model import BaseModule
from mmengine.runner.checkpoint import CheckpointLoader, load_checkpoint
from torch import nn

from lvis_merge.errors import InputError
from lvis_merge.training.runner import use_safe_loaders
from lvis_merge.training.runner.checkpoint_loader import checkpoint_path, load_from
from lvis_merge.training.runner.log_file import LackingWeights


class Payload:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


class Net(BaseModule):
    def __init__(self, checkpoint: Path | str) -> None:
        super().__init__({"type": "Pretrained", "checkpoint": str(checkpoint)})
        self.fc = nn.Linear(2, 3)


@pytest.fixture(autouse=True)
def safe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CheckpointLoader, "_schemes", dict(CheckpointLoader._schemes))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    use_safe_loaders()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """An address and the folder behind it."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(_Silent, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", folder
        running.shutdown()


class _Silent(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_no_loader_of_mmengine_is_left() -> None:
    assert set(CheckpointLoader._schemes.values()) == {load_from}
    assert CheckpointLoader._get_checkpoint_loader("s3://b/x.pth") is load_from


def test_a_pretrained_file_is_not_run(tmp_path: Path) -> None:
    """mmengine's own loader falls back to running it."""
    path = tmp_path / "evil.pth"
    torch.save({"state_dict": {}, "payload": Payload(tmp_path / "ran")}, path)
    with pytest.raises(InputError, match=r"evil\.pth: holds"):
        Net(path).init_weights()
    with pytest.raises(InputError, match=r"evil\.pth: holds"):
        load_checkpoint(Net(path), str(path))
    assert not (tmp_path / "ran").exists()


def test_a_pretrained_file(tmp_path: Path) -> None:
    state = {"fc.weight": torch.ones(3, 2), "fc.bias": torch.ones(3)}
    torch.save(state, tmp_path / "net.pth")
    net = Net(tmp_path / "net.pth")
    net.init_weights()
    assert torch.equal(net.fc.weight, torch.ones(3, 2))


def test_weights_that_a_pretrained_file_lacks(tmp_path: Path) -> None:
    """Silently random weights are told; deformable offsets, in no pretrained file, are not."""
    told: list[str] = []
    logger = MMLogger.get_instance("lacking")
    logger.handlers[:] = [LackingWeights(told.append)]
    state = {"fc.weight": torch.ones(3, 2), "other": torch.ones(1)}
    torch.save(state, tmp_path / "net.pth")
    Net(tmp_path / "net.pth").init_weights()
    assert told == ["the pretrained file lacks 1 weights of the model, which stay random: fc.bias"]
    logger.warning("missing keys in source state_dict: a.conv_offset.weight\n")
    assert len(told) == 1


def test_names_of_mmengine(tmp_path: Path) -> None:
    """Known addresses; a file downloaded before is not asked for again."""
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    for name, file in [
        ("torchvision://resnet50", "resnet50-0676ba61.pth"),
        ("open-mmlab://resnext101_64x4d", "resnext101_64x4d-ee2c6f71.pth"),
    ]:
        (folder / file).touch()
        assert checkpoint_path(name) == folder / file


def test_a_download(server: tuple[str, Path], tmp_path: Path) -> None:
    address, folder = server
    torch.save({"a": torch.ones(1)}, folder / "net.pth")
    assert load_from(f"{address}/net.pth") == {"a": torch.ones(1)}
    (folder / "net.pth").unlink()
    assert load_from(f"{address}/net.pth") == {"a": torch.ones(1)}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("{address}/none.pth", "cannot be downloaded"),
        # the first digits of its hash are part of a published file's name
        ("{address}/net-0123abcd.pth", "arrived damaged"),
        ("http://127.0.0.1:1/net.pth", "cannot be downloaded"),
        ("torchvision://resnet5000", "mmengine lists no weights of that name"),
        ("s3://bucket/net.pth", "Download it and give the file"),
        ("{folder}/none.pth", "no such file"),
    ],
)
def test_what_cannot_be_had(server: tuple[str, Path], name: str, message: str) -> None:
    address, folder = server
    torch.save({"a": torch.ones(1)}, folder / "net-0123abcd.pth")
    full = name.format(address=address, folder=folder)
    with pytest.raises(InputError, match=message) as raised:
        load_from(full)
    assert str(raised.value).startswith(full)
