"""The usernames that a sheet would get, as far as it shows that by itself: repeats in it are told apart.

The portal has the last word. It may have somebody of such a name, or know the person by another one; then `plan` shows
the next name, or that one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence

from musterroll.contract.fields import USERNAME, FieldSet
from musterroll.contract.problems import Problem
from musterroll.contract.users import Existing, UserKey
from musterroll.journal.made_names import KnownName
from musterroll.plan.made_names import UsernameMaker
from musterroll.reports.report import ProposedName
from musterroll.sheet.checks import CheckedBatch
from musterroll.sheet.identities import Identities
from musterroll.sheet.problem_log import ProblemLog


class ProposedNames:
    """Makes the usernames of a sheet as if the portal had nobody. Close it when done.

    Args:
        fields: the fields of a user; usernames are made.
        match: the fields that recognise a user.
        log: takes what is wrong whatever the portal says.
    """

    def __init__(self, fields: FieldSet, match: Sequence[str], log: ProblemLog) -> None:
        nobody = _Nobody()
        self._maker = UsernameMaker(fields, match, kept=None, names=nobody, salt=b"", tell=self._told)
        self._portal, self._log = nobody, log
        # Where there is one thing only by which people are known, two rows with the same one are one person.
        self._knows_repeats = len(Identities(fields, match).by) == 1
        self._reasons: dict[int, str] = {}
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("CREATE TABLE name (row INTEGER PRIMARY KEY, username TEXT, reason TEXT)")

    def make(self, batch: CheckedBatch) -> None:
        """Makes the names of a batch of rows."""
        places = sorted(batch.rows.columns.made(USERNAME))
        if not places or self._log.headings_fail:
            return
        self._reasons.clear()
        self._maker.give_names(batch, self._portal)
        numbers, names = batch.rows.numbers, batch.rows.columns.texts(USERNAME)
        self._db.executemany(
            "INSERT INTO name VALUES (?, ?, ?)",
            [
                (numbers[at], names[at] or None, self._reasons.get(numbers[at]))
                for at in places
                if batch.valid[at] and (names[at] or numbers[at] in self._reasons)
            ],
        )

    def _told(self, problem: Problem) -> Problem | None:
        """Takes a problem: it is one in any case, or the reason why there is no name."""
        if problem.code == "username.duplicate" and self._knows_repeats:
            return self._log.add(problem)
        if problem.row is not None:
            self._reasons[problem.row] = problem.message
        return None

    def __iter__(self) -> Iterator[ProposedName]:
        return map(ProposedName._make, self._db.execute("SELECT row, username, reason FROM name ORDER BY row"))

    def close(self) -> None:
        """Forgets everything."""
        self._db.close()


class _Nobody:
    """A portal that has nobody, and a pipeline that remembers nobody."""

    def lookup(self, keys: Sequence[UserKey]) -> Mapping[UserKey, Sequence[Existing]]:
        """Returns nobody."""
        return {}

    def of(self, whos: Iterable[str]) -> Mapping[str, KnownName]:
        """Returns no names."""
        return {}

    def owners(self, folded: Iterable[str]) -> Mapping[str, frozenset[str]]:
        """Returns no people."""
        return {}

    def ours(self, refs: Iterable[str]) -> Mapping[str, str]:
        """Returns no names."""
        return {}
