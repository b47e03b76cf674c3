#!/usr/bin/env bash
# Install MemeSnipe into a virtual environment, with "dev" including the tools of tests and lint.
#
#     scripts/install.sh VENV PYTHON [dev]
#
# uv takes seconds. pip installs uv from the package index; if uv is not available or cannot reach the index (it does
# not read pip's configuration), pip installs everything. Both compile the sources to bytecode: where Python must not
# write it (PYTHONDONTWRITEBYTECODE, as in many containers), every process of Ray would compile them again.
set -euo pipefail
venv=$1 python=$2 extra=${3:-}
# "compat" adds one folder to the path instead of an import finder, which would slow every start of Python.
wanted=(-c constraints.txt -e ".${extra:+[$extra]}" --config-settings editable_mode=compat)
what=${extra:+with the tools of tests and lint}

if ! "$venv/bin/python" -c pass 2>/dev/null; then
    echo "Making $venv with $python ..." >&2
    "$python" -m venv "$venv"
fi
"$venv/bin/python" -c 'import pip' 2>/dev/null || "$venv/bin/python" -m ensurepip >/dev/null
pip() { "$venv/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }

start=$SECONDS
echo "Installing MemeSnipe ${what:-and its dependencies} (about half a minute the first time) ..." >&2
if ! "$venv/bin/uv" --version >/dev/null 2>&1 && ! pip install -c constraints.txt uv; then
    echo "uv is not available: installing with pip, in about two minutes ..." >&2
    pip install "${wanted[@]}"
elif ! "$venv/bin/uv" pip install --quiet --compile-bytecode --python "$venv/bin/python" "${wanted[@]}"; then
    echo "uv failed: installing with pip, in about two minutes ..." >&2
    pip install "${wanted[@]}"
fi
echo "Installed in $((SECONDS - start)) s." >&2
