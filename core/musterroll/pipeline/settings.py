"""What a pipeline file can say: the typed shape of the merged TOML.

The defaults are in standard.toml. Here is only what an element of an array means that says nothing, and that
what is not there is empty.

Options of plugins are checked separately, by the models that the plugins bring.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from musterroll.contract.dates import DateFormText, PlainDateFormText
from musterroll.contract.fields import FieldRole, FieldType
from musterroll.contract.messages import Purpose
from musterroll.contract.options import SecretRef
from musterroll.contract.text import clean

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]
Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]*\.[a-z][a-z0-9_-]*$", max_length=200)]
RowNumber = Annotated[int, Field(ge=1, le=10_000_000)]
SendTo = Literal["none", "new", "all", "pending"]


_DEVICE = re.compile(r"(?i:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?")


def _file_name(name: str) -> str:
    if _DEVICE.fullmatch(name):
        raise ValueError("is the name of a device on Windows, and files are called after the pipeline; choose another")
    return name


def _not_empty(path: str) -> str:
    # Not a constraint of pydantic's, which takes no path that is not UTF-8.
    if not path:
        raise ValueError("must not be empty")
    return path


PipelineName = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=100),
    AfterValidator(_file_name),
]
"""Journal and templates are called after it, on every system."""

_MOST = 10**9
_LIMIT = 'should be a whole number, or a percentage as text, e.g. "20%"'
_PERCENTAGE = r"^(100(\.0+)?|[0-9]{1,2}(\.[0-9]+)?) ?%$"


def _limit(value: object) -> object:
    match value:
        case int() if not isinstance(value, bool):
            fault = "must be at least 0" if value < 0 else f"must be at most {_MOST}" if value > _MOST else None
        case str() if re.fullmatch(_PERCENTAGE, value):
            fault = None
        case str() if re.fullmatch(r"-?[0-9.]+ ?%", value):
            fault = "a percentage is from 0% to 100%"
        case _:
            fault = _LIMIT
    if fault is not None:
        raise ValueError(fault)
    return value


Limit = Annotated[
    int | str,
    BeforeValidator(_limit),
    WithJsonSchema(
        {"anyOf": [{"type": "integer", "minimum": 0, "maximum": _MOST}, {"type": "string", "pattern": _PERCENTAGE}]}
    ),
]
"""So many, or a percentage such as `20%`; of what, depends on what is limited."""


_DURATION = r"^[1-9][0-9]{0,4}[dw]$"


def _duration(value: object) -> object:
    if isinstance(value, str) and re.fullmatch(_DURATION, value):
        return value
    raise ValueError('should be days or weeks as text, e.g. "90d" or "12w"')


Duration = Annotated[
    str,
    BeforeValidator(_duration),
    WithJsonSchema({"type": "string", "pattern": _DURATION}),
]
"""A number of days (`90d`) or weeks (`12w`)."""


def days_of(duration: str) -> int:
    """Returns how many days a duration has."""
    return int(duration[:-1]) * (7 if duration.endswith("w") else 1)


class Table(BaseModel):
    """A table of the file: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class FieldSettings(Table):
    """`[[sheet.fields]]`: one field of a user and its column.

    Attributes:
        name: as rules, templates and portals know it: lower-case letters, digits and `_`.
        heading: as the sheet shows it.
        guidance: what to say to the person who fills the sheet in; `{rules}` in it stands for what the rules ask.
        example: a value, to show what is meant.
        required: every row needs it.
        required_when: the rows that need it, e.g. `{ role = "doctor" }`.
        max_length: the most characters.
        choices: the only values that are allowed; of a `command`, the only commands.
        role: what the column says of its row, instead of being a value of the user.
        aliases: other words of a `command` (`deactivate = ["left"]`), or of `active` (`yes`, `no`).
        type: what kind of values it has: text, if nothing is said.
        formats: the forms of a date besides 2026-12-31, e.g. `DD.MM.YYYY`; a sheet that is written has the first one.
        first_year: the first of the hundred years that a year of two digits (`YY` in `formats`) can mean.
        to: the form that dates get, which is that of 2026-12-31 if nothing is said.
        true: the words of a `boolean` that mean yes, instead of the usual ones; a sheet that is written has the first.
        false: those that mean no.
    """

    name: FieldName
    heading: Name
    guidance: str = "{rules}"
    example: str = ""
    required: bool = False
    required_when: dict[FieldName, Any] = {}
    max_length: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    choices: tuple[Name, ...] = ()
    role: FieldRole | None = None
    aliases: dict[str, tuple[Name, ...]] = {}
    type: FieldType | None = None
    formats: tuple[DateFormText, ...] = ()
    first_year: Annotated[int, Field(ge=1, le=9900)] | None = None
    to: PlainDateFormText | None = None
    true: tuple[Name, ...] = ()
    false: tuple[Name, ...] = ()


