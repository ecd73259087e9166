"""Good files for every command that reads some, all below one folder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pycocotools import mask as coco_mask

from lvis_merge.evaluation.result_table import BOXES
from tests.cli.small_inputs import HELD_OUT_JSON, SIZES, TRAIN, VAL, Inputs, make_inputs
from tests.fuzz.fetched import add_mirror
from tests.fuzz.limits import run_bounded
from tests.fuzz.open_images import add_folders
from tests.worlds.small_extra import MAP, SQUARE, extra_document

PACKED = ("packed.json.gz", "packed.zip", "held_packed.json.gz", "sizes_packed.csv.zip")
RESULTS, POOL, TABLE = "results.json", "pool.json", "pool.parquet"
CORRECTIONS, CLASSES, PARAMETERS = "corrections.csv", "classes.csv", "fit.json"
MANIFEST, OUT, RUNS, EXPERIMENT = "manifest", "out", "runs", "experiment"
EVALUATION, TOML, CONFIG = (
    f"{RUNS}/challenge_baseline.json",
    f"{EXPERIMENT}/experiment.toml",
    (f"{RUNS}/roadmap.toml"),
)
SETTING = f"{EXPERIMENT}/first/base.json"
EXTRA, EXTRA_MAP = "extra.json", "extra_map.csv"
PICTURE = "pictures/train/000000000000000a.jpg"


def make_files(folder: Path) -> Inputs:
    """Writes all files."""
    inputs = make_inputs(folder)
    for name, new in ((TRAIN, "packed.json"), (HELD_OUT_JSON, "held_packed.json")):
        inputs.write(new, inputs.text(name))
        inputs.gzip(new)
    inputs.zip("packed.zip", {"val.json": inputs.text(VAL)})
    inputs.zip("sizes_packed.csv.zip", {"sizes.csv": inputs.text(SIZES)})
    inputs.write(
        CORRECTIONS,
        "source,source_image_id,source_annotation_id,source_label,action,category,synset\n"
        "lvis,11,110,dog,relabel,cup,cup.n.01\nlvis,12,,,reject,,\n"
        "open_images,000000000000000a,000000000000000a:1,/m/star,reject,,\n",
    )
    inputs.write(CLASSES, "id,name\n1,dog\n2,coffee cup\n3,sea star\n")
    results = [_detection(image, category) for image in (21, 22) for category in (1, 2, 3)]
    inputs.write(RESULTS, json.dumps(results))
    boxes = [{key: row[key] for key in BOXES.names} for row in results]
    inputs.write(POOL, json.dumps(boxes))
    pq.write_table(pa.Table.from_pylist(boxes, schema=BOXES), inputs.path(TABLE))
    _must(inputs, "build", *inputs.everything(), "--out", str(inputs.path(MANIFEST)))
    for name in (RUNS, EXPERIMENT, f"{EXPERIMENT}/first", f"{EXPERIMENT}/second"):
        inputs.path(name).mkdir()
    _write_evaluations(inputs)
    _write_extra(inputs)
    add_folders(inputs)
    add_mirror(inputs)
    _must(
        inputs, "ensemble", *(str(inputs.path(name)) for name in (POOL, TABLE)),
        "--fit-on", str(inputs.path(VAL)), "--out", str(inputs.path("merged.json")),
        "--report", str(inputs.path(PARAMETERS)),
    )  # fmt: skip
    inputs.path("merged.json").unlink()
    return inputs


def _detection(image: int, category: int) -> dict[str, Any]:
    ring = [2, 3, 22, 3, 22, 13, 2, 13]
    mask = coco_mask.merge(coco_mask.frPyObjects([ring], 48, 64))
    return {
        "image_id": image, "category_id": category, "bbox": [2, 3, 20, 10], "score": 0.5,
        "segmentation": {"size": [48, 64], "counts": mask["counts"].decode()},
    }  # fmt: skip


def _write_extra(inputs: Inputs) -> None:
    content = extra_document()
    for image in content["images"]:
        image |= {"neg_category_ids": [12, 13], "not_exhaustive_category_ids": [10]}
    content["annotations"][1]["segmentation"] = [SQUARE[0], SQUARE[0]]
    inputs.write(EXTRA, json.dumps(content))
    mapped = MAP.replace("acorn.n.01,acorn,exact", "dog.n.01,dog,curated")
    inputs.write(EXTRA_MAP, mapped.replace("car.n.01,car_(automobile)", "cup.n.01,cup"))


def _write_evaluations(inputs: Inputs) -> None:
    figures = dict.fromkeys(("AP", "AP50", "AP75", "AP_r", "AP_c", "AP_f"), 0.25)
    text = json.dumps(
        {"ground_truth": "val", "images": 2, "objects": 4, "bbox": figures, "segm": figures}
    )
    inputs.write(EVALUATION, text)
    inputs.write(CONFIG, '[runs]\n[[test]]\nname = "ours"\nAP = 28.0\nAP_r = 16.0\n')
    for run in ("first", "second"):
        for setting in ("base", "more"):
            inputs.write(f"{EXPERIMENT}/{run}/{setting}.json", text)
    inputs.write(
        TOML,
        'title = "T"\n[[run]]\nname = "first"\ngroup = "a"\n[[run]]\nname = "second"\ngroup = "a"\n'
        '[[setting]]\nkey = "base"\nname = "Base"\nstep = "challenge_baseline"\n'
        '[[setting]]\nkey = "more"\nname = "More"\n'
        '[[comparison]]\nsetting = "more"\nover = "base"\n',
    )


def _must(inputs: Inputs, *arguments: str) -> None:
    ended = run_bounded(arguments)
    assert ended.code == 0, ended.errors
