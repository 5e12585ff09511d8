"""`explain`: what the code of a problem or an error means."""

from __future__ import annotations

from musterroll.contract.codes import ANY_FIELD, Explanation, explanations, explanations_of
from musterroll.contract.text import meant_perhaps
from musterroll.contract.translation import gettext
from musterroll.errors import UsageError

__all__ = ["Explanation", "explain", "explanations"]


def explain(code: str) -> tuple[Explanation, ...]:
    """Says what a code means; several times where it comes up in places that have little in common.

    Raises:
        UsageError: there is no such code.
    """
    if found := explanations_of(code):
        return tuple(one.translated() for one in found)
    field, dot, _ = code.partition(".")  # the pipeline may have one of that name
    own = f"{field}." if dot else f"{ANY_FIELD}."
    names = [one.code.replace(f"{ANY_FIELD}.", own) for one in explanations()]
    hint = meant_perhaps(code, names) or gettext("; see the message of the problem")
    raise UsageError(gettext('there is no code "{code}"{hint}', code=code, hint=hint), code="code.unknown")
