#!/usr/bin/env bash
# Start the cluster of cluster.yaml on Google Cloud; see docs/operations.md. Options are those of `ray up`.
set -euo pipefail
cd "$(dirname "$0")/.."
ray=${RAY:-.venv/bin/ray} token=$HOME/.ray/auth_token
if grep -q 'project_id: your-project' cluster.yaml; then
    echo "deploy_vm_gcp.sh: write your project's name into cluster.yaml first" >&2
    exit 2
fi
if [ ! -e "$token" ]; then
    echo "deploy_vm_gcp.sh: there is no $token; make one: $ray get-auth-token --generate && chmod 600 $token" >&2
    exit 2
fi
if [ -n "$(find "$token" -perm /077)" ]; then
    echo "deploy_vm_gcp.sh: others can read $token: chmod 600 $token" >&2
    exit 2
fi
exec "$ray" up cluster.yaml "$@"
