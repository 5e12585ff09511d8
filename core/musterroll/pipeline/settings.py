"""What a pipeline file can say: the typed shape of the merged TOML.

Options of plugins are checked separately, by the models that the plugins bring.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from musterroll.model.messages import Purpose
from musterroll.plugin.options import SecretRef

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
FieldName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
SendTo = Literal["none", "new", "all", "pending"]


class Table(BaseModel):
    """A table of the file: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class FieldSettings(Table):
    """`[[sheet.fields]]`: one field of a user and its column."""

    name: FieldName
    heading: Name
    guidance: str = ""
    required: bool = False
    max_length: Annotated[int, Field(gt=0)] | None = None


class SheetSettings(Table):
    """`[sheet]`: how the sheet is laid out."""

    worksheet: str | None = None
    heading_row: Annotated[int, Field(ge=1)]
    first_row: Annotated[int, Field(ge=2)]
    on_blank_row: Literal["stop", "skip", "error"]
    on_blank_cell: Literal["keep", "clear"]
    fields: tuple[FieldSettings, ...]
    aliases: dict[FieldName, tuple[Name, ...]] = {}
    defaults: dict[FieldName, str | SecretRef] = {}
    compose: dict[FieldName, str] = {}
    omit: tuple[FieldName, ...] = ()


class Use(Table):
    """A table that chooses a plugin: `use` and its `options`."""

    use: Name
    options: dict[str, Any] = {}


class NamedUse(Use):
    """An element of an array of tables that choose plugins, merged by `name`."""

    name: Name
    enabled: bool = True


class NotifierUse(NamedUse):
    """`[[notifiers]]`: a notifier and what it is told."""

    on: tuple[Purpose, ...] = (Purpose.INVITE,)


class PasswordSettings(Table):
    """`[password]`: when a password is needed and used; its policy is the validator's."""

    required: Literal["always", "new", "never"]
    on_existing: Literal["keep", "reset"]


class MembershipSettings(Table):
    """`[membership]`: what becomes of groups."""

    mode: Literal["add", "replace"]
    missing: Literal["create", "error", "skip"]


class InviteSettings(Table):
    """`[invites]`: who is invited, by whom, and how long an invite lives."""

    send_to: SendTo
    valid_days: Annotated[int, Field(ge=1)]
    by: Literal["notifiers", "backend"]


class Settings(Table):
    """The whole merged pipeline file."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    plugins: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()
    state: str | None = None
    confirm: bool = False
    on_error: Literal["abort", "skip"]
    on_inactive: Literal["error", "reactivate", "update"]
    match: Annotated[tuple[FieldName, ...], Field(min_length=1)]
    sheet: SheetSettings
    reader: Use
    readers: dict[str, dict[str, Any]] = {}
    password: PasswordSettings
    validators: tuple[NamedUse, ...] = ()
    membership: MembershipSettings
    groups: tuple[NamedUse, ...] = ()
    backend: Use
    invites: InviteSettings
    notifiers: tuple[NotifierUse, ...] = ()
