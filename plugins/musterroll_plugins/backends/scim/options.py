"""The options of the backend `scim`."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from musterroll import Template
from musterroll_http import HttpOptions, check_url
from musterroll_plugins.backends.scim.paths import AttributePath
from musterroll_simple import Spelling

_WITH_A_PLACE = ("username", "password", "groups")


def _address(text: str) -> str:
    check_url(text)
    parts = urlsplit(text)
    if parts.query or parts.fragment:
        raise ValueError("leave out what follows ? or # in the address")
    return text.rstrip("/")


def _attribute(text: str) -> str:
    if text:
        AttributePath.parse(text)
    return text


def _template(value: str | bool) -> str | bool:
    if isinstance(value, str):
        Template(value)
    return value


def _field(name: str) -> str:
    if name in _WITH_A_PLACE:
        raise ValueError(f"the {name} has a place of its own in SCIM")
    return name


Address = Annotated[str, AfterValidator(_address)]
Attribute = Annotated[str, AfterValidator(_attribute)]
FieldName = Annotated[str, AfterValidator(_field)]
Text = Annotated[str | bool, AfterValidator(_template)]
HttpStatus = Annotated[int, Field(ge=400, le=599)]


class ScimOptions(HttpOptions):
    """Options of the backend `scim`.

    Attributes:
        url: the address of the portal's SCIM service, as `https://portal.example/scim/v2`.
        tenant: where one address serves several tenants and the token decides: a name that tells them apart.
        requests_per_second: not more requests than these.
        fields: which SCIM attribute a field becomes, besides the usual ones; `""` leaves the field out, whatever the
            sheet has there.
        required: attributes that the portal insists on when a user is created, where the sheet has nothing for
            them; texts may have placeholders as `{forename}`.
        leave_out: attributes that the portal does not want to be sent, as `externalId` or `emails.primary`.
        stored_as: fields whose spelling the portal changes when it stores them.
        nesting: how a group inside a group is kept: as a `members` entry of the outer one, in its name (`path`),
            or not at all.
        path_separator: what separates the levels of a group that is kept in its name.
        memberships: where the portal tells who is a member: in its `groups` or in its `users`.
        member_batch: so many members are added to a group at once.
        remove_members: how members are taken out: by a `filter` path as in the RFC, or by replacing the whole
            list (`replace`).
        lookup: how users are looked up. `auto` reads all users once, unless the portal compares names as we do;
            `filter` asks for each, and misses names that differ in more than the portal itself overlooks.
        matching: how the portal compares usernames, where it does not say so itself.
        update: how users and groups are changed; `auto` goes by what the portal announces.
        bulk: whether several operations go into one request where the portal announces that it takes them.
        bulk_size: so many at once, at the most.
        page_size: so many users or groups are asked for at once; 0 leaves it to the portal.
        max_url: the longest address, in characters, that is sent.
        max_answer: the largest answer, in bytes and decompressed, that is read.
        max_users: a portal that speaks of more users, or of more groups, is not believed.
        unique_email: an address may belong to one user only; where the portal does not say so itself.
        duplicate_status: the HTTP statuses by which the portal says that something exists already.
    """

    url: Address
    tenant: str = ""
    concurrency: int = Field(16, ge=1, le=256)
    requests_per_second: float | None = Field(None, ge=0.001, le=100_000)
    retries: int = Field(6, ge=0, le=100)
    fields: dict[FieldName, Attribute] = Field({})
    required: dict[Attribute, Text] = Field({})
    leave_out: tuple[str, ...] = ()
    stored_as: dict[str, Spelling] = Field({})
    nesting: Literal["members", "path", "none"] = "members"
    path_separator: str = Field("|", min_length=1, max_length=1)
    memberships: Literal["groups", "users"] = "groups"
    member_batch: int = Field(200, ge=1, le=100_000)
    remove_members: Literal["filter", "replace"] = "filter"
    lookup: Literal["auto", "filter", "index"] = "auto"
    matching: Literal["exact", "case", "folded"] | None = None
    update: Literal["auto", "patch", "put"] = "auto"
    bulk: Literal["auto", "never"] = "auto"
    bulk_size: int = Field(100, ge=1, le=100_000)
    page_size: int = Field(200, ge=0, le=100_000)
    max_url: int = Field(2000, ge=200, le=100_000)
    max_answer: int = Field(33554432, ge=65536, le=1_073_741_824)
    max_users: int = Field(2000000, ge=1, le=1_000_000_000)
    unique_email: bool | None = None
    duplicate_status: tuple[HttpStatus, ...] = (409,)

    @model_validator(mode="after")
    def _plain_separator(self) -> ScimOptions:
        if "\\" in self.path_separator:
            raise ValueError("path_separator cannot have a backslash in it")
        return self
