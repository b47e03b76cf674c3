"""Live orders on a local chain with faults, whose submission is killed again and again, for tests and a benchmark."""
