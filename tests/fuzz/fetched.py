"""A folder that images are fetched from, and what `fetch` left in a root before."""

from __future__ import annotations

import io
import shutil

from PIL import Image

from lvis_merge.fetch.lock import STATE_FOLDER
from tests.cli.small_inputs import PICTURES, VALIDATION_PICTURE, Inputs

SELECTION, MIRROR, NOTES = "chosen.csv", "mirror", "notes"
MIRRORED = f"{MIRROR}/train/{PICTURES[0]}.jpg"
MIRRORED_PNG = f"{MIRROR}/train/{PICTURES[1]}.jpg"
CHECKED, FAILURES = f"{NOTES}/{STATE_FOLDER}/checked.csv", f"{NOTES}/openimages_failures.csv"
_SIZES = {
    **{f"train/{picture}": (100 + place, 80) for place, picture in enumerate(PICTURES)},
    f"validation/{VALIDATION_PICTURE}": (64, 48),
}


def add_mirror(inputs: Inputs) -> None:
    """Writes a selection, the mirror that has all of its images, and the notes of a root."""
    inputs.write(
        SELECTION, "ImageID,Subset\n" + "".join(f"{picture},train\n" for picture in PICTURES)
    )
    for name, size in _SIZES.items():
        inputs.path(f"{MIRROR}/{name}").parent.mkdir(parents=True, exist_ok=True)
        out = io.BytesIO()
        kind = "PNG" if name.endswith(PICTURES[1]) else "JPEG"
        Image.effect_noise(size, 60).convert("RGB").save(out, kind)
        inputs.write(f"{MIRROR}/{name}.jpg", out.getvalue())
    inputs.path(CHECKED).parent.mkdir(parents=True)
    inputs.write(CHECKED, f"train/{PICTURES[2]}.jpg,900,1700000000000000000,102,80,0\n")
    inputs.write(
        FAILURES,
        "ImageID,FileName,Reason,Detail\n"
        f"{PICTURES[0]},train/{PICTURES[0]}.jpg,not_found,404\n"
        "00000000000000ee,train/00000000000000ee.jpg,damaged,cut short\n",
    )


def fetch(inputs: Inputs, what: str, root: str) -> list[str]:
    """Fetches into a root that has the notes."""
    shutil.copytree(inputs.path(NOTES), inputs.path(root), dirs_exist_ok=True)
    folders = [*inputs.option("--to", root), *inputs.option("--mirror", MIRROR)]
    return ["fetch", str(inputs.path(what)), *folders, "--workers", "4"]
