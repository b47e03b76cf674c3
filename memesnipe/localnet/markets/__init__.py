"""What trades on the local chain: the trades of a tape, or generated ones."""
