"""Instructions of the programs with which this system trades: typed, encoded and decoded."""
