"""A slow second implementation of the engine, written independently, to compare against."""
