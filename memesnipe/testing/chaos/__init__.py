"""Fault injection into a running system, and the comparison with an undisturbed baseline."""
