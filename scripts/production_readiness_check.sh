#!/usr/bin/env bash
# Check that this machine is ready for production; see docs/operations.md. Options are those of `memesnipe doctor`.
set -euo pipefail
cd "$(dirname "$0")/.."
exec "${MEMESNIPE:-.venv/bin/memesnipe}" doctor --production "$@"
