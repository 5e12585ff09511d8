"""Validators and group resolvers as the engine calls them.

They are called for every row, so a rule that is written as usual is called directly. What it finds is looked at.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from types import GeneratorType, NoneType
from typing import TYPE_CHECKING, Any, NamedTuple

from musterroll.contract.batch import Batch
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.roles import GroupResolver, RowValidator, SheetValidator
from musterroll.contract.rows import Row
from musterroll.contract.secret import listen
from musterroll.contract.text import clean, did_you_mean
from musterroll.contract.users import GroupPath
from musterroll.registry.guards.built import returns_what_it_finds
from musterroll.registry.guards.guard import a, status_of, whole
from musterroll.registry.guards.secrets import problem_without_secrets
from musterroll.registry.masks import SecretsSeen
from musterroll.registry.plugin_errors import AnswerError

if TYPE_CHECKING:
    from musterroll.contract.conditions import Conditions

_KEPT = 100_000  # so many paths of groups are known without another look
_NONE_SEEN = SecretsSeen()
_GENERATORS = frozenset({GeneratorType})
_TEXT, _WHOLE = frozenset({str, NoneType}), frozenset({int})
_LISTS: frozenset[type] = frozenset({list, tuple})
_PAIR = 2
# The types of the attributes of nearly all problems.
_USUAL = {(str, str, Severity, int, *texts, bool, bool, tuple, tuple) for texts in product((str, NoneType), repeat=4)}


class Rule(NamedTuple):
    """A validator or resolver, as it is called for every row.

    Attributes:
        label: the instance as the person knows it.
        find: its `check` or `resolve`.
        usual: what that may return without another look (`all_found`).
        method: what `find` is called.
        seen: of a rule of the whole sheet, the secrets that it has looked at: it may speak of them later.
        proof: its `suspects` or `resolve_batch`, if it has one.
        when: the rows that it is about; None for all.
    """

    label: str
    find: Callable[[Row], Any]
    usual: frozenset[type]
    method: str
    seen: SecretsSeen | None = None
    proof: Callable[[Batch], Any] | None = None
    when: Conditions | None = None

    @classmethod
    def of_validator(cls, label: str, validator: RowValidator | SheetValidator, when: Conditions | None = None) -> Rule:
        """Makes the rule of a validator."""
        seen = SecretsSeen() if isinstance(validator, SheetValidator) else None
        proof = proof_of(validator, "suspects", "check")
        if seen is not None and when is not None:
            proof = None  # that of a whole sheet takes note of rows, and only of some it must not
        return cls(label, validator.check, _usual(validator.check), "check", seen, proof, when)

    @classmethod
    def of_resolver(cls, label: str, resolver: GroupResolver, when: Conditions | None = None) -> Rule:
        """Makes the rule of a group resolver."""
        proof = None if when is not None else proof_of(resolver, "resolve_batch", "resolve")
        return cls(label, resolver.resolve, _usual(resolver.resolve), "resolve", None, proof, when)

    def is_about(self, row: Row) -> bool:
        """Whether it is asked about a row."""
        return self.when is None or self.when.holds(self.when.texts_of(row))

    def all_found(self, found: object) -> Iterable[object]:
        """Looks at what it returned, so that nothing is lost that it finds.

        Raises:
            AnswerError: it has returned something, or nothing, where it should have yielded.
        """
        if found is None and self.seen is not None:
            return ()  # it speaks at the end of the sheet
        return all_found(found, self.method)


def _usual(find: Callable[[Row], Any]) -> frozenset[type]:
    return _GENERATORS if returns_what_it_finds(find) else _LISTS


def proof_of(rule: object, name: str, truth: str) -> Callable[[Batch], Any] | None:
    """Returns the proof of a plugin's method; None where it was written for another one, in a class above it.

    Args:
        rule: the rule, resolver or backend.
        name: of the proof.
        truth: the method that it spares rows.
    """
    for place in (getattr(rule, "__dict__", {}), *map(vars, type(rule).__mro__)):
        if name in place:
            proof: Callable[[Batch], Any] = getattr(rule, name)
            return proof
        if truth in place:
            break
    return None


def all_found(found: object, name: str) -> Iterable[object]:
    """Looks at what a rule's method returned. See `Rule.all_found`."""
    if isinstance(found, tuple | list):
        return found
    if found is None:
        raise AnswerError(
            f"{name}() returned None; it must yield what it finds, or return () where that is nothing. Was a yield "
            "forgotten?"
        )
    if isinstance(found, GeneratorType):
        return _exhausted(found, name)
    if isinstance(found, Problem):
        raise AnswerError(f"{name}() returned a problem; it must yield it: write yield instead of return")
    if isinstance(found, str | bytes) or not isinstance(found, Iterable):
        raise AnswerError(f"{name}() must yield what it finds, or return a list of it, not {a(found)}")
    return found


