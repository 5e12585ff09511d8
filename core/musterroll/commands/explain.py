"""`explain`: what a code of a problem or an error means."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from musterroll.contract.text import did_you_mean
from musterroll.errors import UsageError

_ANY_FIELD = "FIELD"


class Explanation(NamedTuple):
    """What a code means. Its texts mark what stands in a file or on a command line with backquotes.

    Attributes:
        code: as asked for, e.g. `forename.required`.
        place: where it comes up: `file`, `rows`, `cells`, `values`, `portal`, `undo`; `errors` for those of commands.
        severity: `error`, `warning` or `error or warning`; None for an error of a command.
        exit_statuses: of the command; none for a problem.
        when: when it comes up; of an error of a command also what to do.
        advice: what to do about a problem.
        example: what has it.
    """

    code: str
    place: str
    severity: str | None
    exit_statuses: tuple[int, ...]
    when: str
    advice: str | None = None
    example: str | None = None


def explain(code: str) -> tuple[Explanation, ...]:
    """Says what a code means; several times where it comes up in places that have little in common.

    Raises:
        UsageError: there is no such code.
    """
    known = explanations()
    field, _, rule = code.partition(".")
    for name in (code, f"{_ANY_FIELD}.{rule}"):
        if found := tuple(one._replace(code=code) for one in known if one.code == name):
            return found
    names = [one.code for one in known if field == _ANY_FIELD or not one.code.startswith(f"{_ANY_FIELD}.")]
    raise UsageError(
        f'there is no code "{code}"{did_you_mean(code, names) or "; see the message of the problem"}',
        code="code.unknown",
    )


@cache
def explanations() -> tuple[Explanation, ...]:
    """Returns what all codes mean, in the order of the documentation."""
    return tuple(_read())


def _read() -> Iterator[Explanation]:
    text = files("musterroll.commands").joinpath("codes.toml").read_text(encoding="utf-8")
    for place, codes in tomllib.loads(text).items():
        for code, said in codes.items():
            for name in filter(None, (code, said.get("also"))):
                yield Explanation(
                    name,
                    place,
                    said.get("severity"),
                    tuple(said.get("exit", ())),
                    said["when"],
                    said.get("advice"),
                    said.get("example"),
                )
