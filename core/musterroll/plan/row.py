"""Plans one row: its fields, its password and its groups, against the user that it means."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set

from musterroll.contract.batch import Batch
from musterroll.contract.fields import CALLING_CODE, GROUPS, PASSWORD, USERNAME, FieldSet
from musterroll.contract.frozen import FrozenDict
from musterroll.contract.operations import ACTIVE
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.rows import Origin, Row
from musterroll.contract.text import fold
from musterroll.contract.translation import gettext_noop
from musterroll.contract.users import Capabilities, Desired, Existing, GroupPath
from musterroll.errors import PluginError
from musterroll.journal.change import Action, Agreed, Change, FieldChange, Groups, HandEdit, PasswordAction
from musterroll.journal.last_values import LastValues
from musterroll.journal.targets import Target
from musterroll.pipeline.settings import Settings
from musterroll.plan.groups import GroupIndex
from musterroll.plan.hand_edits import HandEdits, PlannedUpdate
from musterroll.plan.references import References
from musterroll.plan.user_digest import digest_of
from musterroll.portal.portal import Portal
from musterroll.sheet.checks import CheckedRow
from musterroll.sheet.identities import Identities, makes_usernames
from musterroll.sheet.orders import USUAL, Order, Wish

_REMEMBERED = 10_000  # combinations of groups
_NO_EDITS: tuple[tuple[HandEdit, ...], Agreed | None] = ((), None)
_UNKNOWN_GROUP = {  # by whether it is left out, and whether another one is near
    (False, False): gettext_noop('The group "{name}" does not exist; correct its name, or create it in the portal'),
    (False, True): gettext_noop('The group "{name}" does not exist; did you mean "{near}"?'),
    (True, False): gettext_noop('The group "{name}" does not exist and is left out'),
    (True, True): gettext_noop('The group "{name}" does not exist and is left out; did you mean "{near}"?'),
}


def kept_by_portal(fields: FieldSet, match: Sequence[str], can: Capabilities) -> tuple[str, ...]:
    """The attributes that the portal gets. Where usernames are made, what recognises people may be known to us only."""
    if can.fields is None or not makes_usernames(fields):
        return fields.attributes
    ours = {name for names in Identities(fields, match).by for name in names}.difference(can.fields)
    return tuple(name for name in fields.attributes if name not in ours)


class RowPlanner:
    """Plans rows one by one, batch by batch.

    Args:
        settings: the pipeline's settings.
        fields: the fields of a user.
        backend: for the canonical form of values.
        capabilities: what the backend can do.
        groups: the groups of the backend.
        references: knows whom fields name that name another user; None where there are no such fields.
    """

    def __init__(
        self,
        settings: Settings,
        fields: FieldSet,
        backend: Portal,
        capabilities: Capabilities,
        groups: GroupIndex,
        references: References | None = None,
    ) -> None:
        self._references = references
        self._settings = settings
        self._fields = fields
        self._backend = backend
        self._can = capabilities
        self._groups = groups
        self._names = kept_by_portal(fields, settings.match, capabilities)
        self._makes_passwords = settings.sheet.make.password is not None
        self._hand_edits = HandEdits(settings)
        self._knows_edits = bool(self._hand_edits)
        self._new_groups: dict[tuple[GroupPath, ...], Groups] = {}
        self._plain_groups = set[GroupPath]()  # of which there is nothing to be said any more
        kept = capabilities.fields
        self._unkept = () if kept is None else tuple(name for name in self._names if name not in kept)
        self._takes_all = not (capabilities.changes_values or backend.checks_users)
        # Most portals can do everything that a row may ask for; then there is nothing to look for.
        self._has_limits = capabilities.fields is not None or not (
            capabilities.rename
            and capabilities.deactivate
            and capabilities.passwords
            and capabilities.reset_passwords
            and capabilities.groups
            and capabilities.nested_groups
        )

    @property
    def knows_new_users(self) -> bool:
        """Whether the portal takes some new users as their rows say, so that no more of them need be known."""
        return self._takes_all or self._backend.proves_users

    def suspects(self, batch: Batch) -> Collection[int]:
        """Says of which new users a row does not say all, by their places: the portal has something to say of them."""
        can, suspects = self._can, set[int]()
        if not self._takes_all:
            suspects.update(self._backend.suspects(batch.without_secrets()))
        if self._makes_passwords and not can.passwords:
            return range(len(batch))
        if not (self._takes_all and can.passwords):
            suspects.update(place for place, secret in enumerate(batch.secrets(PASSWORD)) if secret)
        for name in self._unkept:
            suspects.update(place for place, text in enumerate(batch.texts(name)) if text)
        return suspects

    def groups_of_new(self, paths: tuple[GroupPath, ...]) -> Groups | None:
        """The groups of a new user where they are known, and nothing is to be said of them."""
        can = self._can
        are_kept = not paths or (can.groups and (can.nested_groups or all(len(path) == 1 for path in paths)))
        if not (are_kept and self._plain_groups.issuperset(paths)):
            return None
        found = filter(None, map(self._groups.find, paths))
        return self._new_groups.get(paths) or (tuple({target.id: target for target in found}.values()), ())

    def begin(self, rows: Sequence[CheckedRow]) -> None:
        """Takes the batch whose rows are to be planned: their texts are needed column by column."""
        batch = rows[0].batch
        columns = batch.columns
        self._passwords = columns.secrets(PASSWORD)
        self._usernames = columns.texts(USERNAME)
        self._of_new = self._attributes(columns)
        bare = batch.without_defaults  # an existing user gets no defaults
        self._of_existing = self._of_new if bare is None else self._attributes(bare)

    def _attributes(self, batch: Batch) -> list[tuple[str, ...]]:
        """The texts of the attributes, row by row."""
        return list(zip(*map(batch.texts, self._names), strict=True)) if self._names else [()] * len(batch)

    def plan(
        self,
        checked: CheckedRow,
        user: Existing | None,
        *,
        reset_done: bool,
        taken_back: bool = False,
        last: LastValues | None = None,
        order: Order = USUAL,
    ) -> tuple[Change, list[Problem]]:
        """Plans one row of the batch, but for its invite. With an error among the problems the change does not count.

        Args:
            checked: the row.
            user: the user it means; None for a new one.
            reset_done: whether this sheet has reset the user's password already.
            taken_back: whether the user is inactive because a job of ours was undone: nobody else has meant it.
            last: what the user was given last, where that is known and wanted.
            order: what the row wants; not that the user goes.
        """
        problems: list[Problem] = []
        password = self._password(checked, user, problems, reset_done=reset_done)
        if user is None:
            add, remove = self._groups_of_new(checked, problems)
            change = Change(
                row=checked.number,
                username=self._usernames[checked.place],
                action=Action.CREATE,
                password=password,
                fields=self._new_fields(checked),
                add=add,
                remove=remove,
            )
        else:
            reactivates = order.wish is Wish.REACTIVATE
            fields, asked = self._changed_fields(checked, user, problems, reactivates=reactivates or taken_back)
            add, remove = self._membership(checked, checked.given, user.groups, problems)
            edits, agreed = _NO_EDITS
            if self._knows_edits:
                update = PlannedUpdate(user, asked, self._wanted_refs(checked.given), fields, add, remove)
                edits, agreed = self._hand_edits.judge(checked.row, update, last, problems)
                fields, add, remove = update.fields, update.add, update.remove
            action = Action.UNCHANGED
            if fields or add or remove or password is PasswordAction.RESET:
                action = Action.REACTIVATE if reactivates and ACTIVE in fields else Action.UPDATE
            change = Change(
                row=checked.number,
                username=user.username,
                action=action,
                password=password,
                fields=fields,
                add=add,
                remove=remove,
                ref=user.ref,
                user_digest=digest_of(user, self._names),
                hand_edits=edits,
                agreed=agreed,
            )
        if self._has_limits:
            problems.extend(self._unsupported(checked.row, change))
        if self._backend.checks_users and change.action is not Action.UNCHANGED:
            problems.extend(self._objections(checked.row, change))
        return change, problems

    def leave(self, checked: CheckedRow, user: Existing, order: Order) -> tuple[Change, list[Problem]]:
        """Plans a row whose user goes. Nothing else of the row is done, so that this can be taken back whole."""
        problems: list[Problem] = []
        deletes = order.wish is Wish.DELETE
        if deletes or user.active:
            able, message = (
                (self._can.delete, "The portal cannot delete a user; deactivate the user, or remove the row")
                if deletes
                else (self._can.deactivate, "The portal cannot deactivate a user; remove the row")
            )
            if not able:
                problems.append(checked.row.problem(order.field, "backend.unsupported", message))
        action = Action.DELETE if deletes else Action.DEACTIVATE if user.active else Action.UNCHANGED
        fields = {ACTIVE: FieldChange(before=True, after=False)} if action is Action.DEACTIVATE else {}
        change = Change(
            row=checked.number,
            username=user.username,
            action=action,
            password=PasswordAction.KEEP,
            fields=fields,
            ref=user.ref,
            user_digest=digest_of(user, self._names),
        )
        return change, problems

    def _desired(self, checked: CheckedRow) -> dict[str, str | None]:
        """The attributes that the row asks for of an existing user. Defaults and blank cells ask for nothing."""
        texts = zip(self._names, self._of_existing[checked.place], strict=True)
        if self._settings.sheet.on_blank_cell != "clear":
            return {name: text for name, text in texts if text}
        value = checked.row.value
        return {name: text or None for name, text in texts if text or self._is_emptied(name, value(name).origin)}

    def _is_emptied(self, name: str, origin: Origin) -> bool:
        """Whether a blank cell is there to say that there is no value."""
        spec = self._fields[name]
        has_column = not spec.omitted or (name == CALLING_CODE and self._fields.whole_phones)
        return origin is not Origin.ABSENT and has_column and not spec.required

    def _canonical(self, checked: CheckedRow, username: str, fields: dict[str, str | None]) -> Desired:
        if self._references is not None:
            self._references.spell(checked.number, fields)
        desired = Desired(username=username, fields=fields)
        if not self._can.changes_values:
            return desired
        try:
            return self._backend.canonical(desired)
        except PluginError as error:
            raise error.in_row(checked.number) from error.__cause__

    def _new_fields(self, checked: CheckedRow) -> dict[str, FieldChange]:
        fields: dict[str, str | None] = dict(zip(self._names, self._of_new[checked.place], strict=True))
        fields = {name: text for name, text in fields.items() if text}
        canonical = self._canonical(checked, self._usernames[checked.place], fields)
        return {name: FieldChange(None, after) for name, after in canonical.fields.items() if after is not None}

    def _changed_fields(
        self, checked: CheckedRow, user: Existing, problems: list[Problem], *, reactivates: bool
    ) -> tuple[dict[str, FieldChange], Mapping[str, str | None]]:
        """What differs, and what the row asks for."""
        username = self._usernames[checked.place]
        renamed = bool(username) and fold(username) != fold(user.username)
        canonical = self._canonical(checked, username if renamed else user.username, self._desired(checked))
        changed: dict[str, FieldChange] = {}
        if renamed:
            changed[USERNAME] = FieldChange(user.username, canonical.username)
        for name, after in canonical.fields.items():
            before = user.fields.get(name) or None
            if before != (after or None):
                changed[name] = FieldChange(before, after or None)
        if not user.active:
            if reactivates or self._settings.on_inactive == "reactivate":
                changed[ACTIVE] = FieldChange(before=False, after=True)
            elif self._settings.on_inactive == "error":
                problems.append(
                    checked.row.problem(
                        USERNAME,
                        "username.inactive",
                        "The user exists but is inactive; remove the row, or set on_inactive to "
                        '"reactivate" or "update"',
                    )
                )
        return changed, canonical.fields

    def _password(
        self, checked: CheckedRow, user: Existing | None, problems: list[Problem], *, reset_done: bool
    ) -> PasswordAction:
        given = bool(self._passwords[checked.place])
        if user is None:
            if not given and self._makes_passwords:
                return PasswordAction.SET
            if not given and self._settings.password.required == "new":
                message = "A new user needs a password; fill it in"
                problems.append(checked.row.problem(PASSWORD, "password.required", message))
            return PasswordAction.SET if given else PasswordAction.NONE
        if given and self._settings.password.on_existing == "reset" and not reset_done:
            return PasswordAction.RESET
        return PasswordAction.KEEP

    def _groups_of_new(self, checked: CheckedRow, problems: list[Problem]) -> Groups:
        """The groups of a new user; many rows name the same ones, of which there is nothing more to be said."""
        known = self._new_groups.get(checked.groups)
        if known is None:
            known = self._membership(checked, checked.groups, frozenset(), problems)
            if not problems:
                self._plain_groups.update(checked.groups)
                if len(self._new_groups) < _REMEMBERED:
                    self._new_groups[checked.groups] = known
        return known

    def _membership(
        self, checked: CheckedRow, paths: Sequence[GroupPath], current: Set[str], problems: list[Problem]
    ) -> Groups:
        """The groups to add the user to, and those to take the user out of."""
        if not paths:  # a blank cell keeps all groups, in every mode
            return (), ()
        wanted = list(self._wanted(checked, paths, problems))
        unique = {target.id: target for target in wanted}.values()
        add = tuple(target for target in unique if target.ref is None or target.ref not in current)
        remove: tuple[Target, ...] = ()
        # Where a name is left out because no group has it, nobody knows which of the others it was meant to be.
        if self._settings.membership.mode == "replace" and len(wanted) == len(paths):
            keep = {target.ref for target in wanted}
            others = (self._groups.of_ref(ref) for ref in sorted(current - keep))
            remove = tuple(target for target in others if target is not None)
        return add, remove

    def _wanted_refs(self, paths: Sequence[GroupPath]) -> Set[str] | None:
        """The groups that a row asks for and that exist; None where it asks for none."""
        found = (self._groups.find(path) for path in paths)
        return {target.ref for target in found if target is not None and target.ref is not None} if paths else None

    def _wanted(self, checked: CheckedRow, paths: Iterable[GroupPath], problems: list[Problem]) -> Iterator[Target]:
        """Matches the paths; what becomes of a missing group is the pipeline's choice."""
        for path in paths:
            target = self._groups.find(path)
            if target is not None and target.ref is not None:
                yield target
                continue
            if target is not None and self._settings.membership.missing == "create":
                yield target
                continue
            name = "|".join(path)
            found = self._groups.near(path)
            near = "|".join(found) if found else None
            if self._settings.membership.missing == "create":
                if near is not None:
                    problems.append(
                        checked.row.problem(
                            GROUPS,
                            "groups.near_match",
                            'The group "{name}" does not exist and will be created; did you mean "{near}"?',
                            severity=Severity.WARNING,
                            suggestion=near,
                            name=name,
                            near=near,
                        )
                    )
                yield self._groups.create(path)
                continue
            skip = self._settings.membership.missing == "skip"
            problems.append(
                checked.row.problem(
                    GROUPS,
                    "groups.unknown",
                    _UNKNOWN_GROUP[skip, near is not None],
                    severity=Severity.WARNING if skip else Severity.ERROR,
                    suggestion=near,
                    name=name,
                    near=near,
                )
            )

    def _unsupported(self, row: Row, change: Change) -> Iterator[Problem]:
        """Says what the row asks for and the portal cannot do."""

        def cannot(name: str, message: str) -> Problem:
            return row.problem(name, "backend.unsupported", message, name=name)

        can = self._can
        for name in change.fields:
            if can.fields is not None and name in self._fields.attributes and name not in can.fields:
                yield cannot(
                    name,
                    "The portal cannot store the field {name}; leave its column out, or name another place for it in "
                    "the backend's options",
                )
        if change.action is not Action.CREATE and USERNAME in change.fields and not can.rename:
            yield cannot(USERNAME, "The portal cannot change a username; leave it out or choose another portal")
        if ACTIVE in change.fields and not can.deactivate:
            yield cannot(
                USERNAME,
                "The portal cannot make an inactive user active again; leave it out or choose another portal",
            )
        if change.password in (PasswordAction.SET, PasswordAction.RESET) and not can.passwords:
            yield cannot(PASSWORD, "The portal cannot take a password; leave it out or choose another portal")
        elif change.password is PasswordAction.RESET and not can.reset_passwords:
            yield cannot(
                PASSWORD,
                "The portal cannot set the password of an existing user; empty the cell, or set password.on_existing "
                'to "keep"',
            )
        touched = (*change.add, *change.remove)
        if touched and not can.groups:
            yield cannot(GROUPS, "The portal cannot keep groups; leave it out or choose another portal")
        elif not can.nested_groups and any(len(target.path) > 1 for target in touched):
            yield cannot(GROUPS, "The portal cannot keep groups inside groups; leave it out or choose another portal")

    def _objections(self, row: Row, change: Change) -> Iterator[Problem]:
        """Says why the portal will not take the user as the row wants it."""
        fields = {
            name: field.after if field.after is None else str(field.after)
            for name, field in change.fields.items()
            if name in self._fields.attributes
        }
        user = Desired(username=change.new_username, fields=FrozenDict(fields))
        given = change.password in (PasswordAction.SET, PasswordAction.RESET)
        try:
            found = self._backend.check(user, change.ref, row.secret(PASSWORD) if given else None)
        except PluginError as error:
            raise error.in_row(row.number) from error.__cause__
        for objection in found:
            field = objection.field if objection.field in self._fields else USERNAME
            yield row.problem(field, objection.code, "{objection}", objection=objection.message)
