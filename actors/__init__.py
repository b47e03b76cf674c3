"""The five actors: thin shells around the core, one process each, that speak through Redis streams."""
