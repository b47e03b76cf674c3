"""Prometheus metrics of one actor, served on a separate port."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server


class ActorMetrics:
    """The metrics of an actor, in a separate registry."""

    def __init__(self, actor: str) -> None:
        self.registry = CollectorRegistry()
        labels = {"actor": actor}
        self._entries = Counter(
            "memesnipe_entries", "Stream entries consumed", ["actor", "stream"], registry=self.registry
        )
        self._failures = Counter(
            "memesnipe_failures", "Times the actor had to recover", ["actor"], registry=self.registry
        ).labels(**labels)
        self._rejections = Counter(
            "memesnipe_events_put_aside",
            "Feed events that were rejected",
            ["actor", "category"],
            registry=self.registry,
        )  # fmt: skip
        self._feed = {
            name: Gauge(f"memesnipe_feed_{name}", help_text, ["actor", "feed"], registry=self.registry)
            for name, help_text in (
                ("queued", "Events received from a live feed and not taken yet"),
                ("full", "Times that a live feed was paused because its queue was full, since it was opened"),
                ("failures", "Times that the connection of a live feed failed, since it was opened"),
                ("rejected", "Payloads of a live feed that had no usable message, since it was opened"),
                ("late", "Events of a live feed that were given the time of an earlier one, since it was opened"),
            )
        }
        self._seq = Gauge(
            "memesnipe_seq", "Sequence number of the last event consumed", ["actor"], registry=self.registry
        ).labels(**labels)
        self._seconds = Histogram(
            "memesnipe_commit_seconds", "Time from entries read to effects committed", ["actor"],
            registry=self.registry,
        ).labels(**labels)  # fmt: skip
        self._actor = actor

    def add_entries(self, stream: str, count: int) -> None:
        """Count consumed entries of a stream."""
        self._entries.labels(actor=self._actor, stream=stream).inc(count)

    def add_rejection(self, category: str) -> None:
        """Count a rejected event of the feed."""
        self._rejections.labels(actor=self._actor, category=category).inc()

    def record_feed(self, feed: str, *, queued: int, full: int, failures: int, rejected: int, late: int) -> None:
        """Record the condition of a live feed."""
        values = {"queued": queued, "full": full, "failures": failures, "rejected": rejected, "late": late}
        for name, value in values.items():
            self._feed[name].labels(actor=self._actor, feed=feed).set(value)

    def record_commit(self, seq: int, seconds: float) -> None:
        """Record a commit up to event ``seq``, and its duration."""
        self._seq.set(seq)
        self._seconds.observe(seconds)

    def add_failure(self) -> None:
        """Count an error that the actor has to recover from."""
        self._failures.inc()

    def serve(self, port: int) -> int:
        """Serve on 127.0.0.1; return the port, another one if ``port`` is taken, or 0 if none is free."""
        for candidate in (port, 0):
            try:
                server, _ = start_http_server(candidate, addr="127.0.0.1", registry=self.registry)
            except OSError:
                continue
            return int(server.server_port)
        return 0
