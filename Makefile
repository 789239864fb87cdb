# The two commands of the README: `make demo` and `make test`. Everything else serves whoever works on policyc.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Kernel tests wait for packets that do not come: one worker more than there are processors keeps those busy.
WORKERS := $(shell expr $$(nproc) + 1)
EXAMPLE := examples/web-server.pol
DEBIAN := iptables nftables ipset iproute2 tcpdump chromium
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] || command -v sudo)

.PHONY: demo test lint packages benchmark goldens clean

demo: $(VENV)/.installed
	$(BIN)/policyc check $(EXAMPLE)
	$(BIN)/policyc compile $(EXAMPLE) --family 4
	$(BIN)/policyc explain $(EXAMPLE) 'tcp 198.51.100.9 -> self:22 in net'

test: $(VENV)/.developer packages lint
	$(BIN)/pytest -n $(WORKERS) --dist loadfile

lint: $(VENV)/.developer
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

# What the kernel tests load rules and read packets with, and the browser of the page's tests. Nothing is installed where the programs are there already.
packages:
	@for program in iptables-nft-restore iptables-legacy-restore nft ipset ip tcpdump chromium; do \
	  PATH="$$PATH:/usr/sbin:/sbin" command -v $$program >/dev/null || missing=1; done; \
	if [ -n "$$missing" ]; then \
	  $(AS_ROOT) apt-get update -q && DEBIAN_FRONTEND=noninteractive $(AS_ROOT) apt-get install -q -y --no-install-recommends $(DEBIAN); fi

benchmark: $(VENV)/.developer packages
	$(BIN)/python -m benchmarks

# Rewrite the golden files from what the program prints now; read the difference before you commit it.
goldens: $(VENV)/.developer
	$(BIN)/pytest tests/golden --update-golden

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "policyc needs Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { $(AS_ROOT) apt-get update -q && DEBIAN_FRONTEND=noninteractive $(AS_ROOT) apt-get install -q -y python3-venv; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(BIN)/python pyproject.toml grammar/policy.lark
	$(BIN)/pip install --quiet --disable-pip-version-check -e .
	@touch $@

$(VENV)/.developer: $(BIN)/python pyproject.toml grammar/policy.lark
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@ $(VENV)/.installed

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
