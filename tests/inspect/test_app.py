"""The App in a browser: what a user sees after `lvis-merge inspect`, and how it ends."""

from __future__ import annotations

import importlib.util
import io
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from lvis_merge.inspect.app_fields import REASON_COLOURS
from lvis_merge.manifest import Manifest
from tests.inspect.conftest import chromium

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

SHOTS = "LVIS_MERGE_SHOTS"
"""Environment variable: a folder to keep the screenshots in, for people to look at."""

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
START_SECONDS, STOP_SECONDS = 120, 30
LOOKER = '[data-cy="looker"]'


@pytest.fixture
def page() -> Iterator[Page]:
    browser = chromium()
    if browser is None:
        pytest.skip("there is no chromium here: apt-get install chromium")
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("playwright is not installed: pip install -e '.[dev]'")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=browser, args=list(FLAGS))
        yield opened.new_page(viewport={"width": 1440, "height": 900})
        opened.close()


def test_the_app_shows_the_manifest_and_ends_on_ctrl_c(
    own_database: None, manifest: Manifest, roots: list[str], page: Page, tmp_path: Path
) -> None:
    port = free_port()
    command = [sys.executable, "-m", "lvis_merge", "inspect", str(manifest.path)]
    command += [word for root in roots for word in ("--image-root", root)]
    # a session of its own: what is started in the background would not get Ctrl-C
    app = subprocess.Popen(
        [*command, "--port", str(port)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert app.stdout is not None
        address = app.stdout.readline().strip()
        assert address.startswith(f"http://127.0.0.1:{port}/datasets/manifest-"), address
        shots = Path(os.environ.get(SHOTS) or tmp_path)
        the_grid_has_boxes_masks_and_ignore_regions(page, address, shots)
        a_saved_view_opens_by_its_address(page, address, shots)
        a_sample_opens_with_its_labels(page, shots)
        assert not listens_elsewhere(port)
        app.send_signal(signal.SIGINT)
        stdout, stderr = app.communicate(timeout=STOP_SECONDS)
        assert (app.returncode, stdout) == (130, "")
        assert stderr.endswith("lvis-merge: stopped; nothing half-done was left. Run it again.\n")
        assert "Traceback" not in stderr
    finally:
        app.kill()
        app.wait()


def the_grid_has_boxes_masks_and_ignore_regions(page: Page, address: str, shots: Path) -> None:
    page.goto(address)
    page.wait_for_selector(LOOKER, timeout=START_SECONDS * 1000)
    dismiss_pop_up(page)
    whole = settled(page, shots / "grid.png")
    # masks fill their objects; outlines alone are a hundredth of the picture
    assert changed_without(page, "objects", whole, shots) > 0.05
    assert 0.001 < changed_without(page, "ignore_regions", whole, shots) < 0.05


def changed_without(page: Page, field: str, whole: np.ndarray, shots: Path) -> float:
    """Which share of the picture is another once a field is hidden."""
    box = page.locator(f'[data-cy="checkbox-{field}"]').first
    box.click()
    without = settled(page, shots / f"grid_without_{field}.png")
    box.click()
    return float((np.abs(whole.astype(int) - without.astype(int)).max(axis=2) > 16).mean())


def a_saved_view_opens_by_its_address(page: Page, address: str, shots: Path) -> None:
    page.goto(f"{address}?view=ignored-unmapped")
    page.wait_for_selector(LOOKER, timeout=START_SECONDS * 1000)
    settled(page, shots / "view_ignored_unmapped.png")
    assert page.get_by_text("ignored unmapped").count() > 0


def a_sample_opens_with_its_labels(page: Page, shots: Path) -> None:
    page.locator(LOOKER).first.click()
    page.wait_for_selector('[data-cy="modal"]', timeout=START_SECONDS * 1000)
    shown = settled(page, shots / "sample.png")
    assert has_colour(shown, REASON_COLOURS["unmapped"])
    assert "open_images" in page.locator('[data-cy="modal"]').inner_text()


def dismiss_pop_up(page: Page) -> None:
    """The App greets a new browser."""
    button = page.get_by_text("Dismiss")
    try:
        button.first.click(timeout=10_000)
    except Exception as error:
        if type(error).__name__ != "TimeoutError":
            raise


def settled(page: Page, file: Path) -> np.ndarray:
    """A screenshot that does not change any more, uint8 [height, width, 3]; kept in a file."""
    before = b""
    for _ in range(START_SECONDS):
        page.wait_for_timeout(1000)
        shown = page.screenshot()
        if shown == before:
            break
        before = shown
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(shown)
    return np.asarray(Image.open(io.BytesIO(shown)).convert("RGB"))


def has_colour(picture: np.ndarray, colour: str, least: int = 200) -> bool:
    """Whether something of a colour is drawn."""
    rgb = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    near = np.abs(picture.astype(int) - rgb).max(axis=2) < 24
    return int(near.sum()) >= least


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def listens_elsewhere(port: int) -> bool:
    """Whether the port can be reached by another address of this machine."""
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.2", port)) == 0
