"""What `fetch` does at most: requests and bytes at a time, and how long it bears an outage."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from lvis_merge.errors import InputError, UsageError
from lvis_merge.fetch import limits
from lvis_merge.progress import Stages
from tests.fetch.fetching import (
    QUICK,
    check_whole,
    fetch,
    key,
    options,
    rows,
    stock,
)
from tests.fetch.server import Server


@pytest.mark.parametrize("workers", [1, 3, 40])
def test_no_more_requests_are_in_flight_than_allowed(
    tmp_path: Path, server: Server, stages: Stages, workers: int
) -> None:
    stock(server, range(60))
    server.delay = 0.02 if workers > 1 else 0.0
    fetch(options(tmp_path, server, range(60), workers=workers), stages)
    assert server.most <= workers
    assert server.most >= workers / 4


def test_the_rate_is_kept(
    tmp_path: Path, server: Server, stages: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    stock(server, range(40))
    total = sum(map(len, server.files.values()))
    monkeypatch.setattr(limits, "_GUESS", total / 20)  # twice what they are, put right later
    start = time.monotonic()
    found = fetch(options(tmp_path, server, range(40), workers=4, rate=total / 1.0), stages)
    assert found.fetched == 40
    assert 0.7 < time.monotonic() - start < 10


# outages


def test_a_dead_server_is_told_at_once_and_nothing_is_listed(
    tmp_path: Path, server: Server, stages: Stages
) -> None:
    asked = options(tmp_path, server, range(4), mirror="http://127.0.0.1:9")
    with pytest.raises(InputError, match=r"no image arrives from http://127\.0\.0\.1:9.*refused"):
        fetch(asked, stages)
    assert rows(tmp_path / "root" / "openimages_failures.csv")[1:] == []


def test_an_outage_in_the_middle_stops_the_run(
    tmp_path: Path, server: Server, stages: Stages
) -> None:
    stock(server, range(400))
    patience = replace(QUICK, outage_seconds=0.5)
    asked = options(tmp_path, server, range(400), patience=patience)

    def fail_soon() -> None:
        while len(server.asked) < 50:
            time.sleep(0.001)
        server.always = "503"

    threading.Thread(target=fail_soon).start()
    start = time.monotonic()
    with pytest.raises(InputError, match=r"no image arrives.*503.*the same command goes on"):
        fetch(asked, stages)
    assert time.monotonic() - start < 5
    # those that only fell into the outage are not failures
    assert rows(tmp_path / "root" / "openimages_failures.csv")[1:] == []
    server.always = None
    found = fetch(asked, stages)
    assert found.there + found.fetched == 400
    assert found.there >= 40
    assert check_whole(tmp_path / "root") == [key(number) for number in range(400)]


def test_one_image_that_is_never_answered_is_no_outage(
    tmp_path: Path, server: Server, stages: Stages
) -> None:
    """Else it would stop every run, and no list would name it."""
    stock(server, range(4))
    server.plans[key(3)] = ["503"] * 40
    patience = replace(QUICK, outage_seconds=0.001)
    asked = options(tmp_path, server, range(4), patience=patience)
    assert fetch(asked, stages).failed == {"unreachable": 1}
    # nor when it is all that is missing
    found = fetch(asked, stages)
    assert (found.there, found.failed) == (3, {"unreachable": 1})


@pytest.mark.parametrize("place", ["http://{}@127.0.0.1:9", "ftp://{}@host/images", "LIVE"])
def test_a_password_in_an_address_is_not_told(
    tmp_path: Path, server: Server, stages: Stages, place: str
) -> None:
    """Messages are kept in logs that others read."""
    server.always = "404"
    scheme, live = server.address.split("://")
    place = place.replace("LIVE", f"{scheme}://{{}}@{live}").format("me:secret")
    with pytest.raises((InputError, UsageError)) as error:
        fetch(options(tmp_path, server, range(300), mirror=place), stages)
    message = str(error.value)
    assert "secret" not in message
    assert "me:" not in message
    assert place.split("@")[1] in message


@pytest.mark.parametrize("act", ["404", "html"])
def test_a_wrong_address_is_told_by_its_first_images(
    tmp_path: Path, server: Server, stages: Stages, act: str
) -> None:
    server.always = act
    with pytest.raises(InputError, match=r"none of the first 100 images could be had.*--mirror"):
        fetch(options(tmp_path, server, range(300)), stages)
    assert len(server.asked) < 130
    assert rows(tmp_path / "root" / "openimages_failures.csv")[1:] == []
