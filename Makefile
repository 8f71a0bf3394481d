# `make run` starts tunebot on this machine, `make test` runs every check. Each sets itself up.

VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
UV := $(shell command -v uv 2>/dev/null)

.PHONY: run test format bench clean

run: $(VENV)/ready-to-run
	@$(BIN)/tunebot run

test: $(VENV)/ready-to-test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest

format: $(VENV)/ready-to-test
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: $(VENV)/ready-to-test
	$(BIN)/python -m benchmarks

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(VENV)/ready-to-run: pyproject.toml | $(VENV)/bin/python
	@echo "Setting up in $(VENV), once: half a minute …"
	@$(call install,.[local])
	@touch $@

$(VENV)/ready-to-test: pyproject.toml | $(VENV)/bin/python
	@echo "Setting up in $(VENV), once: half a minute …"
	@$(call install,.[local$(comma)test])
	@$(BROWSER)
	@$(ORACLE)
	@$(TORCH)
	@touch $@ $(VENV)/ready-to-run

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "tunebot needs Python 3.11 or later: install it, then call make again."; exit 2; }
ifdef UV
	@uv venv --quiet --python "$(PYTHON)" $(VENV)
else
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "This Python cannot make virtual environments; on Debian: apt install python3-venv."; exit 2; }
endif

# The page is tested in Debian's Chromium; where it cannot be installed, those tests are skipped.
BROWSER := command -v chromium >/dev/null || { \
	command -v apt-get >/dev/null && [ "$$(id -u)" = 0 ] && echo "Installing Chromium …" && \
	apt-get -qq update >/dev/null && DEBIAN_FRONTEND=noninteractive \
	apt-get -qq install --no-install-recommends chromium >/dev/null 2>&1; \
	} || echo "Without Chromium the tests of the page are skipped: apt install chromium."

# The tool that preparation is compared with, in an environment of its own.
ORACLE := test -e $(VENV)/oracle/ready || { echo "Installing openai 0.28.1 to compare with …" && \
	$(PYTHON) -m venv $(VENV)/oracle && $(VENV)/oracle/bin/python -m pip install --quiet \
	--disable-pip-version-check openai==0.28.1 pandas==2.3.3 numpy==2.4.6 openpyxl==3.1.5 \
	>/dev/null 2>&1 && touch $(VENV)/oracle/ready; } || echo "Without openai 0.28.1 its comparison is skipped."

# What trains bigger models, in an environment of its own; only where pip has torch at hand, which
# is hundreds of megabytes. Elsewhere: the same commands without --no-index.
TORCH_PIP := $(VENV)/torch/bin/python -m pip install --quiet --disable-pip-version-check --no-compile
TORCH := test -e $(VENV)/torch/ready || { $(PYTHON) -m venv --clear $(VENV)/torch && \
	$(TORCH_PIP) --no-index --no-deps torch==2.13.0 >/dev/null 2>&1 && echo "Installing torch …" && \
	$(TORCH_PIP) torch==2.13.0 transformers==5.23.0 peft==0.21.2 trl==1.16.0 gguf==0.19.0 \
	'pydantic>=2.10,<3' 'filelock>=3.16,<5' >/dev/null 2>&1 && \
	$(TORCH_PIP) --no-deps --editable . >/dev/null 2>&1 && touch $(VENV)/torch/ready; } || { \
	rm -rf $(VENV)/torch; echo "Without torch 2.13.0 the tests of its engine are skipped."; }

comma := ,
ifdef UV
install = uv pip install --quiet --python $(VENV)/bin/python --editable '$(1)'
else
install = $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '$(1)'
endif
