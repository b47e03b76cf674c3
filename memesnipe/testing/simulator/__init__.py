"""The simulator: all roles of one run in one process, on a simulated machine whose every step a seed chooses."""
