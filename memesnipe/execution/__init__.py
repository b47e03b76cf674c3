"""Execution: the port to a venue, the paper venue, and the core's half of a venue that reports."""
