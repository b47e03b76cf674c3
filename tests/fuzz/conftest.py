"""The profile of long runs: new cases every time, and failures are kept in .hypothesis to be tried first."""

from hypothesis import settings

from tests.fuzz.framework import CASES

settings.register_profile("fuzz", max_examples=CASES, deadline=None, print_blob=True)
