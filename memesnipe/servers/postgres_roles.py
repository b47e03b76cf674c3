"""The roles of the embedded PostgreSQL: the owner of the tables, and a read-only role."""

from pathlib import Path
from typing import Final

NAME: Final = "memesnipe"  # of the database and of its owner
READER: Final = "memesnipe_reader"

# A read-only query must not delay trading, nor fill the disk.
_READER_LIMITS: Final = {
    "default_transaction_read_only": "on",
    "statement_timeout": "60s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "60s",
    "temp_file_limit": "1GB",
    "work_mem": "16MB",
}


def access_rules() -> str:
    """Return the text of `pg_hba.conf`: only connections over loopback with a password."""
    return "".join(f"host {NAME} {role} 127.0.0.1/32 scram-sha-256\n" for role in (NAME, READER))


def make_owner(password: str) -> list[str]:
    """Return statements that create the database and its owner, which is not a superuser."""
    return [f"CREATE ROLE {NAME} LOGIN CREATEDB PASSWORD '{password}'", f"CREATE DATABASE {NAME} OWNER {NAME}"]


def make_reader(password: str) -> list[str]:
    """Return statements for the database that create the read-only role, or set the existing role's password.

    The role may select from the owner's tables, future ones included. It does not get `pg_read_all_data`, which can
    also read the hashes of passwords.
    """
    return [
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{READER}')"
        f" THEN CREATE ROLE {READER}; END IF; END $$",
        f"ALTER ROLE {READER} LOGIN CONNECTION LIMIT 5 PASSWORD '{password}'",
        *(f"ALTER ROLE {READER} SET {name} = '{value}'" for name, value in _READER_LIMITS.items()),
        f"REVOKE TEMPORARY ON DATABASE {NAME} FROM PUBLIC",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {NAME} IN SCHEMA public GRANT SELECT ON TABLES TO {READER}",
    ]


def reader_file(location: Path) -> Path:
    """Return the path of the read-only role's password."""
    return location / "reader.password"
