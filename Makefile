# Two commands: make demo, make test. Each works from a fresh clone and installs what it needs.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
BUILD  := setup.py pyproject.toml constraints.txt $(shell find cpp/include cpp/bindings -type f)

# The models here are small: a thread each is faster than sharing one product among cores.
export OMP_NUM_THREADS ?= 1
export TOKENIZERS_PARALLELISM := false

CXX    ?= g++
STRICT := -std=c++17 -O1 -g -ffp-contract=off -Wall -Wextra -Werror -Icpp/include -pthread
ADDRESS := -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_SECONDS ?= 60

.PHONY: demo test test-verl lint bench docs release-check audit sanitize fuzz clean

demo: $(VENV)/train.installed
	$(BIN)/ospo train --data shop --output_dir runs/demo --overwrite
	$(BIN)/ospo explain --model runs/demo

test: $(VENV)/dev.installed
	$(BIN)/python -m pytest

# verl wants an older transformers, so it has an environment of its own. Its extra brings
# pytest-asyncio, which warns of settings that nothing here uses.
test-verl: .venv-verl/verl.installed
	.venv-verl/bin/python -m pytest -p no:asyncio tests/verl ospo/train/verl

lint: $(VENV)/dev.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest --mypy-config-file pyproject.toml --allowlist .ci/stubtest-allowlist owen_core._core
	$(BIN)/clang-format --dry-run --Werror $$(find cpp benchmarks -name '*.[ch]pp')
	$(BIN)/codespell *.md changelog.d owen_core ospo cpp tests benchmarks docs
	$(BIN)/zizmor --offline --quiet .github

# ICECAT=DIR adds the collection in that folder, without which only the generated shop is measured.
bench: $(VENV)/dev.installed
	for script in exact sampling callback cache retrieval dense align advantage step loaders; do $(BIN)/python benchmarks/core/$$script.py || exit; done
	$(BIN)/python benchmarks/claims/sampling.py
	$(BIN)/python benchmarks/claims/first_training.py
	for script in worklist segmentation; do $(BIN)/python benchmarks/claims/$$script.py $(ICECAT:%=--icecat %) || exit; done
	for data in shop $(ICECAT:%=icecat:%); do \
	  for script in dense retrievers; do $(BIN)/python benchmarks/claims/$$script.py --data $$data || exit; done; \
	  for module in credit_quality faults; do $(BIN)/python -m benchmarks.claims.$$module run --data $$data || exit; done; \
	done
	$(BIN)/python -m benchmarks.claims.learning.proxy --store
	$(BIN)/python -m benchmarks.claims.bias
	$(BIN)/python -m benchmarks.claims.clue_game

# Every tutorial is run again: sphinx-gallery would not notice that the code it calls has changed.
docs: $(VENV)/docs.installed
	rm -rf docs/auto_tutorials
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs build/docs
	@echo "build/docs/index.html"

release-check: $(VENV)/dev.installed
	$(BIN)/python .ci/release_check.py

# A version that cannot be looked up is a failure here, never a pass.
audit:
	test -d build/audit || $(PYTHON) -m venv build/audit
	build/audit/bin/python -m pip --disable-pip-version-check install pip-audit==2.10.1
	build/audit/bin/pip-audit --strict --disable-pip --no-deps -r constraints.txt
	build/audit/bin/pip-audit --strict --disable-pip --no-deps -r constraints-verl.txt

sanitize:
	@mkdir -p build
	for test in core estimators; do \
	  $(CXX) $(STRICT) $(ADDRESS) cpp/tests/test_$$test.cpp -o build/test_address && build/test_address || exit; \
	done
	$(CXX) $(STRICT) -fsanitize=thread cpp/tests/test_core.cpp -o build/test_thread && build/test_thread

fuzz:
	@mkdir -p build
	$(CXX) $(STRICT) $(ADDRESS) -DSTANDALONE cpp/tests/fuzz_core.cpp -o build/fuzz_core
	build/fuzz_core $(FUZZ_SECONDS)

clean:
	rm -rf build dist docs/auto_tutorials *.egg-info owen_core/*.so $(VENV) .venv-verl

.venv-verl/verl.installed: $(BUILD) constraints-verl.txt
	test -d .venv-verl || $(PYTHON) -m venv .venv-verl
	.venv-verl/bin/python -m pip --disable-pip-version-check install -c constraints-verl.txt \
	  -e ".[verl]" hypothesis pytest pytest-timeout
	@touch $@

$(VENV)/%.installed: $(BUILD)
	test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(PIP) install -c constraints.txt -e ".[$*]"
	@touch $@