def _exhausted(found: GeneratorType[object, None, object], name: str) -> Iterator[object]:
    returned = yield from found
    if returned is not None:
        raise AnswerError(f"{name}() returned {a(returned)}, which is lost; write yield instead of return")


def places_of(found: object, rows: int) -> Collection[int]:
    """Looks at what a rule's proof returned: the places of rows in a batch.

    Raises:
        AnswerError: it is something else.
    """
    if isinstance(found, str | bytes) or not isinstance(found, Iterable):
        raise AnswerError(f"suspects() must yield places of rows or return a list of them, not {a(found)}")
    places = set(found)
    for place in places:
        if type(place) is not int or not 0 <= place < rows:
            shown = place if type(place) is int else a(place)  # a text may be anybody's password
            raise AnswerError(f"suspects() must yield places of rows in the batch, from 0 to {rows - 1}, not {shown}")
    return places


class Findings:
    """Looks at what rules find, before it is used. One for each sheet."""

    def __init__(self) -> None:
        # Rows without a gap: where they start, and where those before them ended.
        self._starts, self._ends, self._following = array("q"), array("q"), 0
        self._fields: Collection[str] = ()
        self._paths: dict[object, GroupPath] = {}
        self._row: Row | None = None
        self._given: Mapping[str, str] = {}  # the secrets of that row

    def start(self, row: Row, following: int) -> None:
        """Takes note of a row that is the first, or follows a gap; the next one would have been `following`."""
        self._starts.append(row.number)
        self._ends.append(following - 1)
        self._fields = row.values

    def end(self, following: int) -> None:
        """Takes note of the sheet's end; the next row would have been `following`."""
        self._following = following

    def problem(self, found: object, row: Row | None, seen: SecretsSeen | None = None) -> Problem:
        """Looks at a problem, and takes passwords out of it.

        Args:
            found: what the rule yielded.
            row: the row that it was asked about; None at the end of the sheet.
            seen: the secrets of other rows that it may speak of.

        Raises:
            AnswerError: it cannot be used.
        """
        if not isinstance(found, Problem):
            raise AnswerError(f"a rule must yield problems, made with row.problem(…), not {a(found)}")
        if row is not None:
            self._following = row.number + 1
        if not _is_usual(found):
            _look_at_types(found)
            if type(found.severity) is not Severity:
                found = replace(found, severity=status_of(Severity, found.severity, f'the problem "{_code(found)}"'))
        if row is None or found.row != row.number or found.also_rejects:
            self._look_at_rows(found, row)
        if found.field not in self._fields or found.also:
            self._look_at_fields(found)
        if row is not self._row:
            values = row.values if row is not None else {}
            self._row, listener = row, listen(None)  # this look at its secrets is none of the rule's
            self._given = {name: value.secret.reveal() for name, value in values.items() if value.secret is not None}
            listen(listener)
        return problem_without_secrets(found, row, self._given, seen or _NONE_SEEN)

    def _look_at_rows(self, found: Problem, row: Row | None) -> None:
        for number in (found.row, *found.also_rejects):
            if number is not None and (row is None or number != row.number) and not self._exists(number):
                where = f"; it is in row {row.number}" if row is not None else ""
                raise AnswerError(
                    f'the problem "{_code(found)}" is of row {number}, which the sheet does not have{where}'
                )

    def _look_at_fields(self, found: Problem) -> None:
        for name in (found.field, *(name for name, _ in found.also)):
            if name is not None and self._fields and name not in self._fields:
                raise AnswerError(
                    f'the problem "{_code(found)}" is of the field "{name:.50}", which does not exist'
                    f"{did_you_mean(name, self._fields) or '; the fields are ' + ', '.join(self._fields)}"
                )

    def _exists(self, number: int) -> bool:
        place = bisect_right(self._starts, number)
        end = self._ends[place] if place < len(self._ends) else self._following - 1
        return place > 0 and number <= end

    def path(self, found: object) -> GroupPath:
        """Looks at the path of a group, and brings its levels into the form that values have.

        Raises:
            AnswerError: it is none.
        """
        try:
            return self._paths[found]
        except (KeyError, TypeError):
            path = _path(found)
        if len(self._paths) < _KEPT:
            self._paths[found] = path
        return path


