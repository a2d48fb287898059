# Two commands on a fresh machine: `make demo` and `make test`. Needs git, python3.11 and make.

PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
# `make demo GPU=1` installs faiss for NVIDIA GPUs; the two builds of faiss cannot live side by side.
FAISS := $(if $(GPU),gpu,cpu)
# Where torch, which the tests need, comes from: on Linux the default build brings several GB of CUDA, and
# `make test TORCH_INDEX=...` with the address of PyTorch's index of CPU builds (named on its page) does not.
TORCH_INDEX ?=
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	$(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

.PHONY: help demo test test-long test-consumers lint docs bench weights clean

help:
	@echo "make demo       a dance for a song, from the built-in sample, into demo/"
	@echo "make test       the test suite (real data where it is present)"
	@echo "make test-long  the tests that take minutes, and the property tests with new examples"
	@echo "make test-consumers  our files in Khronos' validator, three.js, Blender, pymotion and bvhio; CONSUMERS=npm for the first two"
	@echo "make lint       ruff, mypy, import-linter"
	@echo "make bench      the benchmarks on the sample and, where present, on real data, into report/"
	@echo "make weights    train the shipped encoder and refiner anew, on a troupe made for them"
	@echo "make docs       what is generated: CLI reference, library format, measured traps"

$(VENV)/.installed-$(FAISS): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing ChoreoDB into $(VENV) ..."
	@$(PIP_INSTALL) --editable '.[$(FAISS)]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed-$(FAISS)
	@$(PIP_INSTALL) --editable '.[$(FAISS),dev]'
	@touch $@

demo: $(VENV)/.installed-$(FAISS)
	@$(BIN)/choreodb demo --out demo

test: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest -q -m "not long and not consumers"

# The long tests, then every property test again with examples that no run has tried.
test-long: $(VENV)/.installed-dev
	@$(BIN)/python -m pytest -q -m long --hypothesis-profile hunt
	@$(BIN)/python -m pytest -q -m "hypothesis and not long and not consumers" --hypothesis-profile hunt

# What is not installed and cannot be is left out, with the reason.
CONSUMERS ?= all

test-consumers: $(VENV)/.installed-dev
	@bash tests/consumers/setup.sh $(CONSUMERS)
	@$(BIN)/python -m pytest -q -m consumers tests/consumers $(if $(filter npm,$(CONSUMERS)),-k node)

lint: $(VENV)/.installed-dev
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# Where real data lies, if there is any (see docs/benchmarks.md); BENCH="--quick" only finds out whether all of it runs.
CHOREODB_REALDATA ?= ../shared/data
BENCH ?=

bench: $(VENV)/.installed-dev
	@$(BIN)/choreodb bench all --out report/sample $(BENCH)
	@if [ -d "$(CHOREODB_REALDATA)/paired/dance-with-melody" ]; then \
		$(BIN)/choreodb index "$(CHOREODB_REALDATA)/paired/dance-with-melody" "$(CHOREODB_REALDATA)/mocap/cmu-dance" \
			--library report/real-library && \
		$(BIN)/choreodb bench all report/real-library "$(CHOREODB_REALDATA)/music" --data "$(CHOREODB_REALDATA)" \
			--out report/real $(BENCH) && \
		$(BIN)/choreodb bench generation report/real-library --data "$(CHOREODB_REALDATA)" --out report/real-paired $(BENCH); \
	else echo "no real data at $(CHOREODB_REALDATA): only the sample was benchmarked"; fi

docs: $(VENV)/.installed-dev
	@$(BIN)/python -m choreodb.cli_docs > docs/cli.md
	@$(BIN)/python -m choreodb.storage.format_docs > docs/format.md
	@$(BIN)/python -m choreodb.benchmarks.runs.trap_docs docs/metrics.md

# What is trained on is made here, so that anyone comes to the same weights; benchmarks test on other seeds.
weights: $(VENV)/.installed-$(FAISS)
	@$(PIP_INSTALL) --editable '.[$(FAISS),torch]'
	@rm -rf build/weights && mkdir -p build/weights
	@$(BIN)/choreodb sample make build/weights/troupe --minutes 45 --seed 21
	@$(BIN)/choreodb index build/weights/troupe --library build/weights/library --jobs 1
	@$(BIN)/choreodb train encoder build/weights/library --songs build/weights/troupe --config docs/training/troupe.toml \
		--note "troupe version 4, seed 21, 45 minutes" --out indexer/encoders/shipped/troupe.safetensors
	@$(BIN)/choreodb train refiner build/weights/library --songs build/weights/troupe --steps 3200 --pairs 4096 --seed 21 \
		--device cpu --note "troupe version 4, seed 21, 45 minutes" --out refiner/denoiser/shipped/troupe.safetensors

clean:
	@rm -rf $(VENV) build dist demo report *.egg-info
