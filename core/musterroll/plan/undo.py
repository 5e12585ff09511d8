"""Plans what takes a job back: the opposite of what it did, wherever the portal still is as the job left it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence, Set
from dataclasses import replace
from itertools import islice

from musterroll.contract.fields import USERNAME
from musterroll.contract.operations import FLAGS
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.translation import gettext
from musterroll.contract.users import Capabilities, Existing, UserKey, group_text
from musterroll.journal.change import Action, Change, FieldChange, InviteDecision, PasswordAction, Scalar, shown_row
from musterroll.journal.done import created_groups, done_changes, touched_groups
from musterroll.journal.journal import Journal
from musterroll.journal.plan import PlanStore
from musterroll.journal.targets import Target
from musterroll.pipeline.settings import Settings
from musterroll.plan.groups import GroupIndex
from musterroll.plan.privileged import PrivilegedGroups
from musterroll.portal.lookups import look_up_known
from musterroll.portal.patterns import Patterns
from musterroll.portal.portal import Portal
from musterroll.sheet.problem_log import ProblemLog

# So many users are looked up at once.
_BATCH = 500
_NO_INVITE = InviteDecision(send=False, reason="an undo invites nobody")


class UndoPlanner:
    """Plans the undo of one job.

    Args:
        portal: only asked, never written to.
        settings: the pipeline's settings.
        store: takes the plan.
        log: takes what is kept (errors) and what is beyond recall (warnings).
        people: the fields that name other users.
    """

    def __init__(
        self,
        *,
        portal: Portal,
        settings: Settings,
        store: PlanStore,
        log: ProblemLog,
        people: Collection[str] = (),
    ) -> None:
        self._portal = portal
        self._created = settings.undo.created
        self._protection = Patterns(settings.protect)
        self._store = store
        self._log = log
        self._targets: dict[int | None, Target] = {}
        self._can: Capabilities = portal.capabilities()
        groups = list(portal.groups()) if self._can.groups else []
        self._groups = frozenset(group.ref for group in groups)
        self._people = people
        self.deletes_groups = False
        """Whether groups go that the job created; known once it is planned."""
        self._privileged = PrivilegedGroups(settings, portal, GroupIndex(groups if settings.privileged.groups else ()))

    def plan(self, journal: Journal, job: str) -> Iterator[int]:
        """Plans the undo of a stored job; yields how many rows are done, batch by batch."""
        self._add_targets(touched_groups(journal, job), created_groups(journal, job))
        rows = done_changes(journal, job)
        while batch := list(islice(rows, _BATCH)):
            present = look_up_known(self._portal, {done.ref: done.new_username for done in batch if done.ref})
            # A job that was cut off may not have come to renaming them, or somebody has given the name back since.
            former = {done.ref: done.username for done in batch if done.ref and USERNAME in done.fields}
            present |= look_up_known(self._portal, {ref: name for ref, name in former.items() if ref not in present})
            for done in batch:
                self._store.add(self._reversal(done, present.get(done.ref or "")))
            self._store.flush()
            yield len(batch)
        if self._people:
            self._store.refer_to_renamed(self._people)
            self._say_who_is_not_there()

    def _say_who_is_not_there(self) -> None:
        """Says whom fields are to name again and the portal does not show; some portals take them all the same."""
        named = self._store.named_at_once(self._people)
        while batch := list(islice(named, _BATCH)):
            keys = {text: UserKey.of(USERNAME, text) for _, _, text in batch}
            found = self._portal.lookup(list(dict.fromkeys(keys.values())))
            for row, field, text in batch:
                if keys[text] not in found:
                    message = gettext(
                        'The portal shows no user "{name}", whom {user} is to name again; this field may stay as it is',
                        name=text,
                        user=self._store.username_of(row),
                    )
                    code = f"{field}.unknown_user"
                    self._say(Problem(code=code, message=message, severity=Severity.WARNING, row=shown_row(row)))

    def _add_targets(self, targets: Sequence[Target], created: Set[int | None]) -> None:
        for target in targets:
            if target.ref not in self._groups:
                continue
            deletes = target.id in created and self._can.delete
            self.deletes_groups |= deletes
            parent = target.parent if target.parent in self._targets else None
            self._targets[target.id] = target
            self._store.add_target(replace(target, parent=parent), deletes=deletes)
            if target.id in created and not deletes:
                message = gettext('The portal cannot delete the group "{name}"; it stays', name="|".join(target.path))
                self._log.add_file(Problem(code="undo.kept", message=message))

    def _reversal(self, done: Change, user: Existing | None) -> Change:
        """What takes a row back; what stays as it is is said, with the reason."""
        if done.invite.send:
            text = gettext("{user} was invited; that cannot be called back", user=done.username)
            self._say(Problem(code="undo.invite", message=text, severity=Severity.WARNING, row=done.row))
        back = Change(
            row=done.row,
            number=done.number,
            username=done.new_username if user is None else user.username,
            action=Action.UNCHANGED,
            password=PasswordAction.KEEP,
            invite=_NO_INVITE,
            ref=done.ref,
        )
        if done.action is Action.DELETE:
            self._keep(done, "{user} was deleted, which cannot be taken back; create the user anew where that is meant")
        elif user is None:
            self._keep(
                done,
                "{user} is gone, or was renamed since; nothing was taken back"
                if done.ref
                else "{user} may have been created, or not; look into the portal; nothing was taken back",
            )
        elif pattern := self._protection.of(user.username, done.username):
            self._keep(done, '{user} is protected by "{pattern}"; nothing was taken back', pattern=pattern)
        elif done.action is Action.CREATE:
            back = self._take_out(done, user, back)
        else:
            back = self._restore(done, user, back)
        emptied = self._privileged.emptied_by(back, user) if self._privileged else None
        if emptied is None:
            return back
        self._keep(
            done,
            '{user} may be the last active member of "{group}", a privileged group; nothing was taken back',
            group=group_text(emptied),
        )
        return replace(back, action=Action.UNCHANGED, fields={}, add=(), remove=())

    def _take_out(self, done: Change, user: Existing, back: Change) -> Change:
        """A user that the job created, and that nobody has changed since, is deactivated or deleted."""
        changed = [name for name, change in done.fields.items() if _present(user, name) != change.after]
        joined = user.groups - {target.ref for target in done.add if target.id in self._targets}
        if changed or joined:
            what = ", ".join([*changed, *(["groups"] if joined else [])])
            self._keep(done, "{user} was changed since ({what}) and stays as is", what=what)
            return back
        action = Action.UNCHANGED
        if self._created == "delete" and self._can.delete:
            action = Action.DELETE
        elif not self._can.deactivate:
            self._keep(done, "The portal cannot deactivate {user}; remove the user there")
            return back
        elif user.active:
            action = Action.DEACTIVATE
        return replace(back, action=action, remove=self._joined(done, user))

    def _restore(self, done: Change, user: Existing, back: Change) -> Change:
        """A user that was there before gets back what the job changed, unless it was changed since."""
        fields: dict[str, FieldChange] = {}
        changed: list[str] = []
        for name, change in done.fields.items():
            present = _present(user, name)
            if present == change.after:
                fields[name] = FieldChange(change.after, change.before)
            elif present != change.before:
                changed.append(name)
        if changed:
            self._keep(done, "{user} was changed since; kept: {fields}", fields=", ".join(changed))
        if done.password is PasswordAction.RESET:
            text = gettext("The password of {user} was reset; the former one is not known", user=done.username)
            self._say(Problem(code="undo.password", message=text, severity=Severity.WARNING, row=done.row))
        add: list[Target] = []
        for target in done.remove:
            group = self._targets.get(target.id)
            if group is None:
                self._keep(done, "A group that {user} was taken out of is gone")
            elif group.ref not in user.groups:
                add.append(group)
        back = replace(back, fields=fields, add=tuple(add), remove=self._joined(done, user))
        return replace(back, action=Action.UPDATE) if back.changes_anything else back

    def _joined(self, done: Change, user: Existing) -> tuple[Target, ...]:
        """The groups that the job added the user to, and that the user is still in."""
        return tuple(target for target in done.add if target.id in self._targets and target.ref in user.groups)

    def _keep(self, done: Change, message: str, **values: object) -> None:
        text = gettext(message, user=done.username, **values)
        self._say(Problem(code="undo.kept", message=text, row=done.row))

    def _say(self, problem: Problem) -> None:
        if problem.row is None:
            self._log.add_file(problem)
        else:
            self._log.add(problem)


def _present(user: Existing, name: str) -> Scalar:
    if name in FLAGS:
        return bool(getattr(user, name))
    return user.username if name == USERNAME else user.fields.get(name) or None
