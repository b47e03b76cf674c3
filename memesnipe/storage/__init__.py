"""Storage: PostgreSQL, the system of record (tables, migrations, writes, queries), event log and snapshot files."""
