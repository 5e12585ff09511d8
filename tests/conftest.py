"""What all tests have in common."""

from __future__ import annotations

import os

from hypothesis import settings

# So many examples make a run of all tests quick; HYPOTHESIS_PROFILE=thorough looks longer.
settings.register_profile("quick", max_examples=30, deadline=None)
settings.register_profile("thorough", max_examples=400, deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
