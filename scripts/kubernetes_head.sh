#!/usr/bin/env bash
# Start the head of the Ray cluster as KubeRay would, and the system on it; end both when one of them ends.
#
# KubeRay passes its command in KUBERAY_GEN_RAY_START_CMD, because the head has the annotation
# ray.io/overwrite-container-cmd (docs/kubernetes.md).
set -euo pipefail
: "${RAY_ADDRESS:?is the address of the head}"
bash -c "${KUBERAY_GEN_RAY_START_CMD:?is set by KubeRay}" &
ray=$!
until python -c 'import ray; ray.init("auto", log_to_driver=False)' >/dev/null 2>&1; do
    kill -0 "$ray" || exit 1
    sleep 1
done
memesnipe up &
up=$!
stop() {
    kill -TERM "$up" 2>/dev/null || true
    wait "$up" || true
    kill -TERM "$ray" 2>/dev/null || true
}
trap stop TERM INT
wait -n "$ray" "$up" && code=0 || code=$?
stop
exit "$code"
