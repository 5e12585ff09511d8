"""What the codes of problems and errors mean."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from musterroll.contract.translation import gettext

ANY_FIELD = "FIELD"


class Explanation(NamedTuple):
    """What a code means. Its texts mark what stands in a file or on a command line with backquotes.

    Attributes:
        code: e.g. `phone.trunk_prefix`; `FIELD.required` for that of every field.
        place: where it comes up: `file`, `rows`, `cells`, `values`, `portal`, `undo`; `errors` for those of commands.
        severity: `error`, `warning` or `error or warning`; None for an error of a command.
        exit_statuses: of the command; none for a problem.
        when: when it comes up; of an error of a command also what to do.
        advice: what to do about a problem.
        example: what has it.
        is_fixed: whether its severity is the same for every customer, as nothing can be done with a row that has it.
        is_repaired: whether a suggestion may be the only thing that can be meant.
    """

    code: str
    place: str
    severity: str | None
    exit_statuses: tuple[int, ...]
    when: str
    advice: str | None = None
    example: str | None = None
    is_fixed: bool = False
    is_repaired: bool = False

    def translated(self) -> Explanation:
        """Returns it in the person's language."""
        advice, example = self.advice or "", self.example or ""
        return self._replace(when=gettext(self.when), advice=gettext(advice) or None, example=gettext(example) or None)


@cache
def explanations() -> tuple[Explanation, ...]:
    """Returns what all codes mean, in the order of the documentation."""
    return tuple(_read())


@lru_cache(maxsize=1_000)
def is_explained(code: str) -> bool:
    """Whether a code is one of ours as it stands there; those of every field are not."""
    return any(one.code == code for one in explanations())


@lru_cache(maxsize=1_000)
def explanations_of(code: str) -> tuple[Explanation, ...]:
    """Returns what a code means, that of a field included; none where it is not one of ours."""
    rule = f"{ANY_FIELD}.{code.partition('.')[2]}"
    for name in (code, rule):
        if found := tuple(one._replace(code=code) for one in explanations() if one.code == name):
            return found
    return ()


def _read() -> Iterator[Explanation]:
    text = files("musterroll.contract").joinpath("codes.toml").read_text(encoding="utf-8")
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
                    said.get("fixed", False),
                    said.get("repaired", False),
                )
