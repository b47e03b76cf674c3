"""Statistics of returns."""