def _path(found: object) -> GroupPath:
    if not isinstance(found, tuple):
        raise AnswerError(f'a group is a tuple of the names of its levels, e.g. ("Region", "North"), not {a(found)}')
    if not found:
        raise AnswerError("a group has at least one level, and this tuple is empty")
    for place, level in enumerate(found, 1):
        if not isinstance(level, str):
            raise AnswerError(f"level {place} of a group must be a text, not {a(level)}")
    path = tuple(map(clean, found))
    if not all(path):
        raise AnswerError(f"level {path.index('') + 1} of a group has no name; leave the group out where there is none")
    return tuple(whole(level, "the name of a group") for level in path)


def _is_usual(found: Problem) -> bool:
    """Whether a problem is as nearly all are: of the right types, and with nothing that needs another look."""
    types = (
        type(found.code),
        type(found.message),
        type(found.severity),
        type(found.row),
        type(found.column),
        type(found.field),
        type(found.value),
        type(found.suggestion),
        type(found.is_safe),
        type(found.is_repaired),
        type(found.also),
        type(found.also_rejects),
    )
    return (
        types in _USUAL
        and not found.also
        and not found.is_repaired
        and found.code.strip() != "" != found.message.strip()
        and (not found.also_rejects or _WHOLE.issuperset(map(type, found.also_rejects)))
    )


def _look_at_types(found: Problem) -> None:
    _look_at_repair(found)
    for name in ("code", "message"):
        value = getattr(found, name)
        if not isinstance(value, str) or not value.strip():
            raise AnswerError(
                f"the {name} of a problem must be a text, not {a(value) if value != '' else 'an empty one'}"
            )
    for name in ("column", "field", "value", "suggestion"):
        value = getattr(found, name)
        if value is not None and not isinstance(value, str):
            raise AnswerError(f'the {name} of the problem "{_code(found)}" must be a text or None, not {a(value)}')
    if not isinstance(found.also_rejects, tuple):
        raise AnswerError(f'also_rejects of the problem "{_code(found)}" must be a tuple of row numbers')
    for number in (found.row, *found.also_rejects):
        if number is not None and type(number) is not int:
            raise AnswerError(
                f'the row of the problem "{_code(found)}" must be a whole number or None, not {a(number)}'
            )


def _look_at_repair(found: Problem) -> None:
    """Looks at what the suggestion does besides: a list of pairs, of which another could not be taken."""
    is_safe: object = found.is_safe
    if type(is_safe) is not bool or found.is_repaired is not False:
        raise AnswerError(
            f'is_safe of the problem "{_code(found)}" must be True or False; is_repaired is for the engine to say'
        )
    also: object = found.also
    if also == ():
        return
    if not isinstance(also, tuple) or not all(
        isinstance(pair, tuple) and len(pair) == _PAIR and _TEXT.issuperset(map(type, pair)) for pair in also
    ):
        raise AnswerError(
            f'also of the problem "{_code(found)}" must name fields and their texts; use row.problem(…, also={{…}})'
        )


def _code(found: Problem) -> str:
    return f"{found.code:.60}"
