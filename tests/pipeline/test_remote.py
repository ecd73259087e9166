"""Inputs given by http address build the same manifest as local ones."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from lvis_merge.errors import InputError
from lvis_merge.manifest import open as open_manifest
from lvis_merge.pipeline.options import BuildOptions
from tests.cli.small_inputs import (
    COCO,
    COCO_MAP,
    ERROR_PAGE,
    FOLDER,
    HELD_OUT_JSON,
    MAP,
    SIZES,
    TRAIN,
    VAL,
    Inputs,
    make_inputs,
)
from tests.pipeline.running import build_quietly, build_to, table_bytes

CUT = "cut"
"""Part of the names of files that the server breaks off half-way."""


@dataclass
class Server:
    """A web server of one folder.

    Attributes:
        address: without a slash at the end.
        asked: paths asked for, with their queries.
    """

    address: str = ""
    asked: list[str] = field(default_factory=list)

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    return make_inputs(tmp_path / "files")


@pytest.fixture
def server(inputs: Inputs) -> Iterator[Server]:
    running = Server()

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            running.asked.append(self.path)

        def copyfile(self, source: Any, outputfile: Any) -> None:
            content = source.read()
            outputfile.write(content[: len(content) // 2 if CUT in self.path else None])

    handler = partial(Handler, directory=str(inputs.folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        running.address = f"http://127.0.0.1:{http.server_port}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        http.shutdown()
        thread.join()


def local_options(inputs: Inputs) -> BuildOptions:
    return BuildOptions(
        out=inputs.folder.parent / "local",
        lvis=str(inputs.path(TRAIN)),
        lvis_val=str(inputs.path(VAL)),
        coco=str(inputs.path(COCO)),
        coco_mapping=str(inputs.path(COCO_MAP)),
        openimages=str(inputs.path(FOLDER)),
        mapping=str(inputs.path(MAP)),
        images=None,
        openimages_sizes=str(inputs.path(SIZES)),
        holdout=(str(inputs.path(HELD_OUT_JSON)),),
    )


def test_files_behind_addresses_build_the_same_manifest(inputs: Inputs, server: Server) -> None:
    """The same bytes all over: `manifest.json` names inputs by base name and hash only."""
    local = local_options(inputs)
    remote = replace(
        local,
        lvis=server.url(TRAIN),
        lvis_val=server.url(VAL),
        coco=server.url(COCO),
        openimages_sizes=server.url(SIZES),
        holdout=(server.url(HELD_OUT_JSON),),
    )
    expected = build_to(local, inputs.folder.parent / "local")
    assert build_to(remote, inputs.folder.parent / "remote") == expected
    assert set(server.asked) == {f"/{name}" for name in (TRAIN, VAL, COCO, SIZES, HELD_OUT_JSON)}


def test_a_packed_file_behind_an_address(inputs: Inputs, server: Server) -> None:
    local = local_options(inputs)
    build_quietly(local)
    inputs.gzip(TRAIN)
    out = inputs.folder.parent / "remote"
    build_quietly(replace(local, lvis=server.url(f"{TRAIN}.gz"), out=out))
    assert table_bytes(out) == table_bytes(local.out)


def test_the_query_of_an_address_goes_to_the_server_only(inputs: Inputs, server: Server) -> None:
    """It may hold a key, so it is in no file of the manifest."""
    local = local_options(inputs)
    signed = replace(local, lvis=server.url(f"{TRAIN}?signature=s3cr3t#part"))
    files = build_to(signed, inputs.folder.parent / "remote")
    assert any("signature=s3cr3t" in path for path in server.asked)
    assert not [name for name, content in files.items() if b"s3cr3t" in content]
    record = open_manifest(inputs.folder.parent / "remote").record
    assert [one.name for one in record.inputs if one.role == "lvis"] == [TRAIN]
    assert files == build_to(local, inputs.folder.parent / "again")


@pytest.mark.parametrize("option", ["lvis", "openimages_sizes"])
def test_an_address_without_a_file_is_named(inputs: Inputs, server: Server, option: str) -> None:
    url = server.url("no_such_file")
    asked = replace(local_options(inputs), **{option: url})
    with pytest.raises(InputError) as error:
        build_quietly(asked)
    message = str(error.value)
    assert error.value.exit_code == 3
    assert message == f"{url}: cannot be fetched (File {url} does not exist). Check the URL."
    assert not asked.out.exists()


def test_a_file_that_breaks_off_is_named(inputs: Inputs, server: Server) -> None:
    """A CSV cut at a line end would read as a whole one."""
    url = server.url(f"{CUT}.csv")
    inputs.write(f"{CUT}.csv", inputs.text(SIZES) * 2)
    asked = replace(local_options(inputs), openimages_sizes=url)
    with pytest.raises(InputError) as error:
        build_quietly(asked)
    assert str(error.value).startswith(f"{url}: cannot be fetched (")
    assert not asked.out.exists()


def test_an_error_page_instead_of_a_file_is_named(inputs: Inputs, server: Server) -> None:
    """By its address: the copy that was read is gone."""
    inputs.write("moved.json", ERROR_PAGE)
    url = server.url("moved.json")
    asked = replace(local_options(inputs), lvis=url)
    with pytest.raises(InputError) as error:
        build_quietly(asked)
    assert str(error.value).startswith(f"{url}: is no JSON object (it starts with '<!DOCTYPE html>")
    assert "\n" not in str(error.value)
    assert not asked.out.exists()


def test_a_damaged_archive_is_named_by_its_address(inputs: Inputs, server: Server) -> None:
    inputs.gzip(TRAIN)
    inputs.cut(f"{TRAIN}.gz")
    url = server.url(f"{TRAIN}.gz")
    asked = replace(local_options(inputs), lvis=url)
    with pytest.raises(InputError) as error:
        build_quietly(asked)
    assert str(error.value).startswith(f"{url}: the archive is damaged or cut short (")
