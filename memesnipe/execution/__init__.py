"""Execution: the port to a venue, and the paper venue."""
