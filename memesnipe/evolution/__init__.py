"""Evolution: the genetic search over genomes; callers run the evaluations."""
