"""`[privileged]`: groups whose members can do much. Who comes in or goes is told apart, and never the last one goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from musterroll.contract.fields import GROUPS
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.rows import Row
from musterroll.contract.translation import gettext_noop
from musterroll.contract.users import Existing, GroupPath, group_text
from musterroll.journal.change import Action, Change, PrivilegedGroup
from musterroll.journal.job import Job
from musterroll.journal.targets import load_targets
from musterroll.pipeline.settings import Settings
from musterroll.plan.groups import GroupIndex
from musterroll.portal.patterns import Patterns
from musterroll.portal.portal import Portal

PRIVILEGED = "groups.privileged"
_GOES = frozenset({Action.DEACTIVATE, Action.DELETE})
_JOINS = gettext_noop('The user becomes a member of "{name}", a privileged group; check that this is meant')
_LEAVES = gettext_noop('The user is taken out of "{name}", a privileged group; check that this is meant')


class PrivilegedGroups:
    """Says which groups of a plan are privileged, and which of them would lose their last active member.

    Args:
        settings: the pipeline's settings.
        portal: only asked, and only where a plan takes somebody out.
        groups: the groups of the portal.
    """

    def __init__(self, settings: Settings, portal: Portal, groups: GroupIndex) -> None:
        self._patterns = Patterns(settings.privileged.groups)
        self._portal = portal
        self._groups = groups
        self._known: dict[GroupPath, bool] = {}
        self._left: Counter[str] | None = None  # active members by the group's ref

    def __bool__(self) -> bool:
        """Whether any can be."""
        return bool(self._patterns)

    def problems(self, row: Row, change: Change, user: Existing | None) -> Iterator[Problem]:
        """Says of a row which privileged groups it concerns, and refuses to empty one."""
        for targets, message in (
            (change.add, _JOINS),
            (change.remove, _LEAVES),
        ):
            for target in targets:
                if self._is_privileged(target.path):
                    name = group_text(target.path)
                    yield row.problem(GROUPS, PRIVILEGED, message, severity=Severity.WARNING, name=name)
        emptied = self.emptied_by(change, user)
        if emptied is not None:
            yield row.problem(
                GROUPS,
                "groups.last_member",
                'The user may be the last active member of "{name}", a privileged group, and stays in it; let somebody '
                "else join first, or remove the row",
                name=group_text(emptied),
            )

    def emptied_by(self, change: Change, user: Existing | None) -> GroupPath | None:
        """Returns the group that a change would leave without an active member; None where it leaves none so.

        Who is taken out is not counted any more from then on. Who joins by the same plan is not counted yet: that can
        fail.
        """
        if user is None or not user.active or not (change.remove or change.action in _GOES):
            return None
        refs = user.groups if change.action in _GOES else [target.ref for target in change.remove]
        targets = [target for ref in refs if ref is not None and (target := self._groups.of_ref(ref)) is not None]
        leaving = {target.ref: target.path for target in targets if self._is_privileged(target.path)}
        if not leaving:
            return None
        left = self._left = self._count_members() if self._left is None else self._left
        for ref, path in sorted(leaving.items(), key=lambda pair: pair[1]):
            if left[ref or ""] <= 1:
                return path
        left.subtract(ref for ref in leaving if ref is not None)
        return None

    def _is_privileged(self, path: GroupPath) -> bool:
        known = self._known.get(path)
        if known is None:
            known = self._known[path] = is_privileged(self._patterns, path)
        return known

    def _count_members(self) -> Counter[str]:
        """The active members of privileged groups; none where the portal cannot show its users."""
        if not self._portal.lists_users:
            return Counter()
        return Counter(
            ref
            for user in self._portal.all_users()
            if user.active
            for ref in user.groups
            if (target := self._groups.of_ref(ref)) is not None and self._is_privileged(target.path)
        )


def is_privileged(patterns: Patterns, path: GroupPath) -> bool:
    """Whether a group is one of those that the patterns name."""
    return patterns.of(group_text(path)) is not None


def count_privileged(job: Job, groups: Sequence[str]) -> tuple[PrivilegedGroup, ...]:
    """Counts how many members a stored plan adds to the privileged groups, and takes out of them."""
    patterns = Patterns(groups)
    if not patterns:
        return ()
    paths = {id_: target.path for id_, target in load_targets(job.journal, job.id).items()}
    found: dict[GroupPath, dict[str, int]] = {}
    query = """
        SELECT g.value, 'add', count(*) FROM row AS r, json_each(r.add_to) AS g WHERE r.job = ?1 GROUP BY 1
        UNION ALL
        SELECT g.value, 'remove', count(*) FROM row AS r, json_each(r.remove_from) AS g WHERE r.job = ?1 GROUP BY 1
    """
    for id_, kind, members in job.journal.execute(query, (job.id,)):
        if is_privileged(patterns, paths[id_]):
            found.setdefault(paths[id_], {})[kind] = members
    return tuple(
        PrivilegedGroup(path, counts.get("add", 0), counts.get("remove", 0)) for path, counts in sorted(found.items())
    )
