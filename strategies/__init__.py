"""The strategies that come with MemeSnipe: one file a family, discovered by name."""
