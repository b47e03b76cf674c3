"""The composition root: start and stop the parts that a command needs, in order."""
