"""Who may come into the embedded PostgreSQL: the owner of the tables, and one who only reads them."""

from pathlib import Path
from typing import Final

NAME: Final = "memesnipe"  # of the database and of its owner
READER: Final = "memesnipe_reader"

# Whoever reads must never hold up those who trade, nor fill the disk.
_READERS_LIMITS: Final = {
    "default_transaction_read_only": "on",
    "statement_timeout": "60s",
    "lock_timeout": "5s",
    "idle_in_transaction_session_timeout": "60s",
    "temp_file_limit": "1GB",
    "work_mem": "16MB",
}


def access_rules() -> str:
    """The text of `pg_hba.conf`: with a password over loopback, and in no other way."""
    return "".join(f"host {NAME} {role} 127.0.0.1/32 scram-sha-256\n" for role in (NAME, READER))


def make_owner(password: str) -> list[str]:
    """Statements that make the database and its owner, who is no superuser: there is no need."""
    return [f"CREATE ROLE {NAME} LOGIN CREATEDB PASSWORD '{password}'", f"CREATE DATABASE {NAME} OWNER {NAME}"]


def make_reader(password: str) -> list[str]:
    """Statements for the database that make the reader, or give the one that is there another password.

    It may select from the tables of the owner, those to come included. Not `pg_read_all_data`: that role reads the
    hashes of passwords too.
    """
    return [
        f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{READER}')"
        f" THEN CREATE ROLE {READER}; END IF; END $$",
        f"ALTER ROLE {READER} LOGIN CONNECTION LIMIT 5 PASSWORD '{password}'",
        *(f"ALTER ROLE {READER} SET {name} = '{value}'" for name, value in _READERS_LIMITS.items()),
        f"REVOKE TEMPORARY ON DATABASE {NAME} FROM PUBLIC",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}",
        f"ALTER DEFAULT PRIVILEGES FOR ROLE {NAME} IN SCHEMA public GRANT SELECT ON TABLES TO {READER}",
    ]


def reader_file(place: Path) -> Path:
    """Where the reader's password is."""
    return place / "reader.password"
