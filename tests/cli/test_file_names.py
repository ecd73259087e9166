"""File names out of annotation files and manifests never lead out of the folders given."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from lvis_merge import manifest as manifests
from lvis_merge.errors import InputError
from lvis_merge.fetch.lock import STATE_FOLDER
from lvis_merge.image_roots import ImageRoot, find_image, image_roots
from lvis_merge.inspect.image_files import image_files
from lvis_merge.manifest.tables import Tables
from lvis_merge.pipeline.options import BuildOptions
from lvis_merge.report.samples import sample_images
from lvis_merge.training.recipe.images import missing_images
from tests.cli.command import Outcome, Run
from tests.cli.small_inputs import BOXES, LIST, PICTURES, TRAIN, VAL, Inputs, make_inputs
from tests.pipeline.running import build_quietly

SECRET = "secret.jpg"  # beside the image root
# {} is the folder above the image root, without its leading slash
NAMES = {
    "parent": f"../{SECRET}",
    "parent-inside": f"train2017/../../{SECRET}",
    "parent-with-backslashes": f"..\\{SECRET}",
    "absolute": f"/{{}}/{SECRET}",
    "drive": f"C:\\{SECRET}",
    "nul": f"a\x00/../../{SECRET}",
}

_touched: list[str] = []
_watching = False


def _hook(event: str, details: tuple[object, ...]) -> None:
    if _watching and event in ("open", "os.symlink", "os.link", "os.rename", "os.mkdir"):
        _touched.extend(os.fspath(one) for one in details if isinstance(one, str | os.PathLike))


sys.addaudithook(_hook)  # for good: Python has no way to take it off again


@pytest.fixture
def touched() -> Iterator[list[str]]:
    """Paths that were opened, made or linked to."""
    global _watching
    _touched.clear()
    _watching = True
    yield _touched
    _watching = False


def assert_not_reached(touched: list[str], inputs: Inputs) -> None:
    secret = os.path.realpath(inputs.path(SECRET))
    assert [path for path in touched if os.path.realpath(path.split("\0")[0]) == secret] == []


@pytest.fixture
def with_secret(inputs: Inputs) -> Inputs:
    Image.new("RGB", (64, 48)).save(inputs.path(SECRET))
    return inputs


def named(inputs: Inputs, name: str) -> str:
    return NAMES[name].replace("{}", str(inputs.folder).lstrip("/"))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", ["file_name", "coco_url"])
def test_an_annotation_file_with_such_a_name_is_refused(
    name: str, field: str, run: Run, with_secret: Inputs, touched: list[str]
) -> None:
    """Of a URL the last two parts count, so that no absolute path comes of one."""
    inputs, new = with_secret, named(with_secret, name)
    if field == "coco_url":
        new = f"http://x.org/a/{new}"
    inputs.edit(TRAIN, lambda content: content["images"][0].update({field: new}))
    out = inputs.path("out")
    found = run("build", *inputs.everything(), "--out", str(out))
    if found.code:
        assert found.code == 3
        assert "leads out of the image folder" in found.error
        assert not out.exists()
    else:
        assert field == "coco_url"
        names = manifests.open(out).images["file_name"].to_pylist()
        assert not any(part in ("..", "") for name in names for part in name.split("/"))
    assert_not_reached(touched, inputs)


@pytest.mark.parametrize(
    "image", [f"../../{SECRET.removesuffix('.jpg')}", "/etc/passwd", "a/b", "", ".."]
)
def test_an_open_images_id_is_never_a_path(
    image: str, run: Run, with_secret: Inputs, touched: list[str]
) -> None:
    """It is looked for below --openimages-images; what is no hex number is rejected before."""
    inputs = with_secret
    inputs.path("sizes.csv").unlink()
    for file in (BOXES, LIST):
        inputs.replace(file, PICTURES[1], image)
    found = run(
        "build", *inputs.lvis(), "--openimages", str(inputs.path("open_images")),
        "--mapping", str(inputs.path("map.csv")), "--max-rejects", "50%",
        "--openimages-images", str(inputs.path("pictures")), "--out", str(inputs.path("out")),
    )  # fmt: skip
    assert found.code == 4  # of one image alone the size is known
    selection = inputs.text("openimages_selection.csv")
    assert selection.splitlines()[0] == "ImageID,Subset"
    chosen = {line.split(",")[0] for line in selection.splitlines()[1:]}
    assert chosen == {PICTURES[0], PICTURES[2], "00000000000000d0"}
    assert_not_reached(touched, inputs)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    inputs = make_inputs(tmp_path_factory.mktemp("built"))
    options = BuildOptions(
        out=inputs.path("m"), lvis=str(inputs.path(TRAIN)), lvis_val=str(inputs.path(VAL))
    )
    build_quietly(options)
    return inputs.path("m")


@pytest.fixture
def edited(built: Path, with_secret: Inputs) -> Callable[[str], Path]:
    """Copies a manifest and changes the file name of its first image."""
    out = Path(shutil.copytree(built, with_secret.path("manifest")))

    def edit(name: str) -> Path:
        path = out / "images.parquet"
        images = pq.read_table(path)
        names = [name, *images["file_name"].to_pylist()[1:]]
        place = images.schema.get_field_index("file_name")
        field = images.schema.field(place)
        pq.write_table(images.set_column(place, field, pa.array(names, field.type)), path)
        return out

    return edit


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("copies", [(), ("--copy-images",)], ids=["links", "copies"])
def test_a_yolo_export_of_an_edited_manifest_writes_nothing_elsewhere(
    name: str, copies: tuple[str, ...], run: Run, with_secret: Inputs, edited, touched: list[str]
) -> None:
    """Its label files are named by the images, with image roots and without."""
    manifest = edited(named(with_secret, name))
    before = sorted(with_secret.folder.rglob("*"))
    for roots in ((), ("--image-root", str(with_secret.path("pictures")), *copies)):
        found = exported(run, manifest, with_secret, "yolo", *roots)
        assert_refused(found)
        assert sorted(with_secret.folder.rglob("*")) == before
    assert_not_reached(touched, with_secret)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["fiftyone", "huggingface"])
def test_other_exports_of_an_edited_manifest_take_no_picture_from_elsewhere(
    name: str, form: str, run: Run, with_secret: Inputs, edited, touched: list[str]
) -> None:
    manifest = edited(named(with_secret, name))
    roots = ("--image-root", str(with_secret.path("pictures")))
    assert_refused(exported(run, manifest, with_secret, form, *roots))
    assert_not_reached(touched, with_secret)


@pytest.mark.parametrize("name", [*NAMES, "notes"])
def test_fetch_of_an_edited_manifest_writes_nothing_elsewhere(
    name: str, run: Run, with_secret: Inputs, edited, touched: list[str]
) -> None:
    """Nor over what it keeps below the root itself."""
    new = f"{STATE_FOLDER}/checked.csv" if name == "notes" else named(with_secret, name)
    root = with_secret.path("root")
    found = run("fetch", str(edited(new)), "--to", str(root), "--coco")
    assert found.code == 3
    assert "does not name a file below a folder of images" in found.error
    assert not root.exists()
    assert_not_reached(touched, with_secret)


@pytest.mark.parametrize(
    "url", ["file://{}", "{}", "http://127.0.0.1:9/../../{}", "http://127.0.0.1:9/%2e%2e/{}"]
)
def test_fetch_follows_no_address_out(
    url: str, run: Run, with_secret: Inputs, edited, touched: list[str]
) -> None:
    manifest = edited("train2017/000000000011.jpg")
    images = pq.read_table(manifest / "images.parquet")
    place = images.schema.get_field_index("url")
    urls = pa.array([url.replace("{}", str(with_secret.path(SECRET)))] * len(images))
    pq.write_table(
        images.set_column(place, images.schema.field(place), urls), manifest / "images.parquet"
    )
    root = with_secret.path("root")
    found = run("fetch", str(manifest), "--to", str(root), "--coco", "--json")
    assert found.code == 3
    assert json.loads(found.stdout)["failed"] == len(images)
    assert list(root.rglob("*.jpg")) == []
    assert_not_reached(touched, with_secret)


def exported(run: Run, manifest: Path, inputs: Inputs, form: str, *more: str) -> Outcome:
    return run("export", str(manifest), "--format", form, "--out", str(inputs.path("e")), *more)


def assert_refused(found: Outcome) -> None:
    assert found.code == 3
    assert found.error.startswith("images.parquet: the file name ")
    assert "leads out of the image folder" in found.error


@pytest.mark.parametrize("name", NAMES)
def test_validate_says_so(name: str, run: Run, with_secret: Inputs, edited) -> None:
    found = run("validate", str(edited(named(with_secret, name))), "--json")
    assert found.code == 1
    assert "leaves the image root" in found.stdout


@pytest.mark.parametrize("name", NAMES)
def test_readers_of_pictures_refuse_an_edited_manifest(
    name: str, with_secret: Inputs, edited, touched: list[str]
) -> None:
    """What inspect shows, what the report draws, what training and testing look for and read."""
    manifest = edited(named(with_secret, name))
    opened = manifests.open(manifest)
    folder = str(with_secret.path("pictures"))
    roots = image_roots([folder])
    tables = Tables(opened.images, opened.annotations, opened.categories, opened.rejects)
    for read in (
        lambda: image_files(opened.images, roots, with_secret.path("stand_ins")),
        lambda: sample_images(tables, roots),
        lambda: missing_images(str(manifest), opened.images["image_id"].to_numpy(), [folder]),
        lambda: find_image(opened.images["file_name"][0].as_py(), "lvis", roots),
    ):
        with pytest.raises(InputError, match="leads out of the image folder"):
            read()
    assert_not_reached(touched, with_secret)


def test_a_name_too_long_for_a_file_is_one_that_is_not_there(with_secret: Inputs) -> None:
    roots = [ImageRoot(with_secret.path("pictures"))]
    assert find_image("x" * 5_000 + ".jpg", "lvis", roots) is None


def test_links_in_a_root_are_followed(with_secret: Inputs) -> None:
    """Who gave the root put them there: data sets often are folders of links."""
    link = with_secret.path("pictures/link.jpg")
    link.symlink_to(with_secret.path(SECRET))
    roots = [ImageRoot(with_secret.path("pictures"))]
    assert find_image("link.jpg", "lvis", roots) == link


@pytest.mark.parametrize("name", ["../../map.csv", "/etc/passwd", "a\\b", "a\x00b"])
def test_a_manifest_names_no_map_outside(name: str, run: Run, with_secret: Inputs, edited) -> None:
    manifest = edited("train2017/000000000011.jpg")
    record = json.loads((manifest / "manifest.json").read_bytes())
    record["maps"][name] = "0" * 64
    (manifest / "manifest.json").write_text(json.dumps(record))
    assert run("stats", str(manifest)).code == 3
