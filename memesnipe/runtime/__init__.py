"""The composition root: starts and stops everything that a command needs, in order."""
