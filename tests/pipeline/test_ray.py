"""`--engine ray`: the same plan on a real Ray, of one process and of two nodes."""

from __future__ import annotations

import json
import pickle
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from lvis_merge import __version__
from lvis_merge.errors import InputError
from lvis_merge.sources.plan import engine
from tests.pipeline.object_store import object_store
from tests.pipeline.ray_nodes import ray_nodes, wait_until_gone
from tests.pipeline.running import build_to, command, contents, environment, run_command
from tests.pipeline.sharded import Rows, csv_folder, in_parts, parquet_file
from tests.pipeline.test_reference_worlds import build_options
from tests.worlds import Options, make_world

pytest.importorskip("ray", reason="ray is not installed: pip install 'lvis-merge[ray]'")

EVERYTHING = 3
"""The world with every kind of file."""
CHUNK_BYTES = 300
"""Small ranges, so that a plan has many tasks."""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Options:
    return make_world(EVERYTHING, tmp_path_factory.mktemp("world")).options


@pytest.mark.slow
def test_a_local_ray_builds_the_same_bytes(world: Options, tmp_path: Path) -> None:
    """Rule: the engine does not change the result; nothing of Ray is left behind."""
    (tmp_path / "tmp").mkdir()
    arguments = [*world.arguments(), "--out", str(tmp_path / "ray"), "--engine", "ray"]
    done = subprocess.run(
        command("build", *arguments, "--threads", "1", chunk_bytes=CHUNK_BYTES),
        env=environment(MARK=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert not [line for line in done.stderr.splitlines() if "ray" in line.lower()]
    expected = build_to(build_options(world, tmp_path / "native"), tmp_path / "native")
    assert contents(tmp_path / "ray") == expected
    wait_until_gone(str(tmp_path))


@pytest.mark.slow
def test_stats_on_ray_answers_the_same(world: Options, tmp_path: Path) -> None:
    """Rule: the engine does not change the answer."""
    build_to(build_options(world, tmp_path / "m"), tmp_path / "m")
    asked = ("stats", "m", "--json")  # a relative path: workers are elsewhere
    native = run_command(*asked, cwd=tmp_path)
    on_ray = run_command(*asked, "--engine", "ray", cwd=tmp_path)
    assert (on_ray.returncode, on_ray.stderr) == (0, "")
    assert on_ray.stdout == native.stdout


def mixed_parts(path: Path, header: list[str], rows: Rows) -> None:
    """Boxes as a folder of CSVs, other tables as a Parquet file."""
    write = csv_folder if "bbox" in path.name else parquet_file
    write(Random(0))(path, header, rows)


@pytest.mark.slow
def test_two_nodes_share_the_work(world: Options, tmp_path: Path) -> None:
    """Rule: a build's ranges are read on all nodes of a cluster, and the bytes are the same.

    The tables are in parts in an object store, of which the nodes read ranges. What a user did
    wrong comes back whole; a file that a node does not see is named, and so is a node with another
    version, and one that lacks the package.
    """
    local = build_options(in_parts(world, tmp_path / "parts", mixed_parts), tmp_path / "ray")
    assert local.openimages is not None
    for masks in Path(local.openimages).glob("*-object-segmentation.csv"):
        masks.unlink()  # they are read from a local folder only
    with object_store() as store, ray_nodes(2, store.environment) as cluster:
        asked = replace(local, openimages=store.upload(Path(local.openimages)))
        (tmp_path / "options").write_bytes(pickle.dumps(asked))
        arguments = [cluster.address, str(tmp_path / "options"), str(CHUNK_BYTES)]
        done = subprocess.run(
            [sys.executable, "-m", "tests.pipeline.on_two_nodes", *arguments],
            env=cluster.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        token = cluster.environment["RAY_AUTH_TOKEN"]
    wait_until_gone(token)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found["alive"]) == 2
    assert set(found["nodes"]) == set(found["alive"])
    assert min(found["nodes"].count(node) for node in found["alive"]) >= 3
    wrong, unseen, not_installed, other_version = found["told"]
    assert wrong == "file.csv, row 3: is wrong."
    assert "/no/such/file.csv: cannot be read (No such file" in unseen
    assert "Every node must see the same inputs under the same path" in unseen
    assert not_installed.startswith("A Ray node cannot import known_here_only. Run pip install")
    assert f"has lvis-merge {__version__}, this one 0.0.1. Install the same" in other_version
    expected = build_to(local, tmp_path / "native")
    assert contents(tmp_path / "ray") == expected


@pytest.mark.slow
def test_a_build_on_ray_can_be_interrupted(world: Options, tmp_path: Path) -> None:
    """Rule: Ctrl-C ends it with 130; no manifest and no process of Ray is left."""
    arguments = [*world.arguments(), "--out", str(tmp_path / "out" / "m"), "--engine", "ray"]
    script = (
        "import signal\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        + command(chunk_bytes=CHUNK_BYTES)[-1]
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, "build", *arguments, "--threads", "1"],
        env=environment(MARK=str(tmp_path)),
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "image lists" in line:  # the first plan has run
                break
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 130, errors
    assert "lvis-merge: stopped; nothing half-done was left. Run it again.\n" in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "out" / "m").exists()
    wait_until_gone(str(tmp_path))


def unused_address() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


WRONG = [
    # nothing listens there
    (["--engine", "ray", "--ray-address", unused_address()], 3, "nothing answers there"),
    # no such host
    (["--engine", "ray", "--ray-address", "no.such.host.invalid:6379"], 3, "nothing answers there"),
    # the client protocol: its references mean nothing to workers
    (["--engine", "ray", "--ray-address", "ray://127.0.0.1:10001"], 3, "Run the command on a node"),
    # no cluster runs on this machine, or it is none of ours
    (["--ray-address", "127.0.0.1:6379"], 2, "needs --engine ray"),
]


@pytest.mark.parametrize(("options", "code", "message"), WRONG)
def test_an_address_without_a_cluster_is_named(
    world: Options, tmp_path: Path, options: list[str], code: int, message: str
) -> None:
    """Rule: exit 3 (2 for wrong usage), one message with the address and what to do."""
    done = run_command("build", *world.arguments(), "--out", str(tmp_path / "m"), *options)
    assert done.returncode == code
    assert done.stderr.startswith("lvis-merge: --ray-address ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "m").exists()


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(InputError, match=r"pip install 'lvis-merge\[ray\]'"), engine("ray"):
        pass
