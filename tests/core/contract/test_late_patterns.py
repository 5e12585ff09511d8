"""A pattern that is compiled when it is first used finds what any other one does."""

from __future__ import annotations

import re

import pytest

from musterroll.contract.late_patterns import late_pattern


def test_it_finds_what_a_compiled_one_does() -> None:
    late, compiled = late_pattern(r"(?P<letter>a)b", re.IGNORECASE), re.compile(r"(?P<letter>a)b", re.IGNORECASE)
    for _ in range(2):  # the first time, and later
        found = late.search("xAB")
        assert found is not None
        assert found["letter"] == "A"
        assert late.sub("-", "abAB") == compiled.sub("-", "abAB")
    assert (late.pattern, late.flags, late.groupindex) == (compiled.pattern, compiled.flags, compiled.groupindex)


def test_it_is_compiled_when_it_is_used() -> None:
    broken = late_pattern("(")
    with pytest.raises(re.error):
        broken.search("")
