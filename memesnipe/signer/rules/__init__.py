"""Rules for the instructions of each program that may be signed; what no rule allows is refused."""
