"""Prometheus metrics of one actor, served on a port of their own."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server


class ActorMetrics:
    """What every actor measures, in a registry of its own."""

    def __init__(self, actor: str) -> None:
        self.registry = CollectorRegistry()
        labels = {"actor": actor}
        self._entries = Counter(
            "memesnipe_entries", "Stream entries taken in", ["actor", "stream"], registry=self.registry
        )
        self._failures = Counter(
            "memesnipe_failures", "Times the actor had to recover", ["actor"], registry=self.registry
        ).labels(**labels)
        self._rejections = Counter(
            "memesnipe_events_put_aside",
            "Feed events that were put aside",
            ["actor", "category"],
            registry=self.registry,
        )  # fmt: skip
        self._seq = Gauge(
            "memesnipe_seq", "Number of the last event known to the actor", ["actor"], registry=self.registry
        ).labels(**labels)
        self._seconds = Histogram(
            "memesnipe_commit_seconds", "Time from entries read to effects committed", ["actor"],
            registry=self.registry,
        ).labels(**labels)  # fmt: skip
        self._actor = actor

    def took_in(self, stream: str, count: int) -> None:
        """Entries of a stream were taken in."""
        self._entries.labels(actor=self._actor, stream=stream).inc(count)

    def rejected_event(self, category: str) -> None:
        """An event of the feed was put aside."""
        self._rejections.labels(actor=self._actor, category=category).inc()

    def committed(self, seq: int, seconds: float) -> None:
        """A commit up to event ``seq`` took so long."""
        self._seq.set(seq)
        self._seconds.observe(seconds)

    def failed(self) -> None:
        """The actor met an error and has to recover."""
        self._failures.inc()

    def serve(self, port: int) -> int:
        """Serve on 127.0.0.1; the port it became, another one where the wanted one is taken."""
        for wanted in (port, 0):
            try:
                server, _ = start_http_server(wanted, addr="127.0.0.1", registry=self.registry)
            except OSError:
                continue
            return int(server.server_port)
        return 0
