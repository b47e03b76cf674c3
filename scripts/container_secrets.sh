#!/usr/bin/env bash
# Create the passwords of docker-compose.yml in secrets/, once; for Kubernetes see docs/kubernetes.md.
#
#     scripts/container_secrets.sh [HOST_OF_REDIS HOST_OF_POSTGRES]
#
# Only their owner can enter the folder. The files in it are readable, because containers read them as other users.
set -euo pipefail
redis=${1:-redis} postgres=${2:-postgres}
if [ -e secrets ]; then
    echo "secrets/ exists already: nothing is changed" >&2
    exit 0
fi
mkdir -m 0700 secrets
for name in redis postgres grafana; do
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > "secrets/${name}_password"
done
cat > secrets/memesnipe.env <<END
REDIS_URL=redis://:$(cat secrets/redis_password)@$redis:6379/0
DATABASE_URL=postgresql://memesnipe:$(cat secrets/postgres_password)@$postgres:5432/memesnipe
END
chmod 0644 secrets/*
