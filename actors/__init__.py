"""The Ray actors: one process each, which runs a role of `memesnipe.roles` and communicates over Redis streams."""
