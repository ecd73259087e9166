import csv
import io
import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from lvis_merge.cli import map as map_cli
from lvis_merge.cli.map import map_app
from lvis_merge.errors import CheckFailedError, InputError, UsageError
from tests.labelmap.mini_wordnet import write_wordnet
from tests.labelmap.vocabularies import OPEN_IMAGES_HEADER, lvis_json, write

GOOD = "/m/b,Bat,bat.n.01,bat_(animal),synonym,"
SUGGEST = ("suggest", "--source", "classes.csv", "--lvis", "lvis.json", "--wordnet", ".")
BAD = "/m/c,Cat,cat.n.99,cat,exact,"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs `lvis-merge map …` in a folder with a good map, a bad one and vocabularies."""
    write(tmp_path / "good.csv", OPEN_IMAGES_HEADER, GOOD)
    write(tmp_path / "bad.csv", OPEN_IMAGES_HEADER, GOOD, BAD)
    write(tmp_path / "classes.csv", "id,name", "/m/b,Bat", "1,Flying disc", "2,Unheard-of")
    lvis_json(tmp_path / "lvis.json")
    write_wordnet(tmp_path)
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(map_app, arguments)


def test_check_of_a_good_map_ends_with_0_and_an_empty_stdout(run):
    found = run("check", "good.csv", "--lvis", "lvis.json", "--classes", "classes.csv")
    assert found.exit_code == 0
    assert found.stdout == ""
    assert "good.csv: 0 errors, 0 warnings" in found.stderr


def test_check_with_an_error_ends_with_1_and_names_the_row(run):
    found = run("check", "bad.csv", "--lvis", "lvis.json")
    assert isinstance(found.exception, CheckFailedError)
    assert found.exception.exit_code == 1
    assert str(found.exception) == "bad.csv: 1 error, 0 warnings. Correct the errors."
    assert found.stdout.startswith("bad.csv, row 2: error: unknown-synset: no LVIS category has")


def test_check_says_what_it_could_not_check(run):
    assert (
        "Only partly checked: synsets (give --lvis) and class ids"
        in run("check", "good.csv").stderr
    )


def test_check_json_is_all_of_stdout(run):
    found = json.loads(run("check", "bad.csv", "--lvis", "lvis.json", "--json").stdout)
    assert (found["file"], found["errors"], found["warnings"]) == ("bad.csv", 1, 0)
    assert found["problems"][0]["row"] == 2


def test_check_of_a_missing_file_is_an_input_error(run):
    assert isinstance(run("check", "absent.csv").exception, InputError)


def test_suggest_writes_csv_to_stdout_or_out(run, tmp_path):
    found = run(*SUGGEST)
    rows = list(csv.DictReader(io.StringIO(found.stdout)))
    assert [(row["source_name"], row["lvis_name"], row["relation"]) for row in rows] == [
        ("Bat", "bat_(animal)", "synonym"),
        ("Flying disc", "frisbee", "wordnet"),
    ]
    assert "2 proposals for 2 of 3 classes" in found.stderr
    to_file = run(*SUGGEST, "--out", "out.csv")
    assert to_file.stdout == ""
    assert (tmp_path / "out.csv").read_text() == found.stdout


def test_suggest_json_has_the_same_columns(run):
    found = run(*SUGGEST, "--json")
    first = json.loads(found.stdout)[0]
    assert list(first) == [
        "source_id", "source_name", "lvis_synset", "lvis_name", "relation", "score", "evidence",
        "definition",
    ]  # fmt: skip


def test_suggest_without_wordnet_says_so(run, monkeypatch, tmp_path):
    monkeypatch.setattr("lvis_merge.labelmap.wordnet.DEFAULT_FOLDER", tmp_path / "absent")
    found = run("suggest", "--source", "classes.csv", "--lvis", "lvis.json")
    assert "Without WordNet: only names were compared" in found.stderr
    assert "frisbee" not in found.stdout


def test_suggest_needs_lvis_and_a_place_to_write(run):
    assert isinstance(run("suggest", "--source", "classes.csv").exception, UsageError)
    found = run(*SUGGEST, "--out", "absent/out.csv")
    assert isinstance(found.exception, InputError)


def test_tables_on_a_terminal(run, monkeypatch):
    monkeypatch.setattr(map_cli, "_on_terminal", lambda: True)
    assert "unknown-synset" in run("check", "bad.csv", "--lvis", "lvis.json").stdout
    found = run(*SUGGEST)
    assert "evidence" in found.stdout
    assert "source_id" not in found.stdout


@pytest.mark.parametrize("command", ["check", "suggest"])
def test_help_has_an_example(run, command):
    assert f"Example: lvis-merge map {command}" in run(command, "--help").stdout


def test_importing_the_commands_imports_no_heavy_library():
    code = (
        "import sys, lvis_merge.cli.map;"
        "sys.exit(bool({'pyarrow', 'msgspec', 'daft', 'numpy', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_suggest_writes_a_draft_of_a_coco_file(run, tmp_path):
    categories = [{"id": 7, "name": "Bat"}, {"id": 3, "name": "Unheard-of"}]
    document = {"images": [], "annotations": [], "categories": categories}
    (tmp_path / "acme.json").write_text(json.dumps(document))
    arguments = ("--source", "acme.json", "--lvis", "lvis.json", "--draft", "--limit", "1")
    found = run("suggest", *arguments, "--out", "draft.csv")
    assert found.exit_code == 0, found.output
    assert "2 classes: 1 with a category by name, 1 left to decide." in found.stderr
    lines = (tmp_path / "draft.csv").read_text().splitlines()
    assert lines[0] == "source_id,source_name,lvis_synset,lvis_name,relation,note"
    assert lines[1] == "3,Unheard-of,,,,draft: no LVIS category was found"
    assert lines[2].startswith("7,Bat,bat.n.01,bat_(animal),synonym,draft: ")
    checked = run("check", "draft.csv", "--lvis", "lvis.json", "--classes", "acme.json")
    assert checked.exit_code == 0
    assert "draft.csv: 0 errors, 2 warnings" in checked.stderr
    assert run("suggest", *arguments).stdout == (tmp_path / "draft.csv").read_text()
    shown = json.loads(run("suggest", *arguments, "--json").stdout)
    assert [row["synset"] for row in shown] == [None, "bat.n.01"]
