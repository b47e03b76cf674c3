#!/usr/bin/env bash
# Show the health of the running system until Ctrl-C; with --once exit with 1 unless it is healthy.
set -euo pipefail
cd "$(dirname "$0")/.."
exec "${MEMESNIPE:-.venv/bin/memesnipe}" monitor "$@"
