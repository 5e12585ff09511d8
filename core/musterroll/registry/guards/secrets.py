"""Takes passwords out of what rules say: their problems, and what they raise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from musterroll.contract.codes import explanations_of, is_explained
from musterroll.contract.problems import Problem
from musterroll.contract.rows import Row
from musterroll.contract.secret import MASK
from musterroll.errors import PluginError
from musterroll.registry.masks import SecretsSeen, masked, may_tell
from musterroll.registry.plugin_errors import broken
from musterroll.registry.watch import Call


def problem_without_secrets(found: Problem, row: Row | None, given: Mapping[str, str], seen: SecretsSeen) -> Problem:
    """Takes passwords out of a problem; a suggestion that holds one is left out.

    Args:
        found: the problem.
        row: the row that the rule was asked about; None at the end of the sheet.
        given: the secrets of that row, by field.
        seen: those of other rows that the rule may speak of.
    """
    secrets = given.values()
    said = f"{found.code}\n{found.message}\n{found.suggestion}\n{found.value}"
    if found.also:
        said += "".join(f"\n{text}" for _, text in found.also)
    if not seen and not (found.value is not None and found.field in given) and not may_tell(said, secrets):
        return found
    of_secret = found.field is None or found.field in given or found.field == "password"

    def clear(text: str) -> str:
        return masked(text, (*secrets, *seen.of(text)), of_secret=of_secret)

    changes: dict[str, object] = {}
    for name in ("code", "message") if not _is_known(found.code, row) else ("message",):
        text = getattr(found, name)
        if (safe := clear(text)) != text:
            changes[name] = safe
    suggested = (found.suggestion or "", *(text for _, text in found.also))
    if any(clear(text) != text for text in suggested):
        changes |= {"suggestion": None, "is_safe": False, "also": ()}  # nobody could type what is left of it
    if found.value is not None and not _is_of_cell(found, row):
        if found.field in given:
            changes["value"] = None
        elif (safe := clear(found.value)) != found.value:
            changes["value"] = safe
    return replace(found, **changes) if changes else found  # type: ignore[arg-type]


def _is_known(code: str, row: Row | None) -> bool:
    """Whether a code is one of ours, which says nothing of anybody's password."""
    is_of_field = row is not None and code.partition(".")[0] in row.values
    return is_explained(code) or (is_of_field and bool(explanations_of(code)))


def _is_of_cell(found: Problem, row: Row | None) -> bool:
    """Whether the value is what stands in the cell, which is no secret even where a password is the same."""
    if row is None or found.field is None:
        return False
    value = row.value(found.field)
    return value.secret is None and found.value in (value.raw, value.text)


def secrets_of(row: Row) -> list[str]:
    """The secrets of a row."""
    return [value.secret.reveal() for value in row.values.values() if value.secret is not None]


def broken_rule(
    call: Call, row: int | None, secrets: Iterable[str], error: BaseException, seen: SecretsSeen | None = None
) -> PluginError:
    """Names the rule that broke. Its text may hold what it was looking at, so passwords are taken out.

    Args:
        call: who was called.
        row: the number of the row that it was asked about, if it was one.
        secrets: what it was looking at.
        error: what it raised.
        seen: the secrets of other rows that it may speak of.
    """
    failed = broken(call.who, call.stage, error, row)
    if row is None and may_tell(failed.cause, secrets):  # of many, one may be the beginning of another
        cause = f"{type(error).__name__}: {MASK}"
    else:
        others = seen.of(failed.cause) if seen is not None else ()
        cause = masked(failed.cause, (*secrets, *others), of_secret=True)
    if cause == failed.cause:
        return failed
    error.args = (MASK,)  # the traceback that --verbose shows would tell it as well
    return PluginError(plugin=call.who, stage=call.stage, cause=cause, row=failed.row)
