"""The commands of `memesnipe`."""
