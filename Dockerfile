# MemeSnipe, for `docker compose` and as the image of all Ray nodes on Kubernetes (docs/kubernetes.md).
# KubeRay needs bash, and wget for its probes of readiness.

FROM python:3.11.13-slim-bookworm AS build
WORKDIR /app
COPY scripts/install.sh scripts/install.sh
COPY pyproject.toml constraints.txt LICENSE README.md serve_app.py ./
COPY actors actors
COPY strategies strategies
COPY memesnipe memesnipe
RUN bash scripts/install.sh /app/.venv python3

FROM python:3.11.13-slim-bookworm
RUN apt-get update \
    && apt-get install -y --no-install-recommends bash procps tini wget \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 1000 memesnipe \
    && useradd --uid 1000 --gid 1000 --create-home --shell /bin/bash memesnipe \
    && install -d -o memesnipe -g memesnipe -m 0700 /data
COPY --from=build /app /app
COPY scripts/kubernetes_head.sh /app/scripts/kubernetes_head.sh
ENV PATH=/app/.venv/bin:$PATH \
    LOG_COPY=/proc/1/fd/1 \
    MEMESNIPE_HOME=/data \
    PYTHONDONTWRITEBYTECODE=1 \
    RAY_USAGE_STATS_ENABLED=0
USER memesnipe
WORKDIR /home/memesnipe
# Compiled code is valid for the processor that it was compiled on; on another kind the first start compiles again.
RUN python -m memesnipe.engine.warm
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=5m --retries=6 \
    CMD ["wget", "--quiet", "--output-document=/dev/null", "http://127.0.0.1:8080/api/health"]
ENTRYPOINT ["tini", "--"]
CMD ["memesnipe", "up"]
