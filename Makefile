# The two commands for users: `make demo` builds and trains on a drawn world, `make test` the tests.
# Both set up `.venv` first, from nothing but python3.11 (with venv and pip).
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# tests run one process per core; spinning OpenMP threads would only fight for the cores
export OMP_NUM_THREADS := 1

.PHONY: setup demo test lint benchmark clean

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
	    --image-root manifests/demo_world/images --image-root manifests/demo_world/openimages_images

test: setup
	$(BIN)/python -m pytest -n 2

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# true size: 3.5 GB of generated files, several minutes
benchmark: setup
	$(BIN)/python benchmarks/full_scale.py

clean:
	rm -rf $(VENV) manifests/demo manifests/demo_world runs/demo
