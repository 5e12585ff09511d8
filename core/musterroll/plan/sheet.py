"""Plans the rows of a sheet in batches and stores the plan."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from itertools import zip_longest
from typing import NamedTuple

from musterroll.contract.fields import PASSWORD, USERNAME, FieldSet
from musterroll.contract.messages import Recipient
from musterroll.contract.operations import ACTIVE
from musterroll.contract.problems import Problem, Severity
from musterroll.contract.rows import Origin, Row
from musterroll.contract.text import fold
from musterroll.contract.translation import gettext, gettext_noop
from musterroll.contract.users import Existing
from musterroll.invites.choices import InviteChoices
from musterroll.invites.policy import InvitePolicy, no_invite
from musterroll.journal.change import NOTHING_MADE, Action, Change, InviteDecision, Made
from musterroll.journal.last_values import LastValues
from musterroll.journal.ledger import NOT_KNOWN, Ledger, LedgerEntry
from musterroll.journal.plan import PlanStore
from musterroll.journal.targets import Target
from musterroll.pipeline.made_from import MadeFrom
from musterroll.pipeline.settings import SendTo, Settings
from musterroll.plan.absent import Uncertain
from musterroll.plan.digests import RowDigests
from musterroll.plan.groups import GroupIndex
from musterroll.plan.ignored import ROW_SAYS_SO, missing, why_ignored
from musterroll.plan.made_names import UsernameMaker
from musterroll.plan.matches import LooksUp, Matches, OnceEach, find_renamed, find_user, look_up
from musterroll.plan.new_users import NewUsers
from musterroll.plan.privileged import PrivilegedGroups
from musterroll.plan.references import References
from musterroll.plan.row import RowPlanner
from musterroll.plan.same_parts import left_as
from musterroll.plan.settled import SettledRows, can_note, can_settle
from musterroll.plan.spellings import GroupSpellings
from musterroll.portal.patterns import Patterns
from musterroll.portal.portal import Portal
from musterroll.sheet.checks import CheckedBatch, CheckedRow
from musterroll.sheet.identities import makes_usernames
from musterroll.sheet.orders import USUAL, Order, RowOrders, Wish
from musterroll.sheet.problem_log import ProblemLog
from musterroll.sheet.scope import Scope

_EMAIL = "email"
_NOT_INVITED = frozenset({Action.IGNORED, Action.DEACTIVATE, Action.DELETE})
_LOST = gettext_noop(
    "The portal has lost this user, whom this pipeline had created and invited: it seems to be older than what the "
    "pipeline knows (restored from a backup?). The user is created again and gets no second invite while the first "
    "one is alive; `musterroll invites send --resend` sends one all the same"
)


class _Known(NamedTuple):
    """What the ledger knows of the users of a batch: entries and last values by ref, and refs of whom it is so."""

    entries: Mapping[str, LedgerEntry]
    last_values: Mapping[str, LastValues]
    reset: Set[str]
    taken_back: Set[str]


class SheetPlanner:
    """Plans the rows of one sheet.

    Args:
        settings: the pipeline's settings.
        fields: the fields of a user.
        portal: only asked, never written to.
        ledger: who was created and invited before.
        invites: the policy of invites.
        choices: counts whom each choice would invite; None where nobody wants to know.
        store: takes the plan.
        log: takes the problems that only the backend shows.
        made_from: what the plan is made from; a password is reset once for each sheet.
        keeps_inactive: whether whoever is inactive stays so.
        settles: whether rows of which nothing is to be done need no look at all: nobody will compare this plan with
            another one.
        orders: what rows want, where fields have a role.

    Attributes:
        planned_on: the state of the portal, where it is worth to note how the job leaves that.

    Raises:
        BackendError: the portal cannot answer.
        PluginError: the backend broke.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        fields: FieldSet,
        portal: Portal,
        ledger: Ledger,
        invites: InvitePolicy,
        choices: InviteChoices | None,
        store: PlanStore,
        log: ProblemLog,
        made_from: MadeFrom,
        keeps_inactive: bool,
        settles: bool,
        orders: RowOrders,
    ) -> None:
        self._settings = settings
        self._fields = fields
        self._portal = portal
        self._ledger = ledger
        self._invites = invites
        self._choices = choices
        self._store = store
        self._log = log
        self._sheet = made_from.sheet
        self._keeps_inactive = keeps_inactive
        self._can = portal.capabilities()
        self._references = References(fields, portal) or None
        # Whom a row names may have gone meanwhile.
        settles = settles and self._references is None and can_settle(settings, portal)
        # Asked for first: whatever is seen of the portal is not older.
        self.planned_on = portal.state_of_users() if settles and can_note(settings) else None
        self._groups = GroupIndex(portal.groups() if self._can.groups else ())
        self._rows = RowPlanner(settings, fields, portal, self._can, self._groups, self._references)
        kept = self._can.fields if makes_usernames(fields) else None
        match = [name for name in settings.match if kept is None or name == USERNAME or name in kept]
        self._look_up_by = tuple(dict.fromkeys((*match, USERNAME, *([_EMAIL] * self._can.unique_email))))
        self._asked: LooksUp = portal
        self._usernames = (
            UsernameMaker(fields, settings.match, kept=kept, names=ledger.names, salt=ledger.roster.salt, tell=log.add)
            if makes_usernames(fields)
            else None
        )
        self._spellings = GroupSpellings()
        self._protection = Patterns(settings.protect)
        self._orders = orders
        self._may_ignore = bool(orders) or settings.mode in ("create", "update")
        self._scope = Scope(settings.scope)
        self._needs_checks = bool(self._scope) or self._can.unique_email or bool(settings.protect)
        self._digests = RowDigests(fields, settings.match, ledger.roster.salt)
        self._settled = self._settled_rows(made_from) if settles else None
        self.privileged = PrivilegedGroups(settings, portal, self._groups)
        self._has_privileged = bool(self.privileged)
        self._new_users = NewUsers(
            self._rows,
            fields.attributes,
            invites,
            store,
            needs_password=settings.password.required == "new",
            makes_passwords=settings.sheet.make.password is not None,
            decide=self._decide,
            keep=self._store_targets,
        )
        # What else there is to be said of a new user needs the row.
        is_special = self._needs_checks or self._may_ignore or self._has_privileged or self._references is not None
        self._takes_new = choices is None and not is_special
        self.uncertain = Uncertain()
        self._new_addresses: dict[str, int] = {}
        self._letters: Mapping[str, str] = {}
        self._stored = set[int | None]()  # the groups that the store has
        self._made: Sequence[Made] | None = None  # what was made for the rows of the batch, where anything can be

    def _settled_rows(self, made_from: MadeFrom) -> SettledRows:
        parts: Mapping[bytes, int] = {}
        if self.planned_on is not None:
            roster = self._ledger.roster
            former = roster.left(left_as(self.planned_on, made_from, roster.salt))
            parts = {} if former is None else self._store.whole_parts_of(former)
        return SettledRows(
            self._settings,
            self._fields,
            self._portal,
            self._ledger,
            self._invites,
            self._groups,
            self._store,
            parts=parts,
            notes=self.planned_on is not None,
        )

    @property
    def group_count(self) -> int:
        """How many groups the portal has."""
        return len(self._groups)

    def plan(self, batches: Iterable[CheckedBatch]) -> Iterator[int]:
        """Plans the rows and stores what happens to each; yields how many rows are done, batch by batch."""
        for batch in batches:
            self._plan_batch(batch)
            yield len(batch)

    def finish(self) -> None:
        """Says what only the whole plan shows: misspelt groups, two rows for one user, and rows that they reject."""
        self._store.flush(last=True)
        if self._settings.membership.missing == "create":  # else it has been said that they are not there
            for problem in self._spellings.problems(self._groups):
                self._log.add(problem)
        for column, message in (
            ("folded", gettext_noop("This is the same username as in row {first}; remove one of the two rows")),
            ("ref", gettext_noop("This is the same user as in row {first}; remove one of the two rows")),
        ):
            # What was found of the last sheet holds for one that is in it.
            for row, first in self._store.doubles(column) if not self._is_known() else ():
                if not self._log.has_error(row):
                    self._log.add(
                        Problem(
                            code="username.duplicate",
                            message=gettext(message, first=first),
                            row=row,
                            column=self._letters.get(USERNAME),
                            field=USERNAME,
                            also_rejects=(first,),
                        )
                    )
        with_others = self._settings.on_error == "skip"
        if self._references is not None:
            self._references.finish(self._store, self._log, self._letters, with_others=with_others)
        self._store.reject(self._log.bad_rows(with_others=with_others))
        if self._choices is not None:
            self._choices.leave_out(self._log.bad_rows(with_others=with_others))

    def _is_known(self) -> bool:
        """Whether all rows are known from the last completed sheet: then no two mean one user."""
        return self._settled is not None and self._settled.finds_all

    def _plan_batch(self, rows: CheckedBatch) -> None:
        columns, self._letters = rows.rows.columns, rows.rows.made(0).row.columns
        self._made = None
        if self._log.headings_fail:  # who or what is meant is not known, so there is nothing to ask the portal
            for number, username in zip(columns.numbers, columns.texts(USERNAME), strict=True):
                self._store.add(Change.rejected(number, username, None))
            self._store.flush()
            return
        if self._usernames is not None:
            self._asked = OnceEach(self._portal)
            self._made = self._usernames.give_names(rows, self._asked)
            columns = rows.rows.columns
        if self._settings.sheet.make.password is not None:
            given = columns.secrets(PASSWORD)
            known = self._made or [NOTHING_MADE] * len(rows)
            self._made = [one if password else one.and_password for one, password in zip(known, given, strict=True)]
        self._spellings.note(rows.groups, rows.rows)
        orders = self._orders.of(columns) if self._orders else None
        if self._settled is None:
            self._plan_rows(rows, orders)
            self._store.add_digests(self._digests.of(rows))
        else:
            others = self._settled.take(rows, orders)
            self._settled.keep(rows, self._plan_rows(others, orders) if others else None)
        self._store.flush()

    def _plan_rows(self, rows: Sequence[CheckedRow], orders: Sequence[Order] | None) -> Collection[int]:
        """Plans rows of a batch; returns the places of those that do not create a user just as they say."""
        unusual = set[int]()
        self._rows.begin(rows)
        if self._references is not None:
            self._references.look_up(rows[0].batch)
        old_username = self._orders.old_username
        self._new_users.begin(rows[0].batch, self._made)
        matches = look_up(self._asked, rows, self._look_up_by, old_username)
        found = [find_user(checked, self._settings.match, matches) for checked in rows] if matches.by_text else []
        if orders is not None and old_username is not None:
            found = [
                find_renamed(checked, orders[checked.place], old_username, match, matches)
                for checked, match in zip_longest(rows, found)
            ]
        known = self._known([user for user in found if isinstance(user, Existing)])
        for checked, match in zip_longest(rows, found):
            if match is not None or not self._takes_new or not self._new_users.take(checked):
                order = USUAL if orders is None else orders[checked.place]
                if not self._plan_row(checked, match, matches, known, order):
                    unusual.add(checked.place)
        self._new_users.store()
        return unusual

    def _known(self, users: Sequence[Existing]) -> _Known:
        refs = [user.ref for user in users]
        resets = self._settings.password.on_existing == "reset"
        return _Known(
            entries=self._ledger.entries(refs),
            last_values=self._ledger.last_values.of(refs) if self._settings.hand_edits else {},
            reset=self._ledger.password_was_reset(refs, self._sheet) if resets else frozenset(),
            taken_back=self._ledger.taken_back(
                user.ref for user in users if not user.active and not self._keeps_inactive
            ),
        )

    def _plan_row(
        self,
        checked: CheckedRow,
        match: Existing | Problem | None,
        matches: Matches,
        known: _Known,
        order: Order,
    ) -> bool:
        """Plans a row; returns whether it creates a user just as it says, with nothing to be said of it."""
        user, valid, change = match if isinstance(match, Existing) else None, checked.valid, None
        problems: Sequence[Problem] = ()
        # A row that is out already is planned for its further problems, so that one run shows all of them.
        if isinstance(match, Problem):
            texts = checked.texts
            self.uncertain.refs |= {one.ref for name in self._look_up_by for one in matches.of(name, texts[name])}
            if order.wish is Wish.IGNORE:
                change = self._ignored(checked, None, ROW_SAYS_SO)
            else:
                self._log.add(match)
        elif self._may_ignore and (reason := why_ignored(order, user, self._settings)) is not None:
            change = self._ignored(checked, user, reason)
            if user is None and valid:
                for problem in missing(checked.row, order):
                    counted = self._log.add(problem)
                    valid &= counted is None or not counted.is_error
        elif order.leaves and user is not None:
            change, problems = self._rows.leave(checked, user, order)
            valid &= self._take_problems(checked, change, user, problems)
        elif valid or user is not None or self._is_identified(checked.row):
            change, problems = self._rows.plan(
                checked,
                user,
                reset_done=user is not None and user.ref in known.reset,
                taken_back=user is not None and user.ref in known.taken_back,
                last=None if user is None else known.last_values.get(user.ref),
                order=order,
            )
            if self._needs_checks or not change.username:
                problems = [*self._check_identity(checked, user, matches), *problems]
            if problems or self._needs_checks or self._has_privileged:
                valid &= self._take_problems(checked, change, user, problems)
        if change is None or not valid:
            ref = None if user is None else user.ref
            self._store.add(Change.rejected(checked.number, checked.texts[USERNAME], ref))
            if match is None and self.uncertain.row is None and not self._is_identified(checked.row):
                self.uncertain.row = checked.number
            return False
        self._store_targets((*change.add, *change.remove))
        if self._made is not None:
            change = replace(change, made=self._made[checked.place].of(change.action))
        if change.action in _NOT_INVITED:
            self._store.add(change, change.invite if change.action is Action.IGNORED else no_invite("inactive"))
            return False
        entry = None if user is None else known.entries.get(user.ref, NOT_KNOWN)
        self._store.add(change, self._invite(checked, change, user, entry))
        return change.action is Action.CREATE and not problems and change.username == checked.texts[USERNAME]

    def _ignored(self, checked: CheckedRow, user: Existing | None, reason: str) -> Change:
        if user is None and self.uncertain.row is None and not self._is_identified(checked.row):
            self.uncertain.row = checked.number
        username = checked.texts[USERNAME] if user is None else user.username
        return Change.ignored(checked.number, username, None if user is None else user.ref, reason)

    def _take_problems(
        self, checked: CheckedRow, change: Change, user: Existing | None, problems: Iterable[Problem]
    ) -> bool:
        """Puts what is wrong with a row into the log, and says whether it can go in all the same."""
        valid = True
        if self._needs_checks:
            problems = [*self._check_protection(checked.row, change, user), *problems]
            leaves = change.action in (Action.DEACTIVATE, Action.DELETE)
            problems += self._scope.problems(checked.row, user, leaves=leaves)
        if self._has_privileged:
            problems = [*problems, *self.privileged.problems(checked.row, change, user)]
        for problem in problems:
            counted = self._log.add(problem)
            valid &= counted is None or not counted.is_error
        return valid

    def _is_identified(self, row: Row) -> bool:
        """Whether a row that has errors says who is meant: without that, it cannot be called a new user."""
        names = [name for name in (*self._settings.match, USERNAME) if not self._fields[name].omitted]
        return bool(row[USERNAME]) and all(row.value(name).origin is not Origin.ABSENT for name in names)

    def _check_identity(self, checked: CheckedRow, user: Existing | None, matches: Matches) -> Iterator[Problem]:
        row = checked.row
        if user is None and not row[USERNAME]:
            # Whatever validators are configured: without a username there is no user.
            yield row.problem(USERNAME, "username.required", "The username is missing; fill it in")
        if not self._can.unique_email or not (address := row.value(_EMAIL).text):
            return
        others = [other.username for other in matches.of(_EMAIL, address) if user is None or other.ref != user.ref]
        if others:
            message = "The user {other} has this address, and the portal takes an address once; give another one"
            yield row.problem(_EMAIL, "email.taken", message, other=others[0])
            return
        if not checked.valid:
            return
        first = self._new_addresses.setdefault(fold(address), row.number)
        if first != row.number:
            message = "Row {first} has this address, and the portal takes an address once; correct one of the two rows"
            yield row.problem(_EMAIL, "email.taken", message, first=first)

    def _check_protection(self, row: Row, change: Change, user: Existing | None) -> Iterator[Problem]:
        """A protected user is never touched; a row that asks for nothing of the kind may name one."""
        if change.action is Action.UNCHANGED:
            return
        if user is not None and (pattern := self._protection.of(user.username)):
            message = (
                'The user "{user}" is protected (protect = "{pattern}" in the pipeline) and is never changed; '
                "remove the row"
            )
            yield row.problem(USERNAME, "username.protected", message, user=user.username, pattern=pattern)
        elif pattern := self._protection.of(row[USERNAME]):
            message = (
                'This username is protected (protect = "{pattern}" in the pipeline) and is never given to anybody; '
                "remove the row"
            )
            if row.value(USERNAME).origin is Origin.MADE:
                message = (
                    'The username that is made, "{name}", is protected (protect = "{pattern}" in the pipeline) and is '
                    "never given to anybody; write another one into the column {heading}"
                )
            yield row.problem(USERNAME, "username.protected", message, pattern=pattern, name=row[USERNAME])

    def _invite(
        self, checked: CheckedRow, change: Change, user: Existing | None, known: LedgerEntry | None
    ) -> InviteDecision:
        active = user is None or user.active or ACTIVE in change.fields
        decision = self._invites.reason_against(known, change.username, active=active)
        wanting = self._choices.wanting(known, change.username, active=active) if self._choices is not None else ()
        invited = known is not None and known.invite is not None
        if decision is not None and not wanting and not (invited and self._invites.recognises_by(change.fields)):
            return decision
        fields, ref = self._recipient_fields(change, user), change.ref or ""
        return self._decide(checked, Recipient(username=change.username, fields=fields, ref=ref), decision, wanting)

    def _decide(
        self,
        checked: CheckedRow,
        recipient: Recipient,
        decision: InviteDecision | None = None,
        wanting: Collection[SendTo] = (),
    ) -> InviteDecision:
        """Decides about an invite, unless that is decided; by what the user is known again goes with the decision."""
        known_as = self._invites.known_as(recipient, checked.texts[USERNAME] or recipient.username)
        if decision is None or wanting:
            # Whatever is chosen: who can be reached, and whom the portal has lost, is the same.
            sends = self._invites.against_lost(recipient, known_as)
            if sends is not None and decision is None and not recipient.ref:
                self._log.add(checked.row.problem(USERNAME, "user.lost", _LOST, severity=Severity.WARNING))
            sends = sends or self._invites.decide(recipient, row=checked.number)
            if self._choices is not None and sends.send:
                self._choices.add(checked.number, wanting)
            decision = decision or sends
        return replace(decision, known_as=known_as)

    def _recipient_fields(self, change: Change, user: Existing | None) -> dict[str, str]:
        """The attributes as they will be when the plan is carried out; empty ones are ""."""
        fields = {name: (user.fields.get(name) if user is not None else None) or "" for name in self._fields.attributes}
        for name, field in change.fields.items():
            if name in fields:
                fields[name] = str(field.after or "")
        return fields

    def _store_targets(self, targets: Iterable[Target]) -> None:
        for target in targets:
            for level in self._groups.ancestors(target) if target.id not in self._stored else ():
                if level.id not in self._stored:
                    self._stored.add(level.id)
                    self._store.add_target(level)
