# The two commands for users: `make demo` builds and trains on a drawn world, `make test` the tests.
# `make demo-tricks` goes on with what the winner did at test time; `make road-map` measures each trick.
# Both set up `.venv` first, from nothing but python3.11 (with venv and pip).
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
WORLD := manifests/demo_world
TRICKS := runs/demo_tricks
ROAD_MAP := runs/road_map
ON_VAL = $(BIN)/lvis-merge test --image-root $(WORLD)/images
MASKS = $(ON_VAL) mini runs/demo/iter_800.pth --manifest manifests/demo
SCORE = $(BIN)/lvis-merge evaluate --manifest manifests/demo --split val --json
SCALES := --scales 192x256,256x341 --flip
# tests run one process per core; spinning OpenMP threads would only fight for the cores
export OMP_NUM_THREADS := 1

.PHONY: setup demo demo-tricks road-map test fuzz soak lint benchmark clean

setup: $(READY)

$(READY): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "No $(PYTHON) here. Install it (apt install python3.11-venv) or say make PYTHON=python3.12 …" >&2; exit 1; }
	@test -x $(BIN)/python || { echo "setup: making $(VENV)"; $(PYTHON) -m venv $(VENV); }
	@echo "setup: installing lvis-merge and its tools into $(VENV) (about a minute, then about four for the training stack)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@$(BIN)/lvis-merge setup-training
	@touch $@

demo: setup
	$(BIN)/lvis-merge demo --out manifests/demo
	@rm -rf runs/demo
	$(BIN)/lvis-merge train mini --manifest manifests/demo --work-dir runs/demo \
	    --image-root $(WORLD)/images --image-root $(WORLD)/openimages_images

# an expert, multi-scale boxes, the re-scoring ensemble, multi-scale masks: four more minutes
demo-tricks: demo
	rm -rf manifests/demo_coco runs/demo_expert $(TRICKS) \
	    $(ROAD_MAP)
	$(BIN)/lvis-merge build --coco $(WORLD)/annotations/instances_train2017.json --label-space coco \
	    --holdout $(WORLD)/annotations/lvis_demo_val.json --out manifests/demo_coco
	$(BIN)/lvis-merge train mini_expert_coco --manifest manifests/demo_coco \
	    --image-root $(WORLD)/images --work-dir runs/demo_expert
	$(ON_VAL) mini runs/demo/iter_800.pth --manifest manifests/demo --out $(TRICKS)/one_scale
	$(ON_VAL) mini runs/demo/iter_800.pth --manifest manifests/demo --out $(TRICKS)/boxes \
	    $(SCALES) --no-masks
	$(ON_VAL) mini_expert_coco runs/demo_expert/iter_400.pth --manifest manifests/demo_coco \
	    --images manifests/demo --out $(TRICKS)/expert $(SCALES) --no-masks
	$(BIN)/lvis-merge experts $(TRICKS)/expert/pool.parquet --map mappings/coco_2017.csv \
	    --manifest manifests/demo_coco --target-manifest manifests/demo \
	    --out $(TRICKS)/expert_lvis.parquet
	$(BIN)/lvis-merge ensemble $(TRICKS)/boxes/pool.parquet $(TRICKS)/expert_lvis.parquet \
	    --fit-on val --manifest manifests/demo --out $(TRICKS)/ensemble_boxes.json
	$(MASKS) --boxes $(TRICKS)/boxes/results.json --out $(TRICKS)/boxes_masks
	$(MASKS) --boxes $(TRICKS)/ensemble_boxes.json --out $(TRICKS)/ensemble_masks
	$(MASKS) --boxes $(TRICKS)/ensemble_boxes.json --out $(TRICKS)/all $(SCALES)
	$(SCORE) $(TRICKS)/one_scale/results.json >$(TRICKS)/challenge_open_images.json
	$(SCORE) $(TRICKS)/boxes_masks/results.json >$(TRICKS)/multi_scale_boxes.json
	$(SCORE) $(TRICKS)/ensemble_masks/results.json >$(TRICKS)/ensemble.json
	$(SCORE) $(TRICKS)/all/results.json >$(TRICKS)/multi_scale_masks.json
	$(BIN)/lvis-merge roadmap $(TRICKS) --plot $(TRICKS)/roadmap.svg

# Each trick of the paper on a small world: 2 draws x 3 seeds. An hour and a half of both cores;
# stopped, it goes on where it was.
road-map: setup
	$(BIN)/python benchmarks/road_map.py --out $(ROAD_MAP)
	$(BIN)/lvis-merge roadmap $(ROAD_MAP) --markdown $(ROAD_MAP)/road-map.md \
	    --csv $(ROAD_MAP)/road-map.csv --plot $(ROAD_MAP)/road-map.svg

test: setup
	$(BIN)/python -m pytest -n 2 --dist worksteal

# Hostile and damaged files for every command that reads some: FUZZ_SECONDS (600) of them, as
# FUZZ_SEED draws them. What it finds is kept in tests/fuzz/corpus, which `make test` runs.
fuzz: setup
	$(BIN)/python -m tests.fuzz

# 200 builds in one process, whose memory must stay flat; `inspect` killed thirty times
soak: setup
	$(BIN)/python -m benchmarks.soak --builds 200 --out runs/soak
	KILLS=30 $(BIN)/python -m pytest tests/inspect/test_killed.py

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# true size: 3.5 GB of generated files, several minutes
benchmark: setup
	$(BIN)/python benchmarks/full_scale.py

clean:
	rm -rf $(VENV) manifests/demo manifests/demo_world manifests/demo_coco runs/demo runs/demo_expert $(TRICKS) \
	    $(ROAD_MAP)
