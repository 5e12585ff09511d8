"""The script that brings catalogues of translations up to date, as tests ask it."""

from __future__ import annotations

from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


@cache
def catalogues() -> Any:
    """The script as a module."""
    spec = spec_from_file_location("docs_catalogues", ROOT / "docs" / "catalogues.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
