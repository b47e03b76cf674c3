"""Benchmarks behind `memesnipe bench`."""
