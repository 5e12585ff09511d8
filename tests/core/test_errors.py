from __future__ import annotations

import re

from musterroll import errors
from musterroll.errors import Mistake, MusterrollError, PipelineError, PluginError


def drawn() -> dict[str, tuple[str | None, str]]:
    """The tree at the head of the module: each class with its parent, and what is said of it."""
    assert errors.__doc__ is not None
    tree: dict[str, tuple[str | None, str]] = {}
    above: list[str] = []
    for line in errors.__doc__.splitlines():
        match = re.fullmatch(r"    ((?:[│ ]   )*(?:[├└]── )?)(\w+Error) +(\S.*)", line)
        if match:
            depth = len(match[1]) // 4
            above[depth:] = [match[2]]
            tree[match[2]] = (above[depth - 1] if depth else None, match[3])
    return tree


def test_the_tree_is_the_one_that_is_drawn() -> None:
    classes = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, MusterrollError)]
    parents = {
        one.__name__: one.__base__.__name__ if one is not MusterrollError and one.__base__ else None for one in classes
    }
    assert {name: parent for name, (parent, _) in drawn().items()} == parents
    assert set(errors.__all__) == {*parents, "Mistake", "JobInterrupted"}


def test_every_error_has_a_code_of_its_own() -> None:
    codes = [getattr(errors, name).code for name in drawn()]
    assert len(set(codes)) == len(codes)


def test_a_message_and_its_code() -> None:
    error = errors.SourceError("staff.xlsx does not exist", code="source.not_found")
    assert (str(error), error.message, error.code) == (*["staff.xlsx does not exist"] * 2, "source.not_found")
    assert errors.SourceError("x").code == "source.unreadable"


def test_a_plugin_that_broke_is_named_with_stage_and_row() -> None:
    error = PluginError(plugin="validators[acme]", stage="validating", cause=ZeroDivisionError("by zero"), row=7)
    assert str(error) == "validators[acme] broke while validating, row 7: ZeroDivisionError: by zero"
    assert str(PluginError(plugin="backend", stage="starting", cause="gone")) == "backend broke while starting: gone"


def test_all_mistakes_of_a_pipeline_are_told() -> None:
    error = PipelineError([Mistake("on_error", "is no choice", "acme.toml"), Mistake("", "is no TOML", "base.toml")])
    assert str(error).splitlines() == ["acme.toml: on_error: is no choice", "base.toml: is no TOML"]
    assert len(error.mistakes) == 2
