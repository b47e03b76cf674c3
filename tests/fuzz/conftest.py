"""The profile of long runs: new cases every time, and failures are kept in .hypothesis to be tried first."""

from hypothesis import settings

settings.register_profile("fuzz", deadline=None, print_blob=True)
