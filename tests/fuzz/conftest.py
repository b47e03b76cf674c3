"""The profile of long runs: new cases each time; failures are stored in .hypothesis and tried first."""

from hypothesis import settings

from tests.fuzz.framework import CASES

settings.register_profile("fuzz", max_examples=CASES, deadline=None, print_blob=True)
