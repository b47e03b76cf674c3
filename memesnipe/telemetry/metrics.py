"""Prometheus metrics of one actor, served on a separate port."""

import time
from pathlib import Path
from typing import Final

import psutil
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from memesnipe.telemetry.catalogue import CAUSES, PREFIX, metrics_of
from memesnipe.telemetry.machine import disk_ratio, memory_ratio

LOOPBACK: Final = "127.0.0.1"


class ActorMetrics:
    """The metrics of an actor, in a separate registry.

    A metric is addressed by its name in `memesnipe.telemetry.catalogue`; one that the actor does not export is a
    KeyError, and a label that it does not have a ValueError.
    """

    def __init__(self, actor: str) -> None:
        self.registry = CollectorRegistry()
        self._actor = actor
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, Histogram] = {}
        for metric in metrics_of(actor):
            name, labels = PREFIX + metric.name, ("actor", *metric.labels)
            match metric.kind:
                case "counter":
                    self._counters[metric.name] = Counter(name, metric.meaning, labels, registry=self.registry)
                case "gauge":
                    self._gauges[metric.name] = Gauge(name, metric.meaning, labels, registry=self.registry)
                case "histogram":
                    self._histograms[metric.name] = Histogram(
                        name, metric.meaning, labels, buckets=metric.buckets, registry=self.registry
                    )

    def add(self, name: str, amount: float = 1.0, **labels: str) -> None:
        """Increase a counter."""
        self._counters[name].labels(actor=self._actor, **labels).inc(amount)

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        self._gauges[name].labels(actor=self._actor, **labels).set(value)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Add a duration to a histogram."""
        self._histograms[name].labels(actor=self._actor, **labels).observe(seconds)

    def watch_process(self, folder: Path) -> None:
        """Measure this process, its machine and the disk of a folder whenever the metrics are read."""
        process = psutil.Process()
        for cause in CAUSES:  # from 0, so that a query sees the first failure as an increase
            self.add("failures", 0, cause=cause)
        self.set("start_time_seconds", time.time())  # of this actor: Ray keeps worker processes ready
        for name, measure in (
            ("memory_bytes", lambda: float(process.memory_info().rss)),
            ("machine_memory_ratio", memory_ratio),
            ("disk_used_ratio", lambda: disk_ratio(folder)),
        ):
            self._gauges[name].labels(actor=self._actor).set_function(measure)

    def serve(self, port: int, address: str = LOOPBACK) -> int:
        """Serve at an address; return the port, another one if ``port`` is taken, or 0 if none is free."""
        for candidate in (port, 0):
            try:
                server, _ = start_http_server(candidate, addr=address, registry=self.registry)
            except OSError:
                continue
            return int(server.server_port)
        return 0
