# Headstart's own work, and the pipelines that it is used in. `make help` lists the targets.
BIN     := target/release
DEMO    := target/demo
PYTHON  ?= python3
CARGO   ?= cargo

# What the programs are made of: any change here rebuilds them before a pipeline uses them.
SOURCES := Cargo.toml Cargo.lock $(shell find crates data -name '*.rs' -o -name '*.toml' -o -name '*.safetensors' \
             -o -name tokenizer.json -o -name '*.cu' -o -name '*.cuh' -o -name '*.h')

.DELETE_ON_ERROR:
.PHONY: FORCE coverage deny help build cuda no-cuda demo demo-text tutorial check test chaos fuzz reproduce bench peers peers-light peers-keras peers-gluon gpu-kit gpu-check gpu-bench browser picture clean-demo

build: $(BIN)/extract                  ## build the programs (release)

help:                                  ## list these targets
	@sed -n 's/^\([a-z-]*\):[^#]*## */\1\t/p' Makefile | expand -t 14

# One cargo run makes all programs; extract stands for them.
$(BIN)/extract: $(SOURCES)
	$(CARGO) build --release $(FEATURES)
	@touch $@

# nvcc, from NVIDIA's CUDA toolkit, 12.0 or newer: NVCC, or CUDA_HOME's, or CUDA_PATH's, or the shell's, or where it usually is.
NVCC    ?= $(firstword $(wildcard $(CUDA_HOME:%=%/bin/nvcc) $(CUDA_PATH:%=%/bin/nvcc)) \
             $(shell command -v nvcc) $(wildcard /usr/local/cuda/bin/nvcc))

# Once the programs were built with CUDA they stay so, whatever builds them anew: this file says it.
CUDA     := $(BIN)/.cuda
FEATURES := $(if $(wildcard $(CUDA)),--features headstart-extract/cuda)

cuda:                                  ## build the programs with NVIDIA's cards in them: needs nvcc, and no card
	@test -n "$(NVCC)" || { echo "cuda: no nvcc found: install NVIDIA's CUDA toolkit, 12.0 or newer, and set CUDA_HOME to its folder" >&2; exit 1; }
	NVCC="$(NVCC)" $(CARGO) build --release --features headstart-extract/cuda
	@touch $(BIN)/extract $(CUDA)

no-cuda:                               ## and without them again
	rm -f $(CUDA)
	$(CARGO) build --release
	@touch $(BIN)/extract

# ---- demo: the whole job on embedded data -----------------------------------------------------------------------

demo: $(DEMO)/metrics.parquet $(DEMO)/sample.onnx  ## the whole job on the embedded backbone and sample data
	@echo "demo: report in $(DEMO)/report.html, metrics in $(DEMO)/metrics.parquet, model in $(DEMO)/sample.onnx"

$(DEMO)/sample/.headstart-sample: $(BIN)/extract
	@mkdir -p $(DEMO)
	$(BIN)/make-sample $(DEMO)/sample --force
	@touch $@

$(DEMO)/sample.features/index.json: $(DEMO)/sample/.headstart-sample
	$(BIN)/extract $(DEMO)/sample -o $(DEMO)/sample.features --force

$(DEMO)/sample.head: $(DEMO)/sample.features/index.json
	$(BIN)/fit-head $(DEMO)/sample.features -o $@ --force

$(DEMO)/metrics.parquet: $(DEMO)/sample.head
	$(BIN)/evaluate $(DEMO)/sample.features $< -o $@ --predictions $(DEMO)/predictions.parquet \
	    --report $(DEMO)/report.html --images $(DEMO)/sample --force

$(DEMO)/sample.onnx: $(DEMO)/sample.head
	$(BIN)/export $< -o $@ --force

clean-demo:                            ## remove what demo, demo-text and tutorial made
	rm -rf $(DEMO) $(TEXTS) target/tutorial

# ---- demo-text: the same on sentences, with the embedded table of words ------------------------------------------

TEXTS := target/demo-text

demo-text: $(TEXTS)/metrics.csv $(TEXTS)/reviews.hst  ## the whole job on the embedded table of words and made-up sentences
	printf '%s\n' 'The room was lovely, and breakfast was excellent.' 'A terrible phone, I want my money back.' \
	    | $(BIN)/predict $(TEXTS)/reviews.hst -
	@echo "demo-text: report in $(TEXTS)/report.html, metrics in $(TEXTS)/metrics.csv, model in $(TEXTS)/reviews.hst"

$(TEXTS)/reviews.csv: $(BIN)/extract
	@mkdir -p $(TEXTS)
	$(BIN)/make-sample $@ --texts --force

