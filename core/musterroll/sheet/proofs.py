"""Which rows the rules have to be asked about: those that no rule suspects are spared, and their groups are known."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple, TypeAlias

from musterroll.contract.batch import Batch
from musterroll.contract.plain import takes_plain_way
from musterroll.contract.secret import listen
from musterroll.contract.users import GroupPath
from musterroll.errors import MusterrollError
from musterroll.registry.guards.guard import a
from musterroll.registry.guards.rules import Findings, Rule, places_of
from musterroll.registry.guards.secrets import broken_rule
from musterroll.registry.plugin_errors import AnswerError
from musterroll.registry.watch import Call
from musterroll.sheet.batch import RowBatch

Groups: TypeAlias = tuple[GroupPath, ...]
_KEPT = 20_000  # so many answers of group resolvers are known without another look


class Proven(NamedTuple):
    """What is known of a batch before any row is looked at.

    Attributes:
        places: of the rows that somebody has to be asked about, in order.
        suspects: for each rule, the places of the rows that it is asked about; None for all.
        groups: of each row; None where the resolvers are asked.
        given: those without its defaults, likewise.
    """

    places: Sequence[int]
    suspects: Sequence[Collection[int] | None]
    groups: Sequence[Groups | None]
    given: Sequence[Groups | None]


class Proofs:
    """Asks the proofs of rules and resolvers.

    Args:
        rules: the validators.
        sorters: the group resolvers.
        findings: looks at the groups' paths.
        max_levels: how deep a group may be.
    """

    def __init__(self, rules: Sequence[Rule], sorters: Sequence[Rule], findings: Findings, max_levels: int) -> None:
        self._rules, self._sorters = rules, sorters
        self._findings, self._max_levels = findings, max_levels
        self._is_asked = not takes_plain_way() and any(one.proof for one in (*rules, *sorters))
        # By identity, since most resolvers give the same tuple for the same text, and its hash takes longer than all
        # else. The answers are kept, so that nothing else gets their identity.
        self._known: dict[int, Groups | None] = {}
        self._as_they_are: set[int] = set()  # those of them in which a look changes nothing: mostly all
        self._kept: list[object] = []

    def of(self, batch: RowBatch, call: Call) -> Proven:
        """Asks them about a batch.

        Args:
            batch: the rows.
            call: is told who is at work.

        Raises:
            PluginError: one of them broke.
        """
        everyone, call.done = range(len(batch)), batch.numbers[0]
        if not self._is_asked:
            nothing = [None] * len(batch)
            return Proven(everyone, [None] * len(self._rules), nothing, nothing)
        columns, bare = batch.columns, batch.without_defaults
        call.stage = "validating"
        suspects = [self._suspects(rule, columns, call) for rule in self._rules]
        call.stage = "resolving groups"
        groups = self._groups(columns, call)
        given = groups if bare is None else self._groups(bare, call)
        if None in suspects:
            return Proven(everyone, suspects, groups, given)
        places = batch.faulty.union(*filter(None, suspects))
        if None in groups or None in given:
            places.update(place for place in everyone if groups[place] is None or given[place] is None)
        return Proven(sorted(places), suspects, groups, given)

    def _suspects(self, rule: Rule, batch: Batch, call: Call) -> Collection[int] | None:
        if rule.proof is None:
            return None
        call.who = rule.label
        if rule.seen is not None:
            listen(rule.seen.add)
        try:
            return places_of(rule.proof(batch), len(batch))
        except MusterrollError:
            raise
        except (Exception, SystemExit) as error:
            raise broken_rule(call, None, list(batch.all_secrets()), error, rule.seen) from error
        finally:
            listen(None)

    def _groups(self, batch: Batch, call: Call) -> Sequence[Groups | None]:
        together: Sequence[Groups | None] = [()] * len(batch)
        for number, sorter in enumerate(self._sorters):
            answers = self._answers(sorter, batch, call)
            together = answers if not number else list(map(_both, together, answers))
        return together

    def _answers(self, sorter: Rule, batch: Batch, call: Call) -> Sequence[Groups | None]:
        if sorter.proof is None:
            return [None] * len(batch)
        call.who = sorter.label
        try:
            answers = list(sorter.proof(batch))
            if len(answers) != len(batch):
                raise AnswerError(f"resolve_batch() answered for {len(answers)} of {len(batch)} rows")
            if len(self._known) > _KEPT:
                self._known.clear()
                self._as_they_are.clear()
                self._kept.clear()
            identities, known = list(map(id, answers)), self._known
            if self._as_they_are.issuperset(identities):
                return answers
            if new := set(identities).difference(known):
                for identity, answer in zip(identities, answers, strict=True):
                    if identity in new and identity not in known:
                        looked_at = known[identity] = self._looked_at(answer)
                        self._kept.append(answer)
                        if looked_at is answer:
                            self._as_they_are.add(identity)
            return list(map(known.__getitem__, identities))
        except MusterrollError:
            raise
        except (Exception, SystemExit) as error:
            raise broken_rule(call, None, list(batch.all_secrets()), error) from error

    def _looked_at(self, answer: object) -> Groups | None:
        if answer is None:
            return None
        if not isinstance(answer, tuple):
            raise AnswerError(f"resolve_batch() must answer with tuples of groups or None, not {a(answer)}")
        paths = tuple(map(self._findings.path, answer))
        if any(len(path) > self._max_levels for path in paths):
            return None
        return answer if paths == answer and _is_plain(answer) else paths


def _is_plain(paths: tuple[object, ...]) -> bool:
    """Whether a tuple is nothing but tuples of texts, which is what is handed on."""
    return type(paths) is tuple and all(type(path) is tuple and {str}.issuperset(map(type, path)) for path in paths)


def _both(one: Groups | None, other: Groups | None) -> Groups | None:
    return None if one is None or other is None else one + other
