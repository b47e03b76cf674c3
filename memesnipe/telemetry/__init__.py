"""Logs and metrics of the system."""
