"""The bus: Redis streams that carry copies of what PostgreSQL and the event log hold."""