class MadeUsername(Table):
    """`username` of `[sheet.make]`: how a username is made that nobody else has.

    Attributes:
        from_: the forms, first choice first. `{base}` is the name of the first one; the last one counts with `{n}`.
        unique: nobody else has it, neither in the sheet nor in the portal.
        known_by: fields that together say who somebody is, so that the same person has the same name next time.
    """

    from_: Annotated[tuple[Name, ...], Field(min_length=1, alias="from")]
    unique: Literal[True] = True
    known_by: tuple[FieldName, ...] = ()


_SHORTEST_PASSWORD, _LONGEST_PASSWORD = 10, 128


def _generate(value: object) -> object:
    if value == "words" or (type(value) is int and _SHORTEST_PASSWORD <= value <= _LONGEST_PASSWORD):
        return value
    raise ValueError(f'should be "words", or a number of characters from {_SHORTEST_PASSWORD} to {_LONGEST_PASSWORD}')


Generate = Annotated[
    Literal["words"] | Annotated[int, Field(ge=_SHORTEST_PASSWORD, le=_LONGEST_PASSWORD)],
    BeforeValidator(_generate),
    WithJsonSchema(
        {
            "anyOf": [
                {"const": "words"},
                {"type": "integer", "minimum": _SHORTEST_PASSWORD, "maximum": _LONGEST_PASSWORD},
            ]
        }
    ),
]
"""What a password is made of: words, or so many characters."""


class MadePassword(Table):
    """`password` of `[sheet.make]`: the first password of a new user whose row has none.

    Attributes:
        generate: what it is made of: `words`, or so many characters.
    """

    generate: Generate


class MakeSettings(Table):
    """`[sheet.make]`: what is made where the sheet does not say it.

    Attributes:
        username: how usernames are made.
        password: how first passwords are made.
    """

    username: MadeUsername | None = None
    password: MadePassword | None = None


class SheetSettings(Table):
    """`[sheet]`: how the sheet is laid out.

    Attributes:
        worksheet: the worksheet to read; the only visible one without it.
        heading_row: the row of the headings.
        first_row: the first row with a user; what is between is guidance.
        on_blank_row: a blank row ends the sheet (`stop`), is passed over (`skip`) or is an `error`.
        on_blank_cell: a blank cell of an existing user keeps what is stored (`keep`) or empties it (`clear`).
        fields: the fields; one of an inherited name changes that one.
        aliases: other headings of a field.
        defaults: what a blank cell means when a user is created.
        compose: fields made of others, e.g. `{forename}.{surname}`.
        make: what is made where the sheet does not say it: usernames that nobody else has, first passwords.
        omit: fields that the sheet does not have.
    """

    worksheet: str | None = None
    heading_row: RowNumber
    first_row: Annotated[RowNumber, Field(ge=2)]
    on_blank_row: Literal["stop", "skip", "error"]
    on_blank_cell: Literal["keep", "clear"]
    fields: tuple[FieldSettings, ...]
    aliases: dict[FieldName, tuple[Name, ...]] = {}
    defaults: dict[FieldName, str | SecretRef] = {}
    compose: dict[FieldName, str] = {}
    make: MakeSettings = Field(default_factory=MakeSettings)
    omit: tuple[FieldName, ...] = ()


class Use(Table):
    """A table that chooses a plugin: `use` and its `options`.

    Attributes:
        use: the name of the plugin; `musterroll plugins list` shows all.
        options: its options.
    """

    use: Name
    options: dict[str, Any] = {}


class NamedUse(Use):
    """An element of an array of tables that choose plugins, merged by `name`.

    Attributes:
        name: a name of your own; an inherited one changes that element.
        enabled: false takes an inherited element out.
        when: the rows that it is about, e.g. `{ department = "Sales" }`; all rows without it.
    """

    name: Name
    enabled: bool = True
    when: dict[FieldName, Any] = {}  # `Conditions`, which most pipelines do not need


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
    privileged: Annotated[int, Field(ge=0, le=_MOST)] | None = None
    invite: Limit | None = None
    reject: Limit | None = None
    rows_changed: Limit | None = None
    from_users: Annotated[int, Field(ge=0, le=_MOST)] = 0


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
    state: Annotated[str, AfterValidator(_not_empty)] | None = None
    confirm: bool = False
    rehearsal: bool = False
    on_error: Literal["abort", "skip"]
    mode: Literal["create", "update", "both"] | None = None
    on_inactive: Literal["error", "reactivate", "update"]
    absent: Literal["keep", "report", "deactivate"]
    protect: tuple[Name, ...] = ()
    match: Annotated[tuple[FieldName, ...], Field(min_length=1)]
    sheet: SheetSettings
    scope: dict[FieldName, Name] = {}
    hand_edits: dict[FieldName, HandEditChoice] = {}
    reader: Use
    readers: dict[str, dict[str, Any]] = {}
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
    severity: dict[Code, SeverityChoice] = {}
    strict: bool = False
    language: str | None = None
    repairs: Literal["safe"] | tuple[Code, ...] = ()
