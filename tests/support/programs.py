"""Tests that need a program of others: without it they are skipped, with the reason.

CI installs all of them and sets MUSTERROLL_REQUIRE_PROGRAMS: there a program that is missing is a failure.
"""

from __future__ import annotations

import os
import shutil
from typing import NoReturn

import pytest

_ARE_REQUIRED = bool(os.environ.get("MUSTERROLL_REQUIRE_PROGRAMS"))


def needs(missing: str | None) -> pytest.MarkDecorator:
    """A mark of tests that need something.

    Args:
        missing: what is missing, in words; None where nothing is.
    """
    return pytest.mark.skipif(missing is not None and not _ARE_REQUIRED, reason=str(missing))


def needs_program(program: str, name: str) -> pytest.MarkDecorator:
    """A mark of tests that start a program."""
    return needs(None if shutil.which(program) else f"{name} is not installed")


def do_without(missing: str) -> NoReturn:
    """Skips the test that is running, as something that it needs is missing."""
    if _ARE_REQUIRED:
        pytest.fail(missing)
    pytest.skip(missing)
