#!/usr/bin/env bash
# Install MemeSnipe into a virtual environment: what running needs, or with "dev" the tools of tests and lint too.
#
#     scripts/install.sh VENV PYTHON [dev]
#
# uv does it in seconds. Pip brings uv from the package index; where uv cannot be had or does not get through (it does
# not read pip's own configuration), pip installs everything itself.
set -euo pipefail
venv=$1 python=$2 extra=${3:-}
# One folder on the path, not a finder in each start of Python.
wanted=(-c constraints.txt -e ".${extra:+[$extra]}" --config-settings editable_mode=compat)
what=${extra:+with the tools of tests and lint}

if ! "$venv/bin/python" -c pass 2>/dev/null; then
    echo "Making $venv with $python ..." >&2
    "$python" -m venv "$venv"
fi
"$venv/bin/python" -c 'import pip' 2>/dev/null || "$venv/bin/python" -m ensurepip >/dev/null
pip() { "$venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }

start=$SECONDS
echo "Installing MemeSnipe ${what:-and what running needs} (about half a minute the first time) ..." >&2
if ! "$venv/bin/uv" --version >/dev/null 2>&1 && ! pip install -c constraints.txt uv; then
    echo "uv cannot be had here: pip installs instead, in about two minutes ..." >&2
    pip install "${wanted[@]}"
elif ! "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" "${wanted[@]}"; then
    echo "uv does not get through: pip installs instead, in about two minutes ..." >&2
    pip install "${wanted[@]}"
fi
echo "Installed in $((SECONDS - start)) s." >&2
