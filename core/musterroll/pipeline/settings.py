"""What a pipeline file can say: the typed shape of the merged TOML.

The defaults are in standard.toml. Here is only what an element of an array means that says nothing, and that
what is not there is empty.

Options of plugins are checked separately, by the models that the plugins bring.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from musterroll.contract.messages import Purpose
from musterroll.contract.text import clean
from musterroll.pipeline.setting_types import (
    MOST,
    Code,
    Duration,
    FieldName,
    Limit,
    Name,
    PathText,
    PipelineName,
    Table,
)
from musterroll.pipeline.sheet_settings import SheetSettings

SendTo = Literal["none", "new", "all", "pending"]


class Use(Table):
    """A table that chooses a plugin: `use` and its `options`.

    Attributes:
        use: the name of the plugin; `musterroll plugins list` shows all.
        options: its options.
    """

    use: Name
    options: dict[str, Any] = Field({})


class NamedUse(Use):
    """An element of an array of tables that choose plugins, merged by `name`.

    Attributes:
        name: a name of your own; an inherited one changes that element.
        enabled: false takes an inherited element out.
        when: the rows that it is about, e.g. `{ department = "Sales" }`; all rows without it.
    """

    name: Name
    enabled: bool = True
    when: dict[FieldName, Any] = Field({})  # `Conditions`, which most pipelines do not need


class NotifierUse(NamedUse):
    """`[[notifiers]]`: a notifier and what it is told.

    Attributes:
        on: what it sends: `invite`, and `finished` when a job has ended.
    """

    on: tuple[Purpose, ...] = (Purpose.INVITE,)


class PasswordSettings(Table):
    """`[password]`: when a password is needed and used; its policy is the validator's.

    Attributes:
        required: who needs a password: everybody (`always`), new users (`new`), nobody (`never`).
        on_existing: an existing user's password is kept (`keep`) or set to that of the sheet, once for each
            sheet (`reset`).
    """

    required: Literal["always", "new", "never"]
    on_existing: Literal["keep", "reset"]


class MembershipSettings(Table):
    """`[membership]`: what becomes of groups.

    Attributes:
        mode: groups of the sheet are added (`add`) or replace those that the user has (`replace`).
        missing: a group that does not exist is created (`create`), is an `error`, or is left out (`skip`).
        max_levels: the most levels that a group may have.
    """

    mode: Literal["add", "replace"]
    missing: Literal["create", "error", "skip"]
    max_levels: Annotated[int, Field(ge=1, le=1000)]


class InviteSettings(Table):
    """`[invites]`: who is invited, by whom, and how long an invite lives.

    Attributes:
        send_to: who is invited: nobody (`none`), whom this pipeline created (`new`), everybody (`all`), who has
            no invite that is alive (`pending`).
        valid_days: how long an invite is alive, in days.
        by: who sends invites: the `notifiers`, or the portal itself (`backend`).
    """

    send_to: SendTo
    valid_days: Annotated[int, Field(ge=1, le=36_500)]
    by: Literal["notifiers", "backend"]


class LimitSettings(Table):
    """`[limits]`: a job that would do more than this is refused as a whole. None: no limit.

    Attributes:
        create: users that are created.
        update: users that are changed.
        email_change: users whose address changes.
        group_add: memberships that are added.
        group_remove: memberships that are taken away.
        new_groups: groups that are created.
        password_reset: passwords that are reset.
        deactivate: users that are deactivated or deleted.
        delete: users that are deleted because their row says so.
        privileged: memberships in privileged groups that are added or taken away. Where nobody is asked and there is no
            such limit, it is 0.
        invite: invites that are sent.
        reject: rows that are left out.
        rows_changed: rows that differ from the last completed sheet.
        from_users: a percentage of the portal's users holds where the portal has so many. That of the built-in
            pipeline is for its own percentages; one of your own is for yours as well.
    """

    create: Limit | None = None
    update: Limit | None = None
    email_change: Limit | None = None
    group_add: Limit | None = None
    group_remove: Limit | None = None
    new_groups: Limit | None = None
    password_reset: Limit | None = None
    deactivate: Limit | None = None
    delete: Limit | None = None
    privileged: Annotated[int, Field(ge=0, le=MOST)] | None = None
    invite: Limit | None = None
    reject: Limit | None = None
    rows_changed: Limit | None = None
    from_users: Annotated[int, Field(ge=0, le=MOST)] = 0


def _group_pattern(text: str) -> str:
    """As groups are compared: levels without blanks around them. What no group can be named is a mistake."""
    levels = [""]
    for sign in re.findall(r"\\.|.", text, re.DOTALL):
        if sign == ";":
            raise ValueError(r'names several groups; write each by itself ("\\;" is a ";" in a name)')
        if sign[0] == "\\" and sign not in ("\\|", "\\;", "\\\\"):
            raise ValueError(r'"\" stands only before "|", ";" and another "\", as in a sheet')
        if sign == "|":
            levels.append("")
        else:
            levels[-1] += sign
    found = [clean(level) for level in levels]
    if not all(found):
        raise ValueError('a level is empty: take a "|" away; "Admin|*" are all groups below Admin')
    return "|".join(found)


class PrivilegedSettings(Table):
    """`[privileged]`: what is looked at twice.

    Attributes:
        groups: groups whose members can do much, as a sheet names them; `*` stands for any characters.
    """

    groups: tuple[Annotated[Name, AfterValidator(_group_pattern)], ...] = ()


class UndoSettings(Table):
    """`[undo]`: what `jobs undo` does with users that the job created.

    Attributes:
        created: users that the job created are deactivated (`deactivate`) or deleted (`delete`).
    """

    created: Literal["deactivate", "delete"]


HandEditChoice = Literal["overwrite", "keep", "error"]
HAND_EDITS_DEFAULT = "default"
"""In `[hand_edits]`: of all fields that are not named."""

SeverityChoice = Literal["error", "warning", "ignore"]


class KeepSettings(Table):
    """`[keep]`: how long what a pipeline has done is kept. None: until `jobs prune`.

    Attributes:
        jobs: finished jobs, with their files of rejected rows and their messages in the outbox, e.g. `90d`, `12w`.
    """

    jobs: Duration | None = None


class Settings(Table):
    """The whole merged pipeline file.

    Attributes:
        name: the pipeline's name; with the portal's identity it owns the record of who was created and invited.
        plugins: local plugin files.
        disable: plugins or distributions to leave out.
        state: the folder of the journal; `.musterroll` beside the file without it.
        confirm: without a terminal, write only with --yes.
        rehearsal: the portal is one to rehearse with: `plugins check` may create made-up users there.
        on_error: one bad row keeps everything out (`abort`), or only bad rows are left out (`skip`).
        mode: rows create users only (`create`), update them only (`update`), or do what it takes (`both`, and
            where it is not said).
        scope: what users have whom the sheet is about, by field; it says nothing of others.
        hand_edits: by field, what becomes of a value that somebody has changed in the portal by hand: the sheet wins
            and says so (`overwrite`), the value stays (`keep`), or it is an `error`. `groups` is for memberships,
            `default` for what is not named.
        on_inactive: a row that means an inactive user is an `error`, makes the user active (`reactivate`), or
            only updates (`update`).
        match: the fields that recognise a user, first choice first.
        sheet: how the sheet is laid out.
        reader: the reader; `auto` chooses by what the file holds.
        readers: options of readers, whichever is chosen.
        password: when a password is needed and used.
        transforms: what makes values as they should be, before rules see them.
        validators: the rules for rows.
        membership: what becomes of groups.
        groups: where a row's groups come from.
        backend: the portal.
        invites: who is invited, by whom, and how long an invite lives.
        notifiers: who sends messages.
        absent: users of earlier sheets that are missing from this one: `keep`, `report` or `deactivate`.
        protect: users that nothing touches; `*` stands for any characters.
        limits: a job that would do more than this is refused as a whole.
        privileged: groups whose members can do much.
        undo: what `jobs undo` does.
        keep: how long what the pipeline has done is kept.
        severity: what a problem is to this customer, by its code: an `error`, a `warning`, or nothing (`ignore`).
        strict: whether every warning is an error.
        language: what people are told in, e.g. `de`; without it as the environment of whoever runs it has it.
        repairs: the problems, by code, whose suggestion is taken on the way in where nothing else can be meant; `safe`
            for all of them.
    """

    name: PipelineName
    plugins: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()
    state: PathText | None = None
    confirm: bool = False
    rehearsal: bool = False
    on_error: Literal["abort", "skip"]
    mode: Literal["create", "update", "both"] | None = None
    on_inactive: Literal["error", "reactivate", "update"]
    absent: Literal["keep", "report", "deactivate"]
    protect: tuple[Name, ...] = ()
    match: Annotated[tuple[FieldName, ...], Field(min_length=1)]
    sheet: SheetSettings
    scope: dict[FieldName, Name] = Field({})
    hand_edits: dict[FieldName, HandEditChoice] = Field({})
    reader: Use
    readers: dict[str, dict[str, Any]] = Field({})
    password: PasswordSettings
    transforms: tuple[NamedUse, ...] = ()
    validators: tuple[NamedUse, ...] = ()
    membership: MembershipSettings
    groups: tuple[NamedUse, ...] = ()
    backend: Use
    invites: InviteSettings
    notifiers: tuple[NotifierUse, ...] = ()
    limits: LimitSettings = Field(default_factory=LimitSettings)
    privileged: PrivilegedSettings = Field(default_factory=PrivilegedSettings)
    undo: UndoSettings
    keep: KeepSettings = Field(default_factory=KeepSettings)
    severity: dict[Code, SeverityChoice] = Field({})
    strict: bool = False
    language: str | None = None
    repairs: Literal["safe"] | tuple[Code, ...] = ()
