#!/usr/bin/env bash
# Install MemeSnipe, check the machine, and run the system in the background. Options are those of `memesnipe up`.
set -euo pipefail
cd "$(dirname "$0")/.."
make .venv/installed
scripts/production_readiness_check.sh
make up UP="--detach $*"
