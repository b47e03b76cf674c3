"""Embedded Redis and PostgreSQL: real servers out of wheels, so that a laptop needs nothing but Python."""
