"""Roles: the work of each actor, in plain classes without Ray."""