$(TEXTS)/reviews.features/index.json: $(TEXTS)/reviews.csv
	$(BIN)/extract $< -o $(TEXTS)/reviews.features --text-column text --force

$(TEXTS)/reviews.head: $(TEXTS)/reviews.features/index.json
	$(BIN)/fit-head $(TEXTS)/reviews.features -o $@ --force

$(TEXTS)/metrics.csv: $(TEXTS)/reviews.head
	$(BIN)/evaluate $(TEXTS)/reviews.features $< -o $@ --slice topic --report $(TEXTS)/report.html --force

$(TEXTS)/reviews.hst: $(TEXTS)/reviews.head
	$(BIN)/export $< -o $@ --force

# ---- tutorial: VGG16, global average pooling, dense 512, softmax -------------------------------------------------
# make tutorial DATA=photos/ WEIGHTS=vgg16.safetensors

TUTORIAL := target/tutorial
ifneq ($(filter tutorial,$(MAKECMDGOALS)),)
ifeq ($(and $(DATA),$(WEIGHTS)),)
$(error tutorial needs DATA=folder (a folder per class) and WEIGHTS=vgg16.safetensors (torchvision's names))
endif
endif

tutorial: $(TUTORIAL)/metrics.csv $(TUTORIAL)/vgg16.onnx  ## VGG16 as in the classic tutorial: DATA=folder WEIGHTS=vgg16.safetensors

# Holds DATA and WEIGHTS, and changes only when they do: other data means other features.
$(TUTORIAL)/inputs: FORCE
	@mkdir -p $(TUTORIAL)
	@printf '%s\n' "$(DATA)" "$(WEIGHTS)" | cmp -s - $@ || printf '%s\n' "$(DATA)" "$(WEIGHTS)" > $@

$(TUTORIAL)/vgg16.features/index.json: $(BIN)/extract $(TUTORIAL)/inputs
	$(BIN)/extract "$(DATA)" -o $(TUTORIAL)/vgg16.features --backbone vgg16 --tap gap --weights "$(WEIGHTS)" --force

$(TUTORIAL)/vgg16.head: $(TUTORIAL)/vgg16.features/index.json
	$(BIN)/fit-head $(TUTORIAL)/vgg16.features -o $@ --head mlp:512 --epochs 10 --table $(TUTORIAL)/epochs.csv --force

$(TUTORIAL)/metrics.csv: $(TUTORIAL)/vgg16.head
	$(BIN)/evaluate $(TUTORIAL)/vgg16.features $< -o $@ --force

$(TUTORIAL)/vgg16.onnx: $(TUTORIAL)/vgg16.head
	$(BIN)/export $< -o $@ --weights "$(WEIGHTS)" --force

# ---- checks -----------------------------------------------------------------------------------------------------

check:                                 ## formatting, lints, documentation
	$(CARGO) fmt --all --check
	$(CARGO) clippy --release --workspace --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --release --workspace --no-deps --quiet

test:                                  ## every test
	$(CARGO) build --release $(FEATURES)
	$(CARGO) test --release --workspace $(FEATURES)

# Not against known holes, whose list lies on GitHub: the workflow does that.
deny:                                  ## licences and sources of what the programs stand on; says 'skipped' without cargo-deny
	@command -v cargo-deny >/dev/null || \
	    CARGO_PROFILE_RELEASE_OPT_LEVEL=0 CARGO_PROFILE_RELEASE_LTO=off timeout 900 $(CARGO) install --quiet --locked cargo-deny || true
	@if command -v cargo-deny >/dev/null; then \
	    $(CARGO) deny --all-features check licenses bans sources; \
	else \
	    echo "deny: skipped (cargo-deny is not there, and cannot be installed within 15 minutes)"; \
	fi

coverage:                              ## how often intervals hold the truth, by simulation: minutes
	for what in classes rankings extra numbers; do \
	    $(CARGO) run --release -p headstart-metrics --example coverage -- $$what || exit 1; \
	done

reproduce: $(BIN)/extract              ## the demo twice, on 1 and on 2 threads: fails unless the bytes are the same
	pipelines/reproduce.sh

chaos: build                           ## every library call fails, every moment a kill, every input damaged: ONLY='fit csv' for some
	$(CARGO) build --release $(FEATURES)
	$(BIN)/chaos $(ONLY)

# Seconds a parser, and which. What is found new lies in fuzz/target/found; what fails in fuzz/artifacts: mend the fault, and
# keep that file in fuzz/corpus, which `make test` reads.
TIME    ?= 60
PARSERS ?= $(notdir $(wildcard fuzz/corpus/*))

fuzz:                                  ## damaged bytes through every parser, TIME=60 seconds each; installs cargo-fuzz
	command -v cargo-fuzz >/dev/null || $(CARGO) install --locked cargo-fuzz
	cd fuzz && RUSTC_BOOTSTRAP=1 $(CARGO) fuzz build --sanitizer none
	@scratch=$$(mktemp -d $(if $(wildcard /dev/shm),--tmpdir=/dev/shm)) && trap 'rm -rf "$$scratch"' EXIT && cd fuzz && \
	for parser in $(PARSERS); do \
	    mkdir -p target/found/$$parser && \
	    TMPDIR=$$scratch RUSTC_BOOTSTRAP=1 $(CARGO) fuzz run --sanitizer none $$parser target/found/$$parser corpus/$$parser -- \
	        -max_total_time=$(TIME) -max_len=4096 -rss_limit_mb=2048 -timeout=20 -print_final_stats=1 || exit 1; \
	done

bench:                                 ## preparation, kernels, networks: times, and shares of the measured peak
	$(CARGO) bench --workspace --bench prepare --bench kernels
	$(CARGO) bench --workspace --bench networks

# ---- on a card ----------------------------------------------------------------------------------------------------

gpu-kit:                               ## what checks and times a card, for a machine without Rust: target/gpu-kit
	@test -n "$(NVCC)" || { echo "gpu-kit: no nvcc found; see make cuda" >&2; exit 1; }
	NVCC="$(NVCC)" CARGO="$(CARGO)" pipelines/gpu.sh kit
	@touch $(BIN)/extract $(CUDA)

# Without nvcc there is nothing that could run on a card.
gpu-check:                             ## the reference, bits and photographs on a card; says 'skipped' without one
	@test -n "$(NVCC)" || echo "gpu-check: skipped: no nvcc found; see make cuda"
	@test -z "$(NVCC)" || $(MAKE) gpu-kit
	@test -z "$(NVCC)" || pipelines/gpu.sh check

gpu-bench: gpu-kit                     ## times on a card, beside PyTorch
	pipelines/gpu.sh bench

# ---- the report in a browser --------------------------------------------------------------------------------------

CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)

tests/browser/node_modules: tests/browser/package.json
	cd tests/browser && npm install --silent --no-audit --no-fund --no-package-lock
	@touch $@

picture: build                         ## make docs/report.webp, the picture in README; says 'skipped' without Chromium and cwebp
	CHROMIUM="$(CHROMIUM)" pipelines/picture.sh

browser: $(DEMO)/metrics.parquet       ## opens the demo's report in Chromium and uses it; says 'skipped' without node and Chromium
	@if [ -z "$(CHROMIUM)" ] || ! command -v npm >/dev/null; then \
	    echo "browser: skipped: no Chromium or no npm found"; \
	else \
	    $(MAKE) --no-print-directory tests/browser/node_modules && \
	    CHROMIUM="$(CHROMIUM)" node tests/browser/report.mjs $(DEMO)/report.html $(if $(SHOTS),--shots "$(SHOTS)"); \
	fi

# ---- peers: checked against other people's programs; Python runs here and nowhere else but data/backbone ---------------------------

.venv/light: tests/peers/requirements-light.txt
	test -x .venv/bin/python || $(PYTHON) -m venv .venv
	.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

.venv/torch: tests/peers/requirements-torch.txt .venv/light
	.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

peers-light: .venv/light $(BIN)/extract  ## against Pillow, scikit-learn and ONNX Runtime
	tests/peers/run.sh light

peers: .venv/torch $(BIN)/extract      ## those, and PyTorch with torchvision on ../shared's weights and data
	tests/peers/run.sh light
	tests/peers/run.sh torch

.venv/keras: tests/peers/requirements-keras.txt .venv/light
	.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

peers-keras: .venv/keras $(BIN)/extract  ## against Keras
	tests/peers/run.sh keras

# MXNet and GluonCV ask for packages that they do without.
.venv/gluon/installed: tests/peers/requirements-gluon.txt
	$(PYTHON) -m venv .venv/gluon
	.venv/gluon/bin/pip install --quiet --disable-pip-version-check -r $<
	.venv/gluon/bin/pip install --quiet --disable-pip-version-check --no-deps mxnet==1.9.1 gluoncv==0.10.5.post0
	@touch $@

peers-gluon: .venv/gluon/installed $(BIN)/extract  ## against MXNet and GluonCV
	tests/peers/run.sh gluon
