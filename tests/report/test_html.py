import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pytest
from PIL import Image

from lvis_merge.image_roots import ImageRoot
from lvis_merge.manifest.record import ManifestRecord
from lvis_merge.manifest.tables import Tables
from lvis_merge.report.html import MOST_BARS, render, write_report
from lvis_merge.report.summary import summarise
from lvis_merge.sources.files import InputRecord
from tests.report import small


class Tags(HTMLParser):
    """The elements of a page and whether all are closed in order."""

    VOID = ("meta", "br", "img", "link", "input", "hr")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def page() -> str:
    return render(summarise(small.three_sources(), small.record()))


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """The train images of `small.three_sources` as grey files."""
    for name in ("lvis/1.jpg", "lvis/2.jpg", f"open_images/{small.OPEN_IMAGE}.jpg"):
        path = tmp_path / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (100, 80), (128, 128, 128)).save(path)
    return tmp_path / "images"


def test_the_page_is_well_formed(page):
    assert Tags(page).open == []


def test_the_page_loads_nothing(tmp_path, images):
    path = write_report(tmp_path, small.three_sources(), small.record(), [ImageRoot(images)])
    text = path.read_text(encoding="utf-8")
    tags = Tags(text)
    assert not {"script", "link", "iframe", "object", "embed", "base"} & {t for t, _ in tags.seen}
    loaded = [
        value
        for _, attributes in tags.seen
        for key, value in attributes.items()
        if key in ("src", "srcset", "href", "xlink:href", "data", "action", "poster")
    ]
    assert loaded
    assert all(value.startswith("data:image/jpeg;base64,") for value in loaded)
    assert not re.search(r"url\(|@import|@font-face", text)


def test_text_of_users_is_escaped():
    made = small.three_sources()
    nasty = "<script>alert('1')</script>"
    names = pa.array([nasty, '"><i x>', "dog"])
    place = made.categories.schema.get_field_index("name")
    field = made.categories.schema.field(place)
    categories = made.categories.set_column(place, field, names)
    record = small.record(warnings=(nasty,), options={nasty: nasty})
    text = render(
        summarise(Tables(made.images, made.annotations, categories, made.rejects), record)
    )
    assert "<script" not in text
    assert '"><i x>' not in text
    assert "&lt;script&gt;" in text
    assert Tags(text).open == []


def test_equal_manifests_give_equal_reports():
    made = small.three_sources()
    record = small.record()
    # other chunks, other order of options and inputs, and a record read back from its file
    chunked = Tables(
        *(
            pa.concat_tables([table.slice(0, 1), table.slice(1)])
            for table in (made.images, made.annotations, made.categories, made.rejects)
        )
    )
    record = record.replace(inputs=(*record.inputs, InputRecord("coco", "c.json", 9, "cd" * 32)))
    again = record.replace(
        options=dict(reversed(record.options.items())), inputs=record.inputs[::-1]
    )
    again = ManifestRecord.from_json(again.to_json())
    assert render(summarise(chunked, again)) == render(summarise(made, record))


@pytest.mark.parametrize(
    "words",
    [
        # plots name their axes, with units
        "training images (log scale)",
        "3 categories, ordered by LVIS frequency",
        ">training images</text>",
        ">Open Images images</text>",
        ">ignore regions</text>",
        ">categories per image</text>",
        # titles say the finding
        "1 of 1 rare categories gained images",
        "4 ignore regions: 25% are COCO boxes",
        # the build
        "482.1 MB",
        "abababababab</code>",
        "coco_2017.csv",
        "efefefefefef</code>",
        "train images checked against 1 image ids and 1 Flickr photo ids of lvis_val.json",
        # what was left out and why
        "7 held out",
        "9 not selected",
        # both schemes
        "prefers-color-scheme: dark",
        # a tip with the numbers behind a dot
        "banjo (r): 1 → 2 images",
    ],
)
def test_the_page_says(page, words):
    assert words in page


@pytest.mark.parametrize(("holdout", "told"), [(None, True), (small.record().holdout, False)])
def test_unchecked_leakage_is_warned_of(holdout, told):
    text = render(summarise(small.three_sources(), small.record(holdout=holdout)))
    assert ("<li>Leakage was not checked" in text) is told


def test_samples_show_both_sources_with_names_regions_and_credit(tmp_path, images):
    roots = [ImageRoot(tmp_path / "nowhere"), ImageRoot(images)]
    text = write_report(tmp_path, small.three_sources(), small.record(), roots).read_text()
    assert text.count("<img ") == 3
    assert "banjo ×2" in text
    assert "ignored: not in the map, group of objects" in text
    assert "Ann &lt;b&gt;, CC BY 2.0" in text


@pytest.mark.parametrize(
    ("roots", "line"),
    [
        ([], "the report was written without image roots"),
        ([ImageRoot(Path("nowhere"))], "none of the manifest's images was found"),
        # bound to a source that has no image
        ([ImageRoot(Path(), "zoo")], "none of the manifest's images was found"),
    ],
)
def test_a_strip_without_pictures_says_so_in_one_line(tmp_path, roots, line):
    text = write_report(tmp_path, small.three_sources(), small.record(), roots).read_text()
    assert text.count("No sample pictures") == 1
    assert line in text
    assert "<img" not in text


def test_of_too_many_bars_the_first_and_the_last_are_drawn():
    summary = summarise(small.three_sources(), small.record())
    many = tuple(
        replace(summary.open_images[0], name=f"name{i:03}", images_open_images=1000 - i)
        for i in range(MOST_BARS + 5)
    )
    text = render(replace(summary, open_images=many))
    half = MOST_BARS // 2
    drawn = [f">name{i:03}</text>" in text for i in (0, half - 1, half, half + 4, half + 5)]
    assert drawn == [True, True, False, False, True]
    assert f"The 5 categories between the first and the last {half} are left out." in text


@pytest.mark.parametrize("source", ["coco", "open_images"])
def test_other_label_spaces_render(source):
    record = small.record(label_space=source, lvis_version=None, counts={})
    text = render(summarise(small.own_label_space(source), record))
    assert "2 of 2 categories have at most 10 training images" in text
    assert "2 categories, ordered by images" in text
    assert "rare categories gained" not in text
    assert Tags(text).open == []


def test_an_empty_manifest_renders():
    text = render(summarise(small.tables([], [], []), small.record(counts={})))
    assert "There is no train image." in text
    assert Tags(text).open == []


def test_lvis_alone_shows_its_tail_without_a_change():
    made = small.tables(
        [small.image(1)],
        [small.annotation(1, 1)],
        [small.category(1, "banjo", "r", image_count_lvis=1, image_count=1, instance_count=1)],
    )
    text = render(summarise(made, small.record()))
    assert "1 of 1 categories are rare: at most 10 training images" in text
    assert "after the merge, where it changed" not in text
    assert "rare categories gained" not in text
