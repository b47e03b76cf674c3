"""Embedded Redis and PostgreSQL: real servers from wheels, so that a laptop needs nothing but Python."""
