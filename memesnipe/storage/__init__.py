"""PostgreSQL, the truth: tables, migrations, and what is written and read there."""
