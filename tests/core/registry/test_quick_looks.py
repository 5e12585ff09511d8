"""The quick look at what a plugin's functions do says what the one at each instruction does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

import musterroll
import musterroll_plugins
from musterroll.registry.guards import built

_FORGOTTEN = """
def rule(row):
    row.problem("email", "x", "y")
    Problem("x")
    return [row.problem("email", "x", "y")]
def empty(row):
    yield row.problem("email", "x", "y")
    return None
def early(row):
    if row:
        return 3
    yield Problem("x")
"""


def codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from codes(one)


@pytest.mark.parametrize("package", [musterroll, musterroll_plugins], ids=lambda one: str(one.__name__))
def test_both_looks_say_the_same(package: object, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path(str(package.__file__)).parent  # type: ignore[attr-defined]
    texts = [_FORGOTTEN, *(path.read_text() for path in sorted(folder.rglob("*.py"))[::8])]
    many = f"def many(row):\n    x = [{', '.join(map(str, range(1000, 1300)))}]\n    return None\n"
    found = [one for text in [*texts, many] for one in codes(compile(text, "a file", "exec"))]
    drops, returns = built._drops_problem.__wrapped__, built._returns_a_value.__wrapped__
    quick = [(drops(one), returns(one)) for one in found]
    assert {bool(line) for line, _ in quick} == {has for _, has in quick} == {True, False}
    monkeypatch.setattr(built, "_DROPS", re.compile(b""))
    monkeypatch.setattr(built, "_returns_nothing", lambda code: False)
    assert [(drops(one), returns(one)) for one in found] == quick
