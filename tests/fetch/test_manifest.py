"""Images of a manifest: Open Images from the bucket, COCO's by their addresses."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from lvis_merge.errors import InputError, UsageError
from lvis_merge.fetch.run import FetchOptions
from lvis_merge.image_roots import find_image, image_roots
from lvis_merge.manifest import open as open_manifest
from lvis_merge.pipeline.options import BuildOptions
from lvis_merge.progress import Stages
from tests.cli.small_inputs import FOLDER, MAP, PICTURES, SIZES, TRAIN, Inputs, make_inputs
from tests.fetch.fetching import QUICK, fetch, names, rows
from tests.fetch.server import Server
from tests.pipeline.running import build_quietly


def grey(size: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "grey").save(out, "JPEG")
    return out.getvalue()


@pytest.fixture
def inputs(tmp_path: Path, server: Server) -> Inputs:
    """Inputs whose coco_url is at the server."""
    made = make_inputs(tmp_path / "files")
    content = made.text(TRAIN).replace("http://images.cocodataset.org", server.address)
    made.write(TRAIN, content)
    return made


@pytest.fixture
def manifest(tmp_path: Path, inputs: Inputs) -> Path:
    """Three images of LVIS and four of Open Images."""
    build_quietly(
        BuildOptions(
            out=tmp_path / "m",
            lvis=str(inputs.path(TRAIN)),
            openimages=str(inputs.path(FOLDER)),
            openimages_sizes=str(inputs.path(SIZES)),
            mapping=str(inputs.path(MAP)),
            images=None,
        )
    )
    return tmp_path / "m"


@pytest.fixture
def asked(tmp_path: Path, manifest: Path, server: Server) -> FetchOptions:
    for row in open_manifest(manifest).images.to_pylist():
        server.files[row["file_name"]] = grey((row["width"], row["height"]))
    return FetchOptions(
        manifest, tmp_path / "root", mirror=server.address, workers=4, patience=QUICK
    )


def test_coco_images_only_when_asked_for(
    asked: FetchOptions, server: Server, stages: Stages
) -> None:
    found = fetch(asked, stages)
    assert (found.fetched, found.left_out) == (4, 3)
    found = fetch(replace(asked, coco=True), stages)
    assert (found.there, found.fetched, found.left_out) == (4, 3, 0)
    # the root works as --image-root
    roots = image_roots([str(asked.to)])
    for row in open_manifest(asked.what).images.to_pylist():
        assert find_image(row["file_name"], row["source"], roots) is not None


def test_an_image_of_another_size_is_not_the_one_meant(
    asked: FetchOptions, server: Server, stages: Stages
) -> None:
    server.files[f"train/{PICTURES[1]}.jpg"] = grey((7, 9))
    server.files["train2017/000000000012.jpg"] = grey((7, 9))
    found = fetch(replace(asked, coco=True), stages)
    assert found.failed == {"wrong_size": 2}
    assert server.asked[f"train/{PICTURES[1]}.jpg"] == 1
    first, other = found.failures
    assert rows(first)[1:] == [
        [PICTURES[1], f"train/{PICTURES[1]}.jpg", "wrong_size",
         "7 x 9 pixels, the manifest says 101 x 80"],
    ]  # fmt: skip
    assert (other.name, rows(other)[1][:3]) == (
        "coco_failures.csv", ["12", "train2017/000000000012.jpg", "wrong_size"],
    )  # fmt: skip
    assert f"train/{PICTURES[1]}.jpg" not in names(asked.to)
    # the list of COCO goes when there is nothing in it any more
    server.files["train2017/000000000012.jpg"] = grey((64, 48))
    fetch(replace(asked, coco=True), stages)
    assert not other.exists()


def test_an_image_there_of_another_size_is_fetched(
    asked: FetchOptions, server: Server, stages: Stages
) -> None:
    path = asked.to / f"train/{PICTURES[0]}.jpg"
    path.parent.mkdir(parents=True)
    path.write_bytes(grey((7, 9)))
    found = fetch(asked, stages)
    assert found.fetched == 4
    assert path.read_bytes() == server.files[f"train/{PICTURES[0]}.jpg"]


def test_a_manifest_of_coco_images_alone_needs_coco(
    tmp_path: Path, inputs: Inputs, server: Server, stages: Stages
) -> None:
    build_quietly(BuildOptions(out=tmp_path / "lvis", lvis=str(inputs.path(TRAIN))))
    with pytest.raises(UsageError, match=r"all 3 images are COCO's\. Add --coco"):
        fetch(FetchOptions(tmp_path / "lvis", tmp_path / "root", patience=QUICK), stages)


@pytest.mark.parametrize(
    "url",
    ["file:///etc/hostname", "http://", "http://host", "ftp://host/train2017/x.jpg",
     "http://127.0.0.1/x.jpg?key=1"],
)  # fmt: skip
def test_addresses_that_are_not_followed(
    tmp_path: Path, asked: FetchOptions, inputs: Inputs, stages: Stages, url: str
) -> None:
    content = json.loads(inputs.text(TRAIN))
    # its name comes from its address, so the address is changed in the manifest
    assert content["images"]
    images = open_manifest(asked.what).images
    place = images.schema.get_field_index("url")
    import pyarrow as pa
    import pyarrow.parquet as pq

    urls = [url if s == "lvis" else u for s, u in zip(
        images["source"].to_pylist(), images["url"].to_pylist(), strict=True)]  # fmt: skip
    pq.write_table(
        images.set_column(place, images.schema.field(place), pa.array(urls)),
        asked.what / "images.parquet",
    )
    found = fetch(replace(asked, coco=True), stages)
    assert (found.fetched, found.failed) == (4, {"no_url": 3})


def test_names_of_a_manifest_are_checked(asked: FetchOptions, stages: Stages) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    images = open_manifest(asked.what).images
    place = images.schema.get_field_index("file_name")
    wrong = pa.array([f"../{name}" for name in images["file_name"].to_pylist()])
    pq.write_table(
        images.set_column(place, images.schema.field(place), wrong),
        asked.what / "images.parquet",
    )
    with pytest.raises(InputError, match=r"image 11: the file name '\.\./train2017"):
        fetch(asked, stages)
    assert not asked.to.exists()
