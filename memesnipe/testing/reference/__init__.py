"""The reference engine: a slow, independent second implementation of the engine, for comparison."""
