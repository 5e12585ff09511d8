"""The calls of a portal as they are described, and where things are in its answers."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

from musterroll import Options
from musterroll_http import Paging
from musterroll_plugins.backends.rest.templates import PASSWORD, RequestLine, placeholders


def _in_words(value: object) -> object:
    return {"request": value} if isinstance(value, str) else value


def _request(text: str) -> str:
    line = RequestLine.parse(text)
    if PASSWORD in line.names:
        raise ValueError("a password cannot stand in an address: addresses are written into logs; put it into the body")
    return text


RequestText = Annotated[str, AfterValidator(_request)]
HttpStatus = Annotated[int, Field(ge=300, le=599)]
JsonPath = Annotated[str, Field(max_length=1000)]


class Call(Options):
    """A request; instead of the table its first line may stand alone.

    Attributes:
        request: method and path, as `PUT /users/{user}`.
        body: what is sent as JSON; texts in it may have placeholders.
    """

    request: RequestText
    body: dict[str, Any] = Field({})

    @model_validator(mode="after")
    def _has_no_body(self) -> Call:
        if self.line.method == "GET" and self.body:
            raise ValueError("a GET has no body")
        return self

    @property
    def line(self) -> RequestLine:
        """The request, taken apart."""
        return RequestLine.parse(self.request)

    @property
    def names(self) -> set[str]:
        """The placeholders in it."""
        return self.line.names | set(placeholders(self.body))


class ListCall(Call):
    """A request for a list.

    Attributes:
        items: where the list is in the answer; empty where the answer is the list.
        by: how it comes in pages.
        size: so many are asked for at once, where `page_size` does not say; 0 leaves it to the portal.
        size_param: the name of the parameter for that.
        start_param: the name of the parameter for the offset, page or cursor.
        first: the number of the first page.
        next: where the cursor or the address of the next page is in the answer; empty: in the header `Link`.
        total: where the answer says how many there are.
    """

    items: JsonPath = ""
    by: Literal["none", "offset", "page", "cursor", "link"] = "none"
    size: int = Field(0, ge=0, le=100_000)
    size_param: str = "limit"
    start_param: str = "offset"
    first: int = Field(0, ge=0)
    next: JsonPath = ""
    total: JsonPath = ""

    @model_validator(mode="after")
    def _pages(self) -> ListCall:
        if self.line.method != "GET":
            raise ValueError("a list is read by GET")
        if self.by == "cursor" and not self.next:
            raise ValueError("next says where the cursor is in the answer")
        return self

    def paging(self) -> Paging:
        """How the list is read."""
        return Paging(
            by=self.by,
            items=self.items,
            size=self.size,
            size_param=self.size_param,
            start_param=self.start_param,
            first=self.first,
            next=self.next,
            total=self.total,
        )


class FindCall(Call):
    """A search for a user.

    Attributes:
        items: where what was found is in the answer: a list, or one user.
        fields: the fields that `{value}` can be of.
    """

    items: JsonPath = ""
    fields: tuple[str, ...] = ("username",)


class CreateCall(Call):
    """A request that creates something.

    Attributes:
        ref: where the new id is in the answer; failing that, the end of the address in `Location` is taken.
    """

    ref: JsonPath = "id"


class UpdateCall(Call):
    """A request that changes a user.

    Attributes:
        send: what is sent: the `changes`, or the user as it is, with them (`whole`).
    """

    send: Literal["changes", "whole"] = "changes"


class _OrItsFirstLine:
    """Lets a text stand for a table that has nothing else in it, for editors as well."""

    @staticmethod
    def __get_pydantic_core_schema__(source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_before_validator_function(_in_words, handler(source))

    @staticmethod
    def __get_pydantic_json_schema__(schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"anyOf": [{"type": "string"}, handler(schema)]}


AnyCall = Annotated[Call, _OrItsFirstLine]
AnyList = Annotated[ListCall, _OrItsFirstLine]
AnyFind = Annotated[FindCall, _OrItsFirstLine]
AnyCreate = Annotated[CreateCall, _OrItsFirstLine]
AnyUpdate = Annotated[UpdateCall, _OrItsFirstLine]


class UserCalls(Options):
    """The users of the portal.

    Attributes:
        all: lists all of them.
        get: reads one, `{user}`.
        find: searches for one by `{value}`.
        create: creates one; what `fields`, `username` and `key` say is put into its body.
        update: changes one.
        set_password: sets `{password}`.
        activate: makes one active.
        deactivate: makes one inactive.
        delete: deletes one.
        invite: lets the portal invite one.
        ref: where the id is in a user.
        username: where the username is.
        fields: where the fields are; an empty path leaves a field out, whatever the sheet has there.
        key: where the id of the operation that created the user is kept; empty where it cannot be.
        active: where it says whether the user is active.
        inactive: what stands there where the user is not.
        groups: where the groups are that the user is in: ids, or tables that have one.
        cleared: what is sent for a field that is cleared.
        rename: the username can be changed.
    """

    all: AnyList | None = None
    get: AnyCall | None = None
    find: AnyFind | None = None
    create: AnyCreate | None = None
    update: AnyUpdate | None = None
    set_password: AnyCall | None = None
    activate: AnyCall | None = None
    deactivate: AnyCall | None = None
    delete: AnyCall | None = None
    invite: AnyCall | None = None
    ref: JsonPath = "id"
    username: JsonPath = "username"
    fields: dict[str, JsonPath] = Field({})
    key: JsonPath = ""
    active: JsonPath = ""
    inactive: tuple[str | bool, ...] = (False,)
    groups: JsonPath = ""
    cleared: Literal["null", "empty"] = "null"
    rename: bool = True


class GroupCalls(Options):
    """The groups of the portal.

    Attributes:
        all: lists all of them, or those at the top.
        children: lists those inside `{group}`, where `all` lists those at the top.
        members: lists the members of `{group}`, where users do not tell their groups.
        create: creates one, `{name}`, inside `{parent}` where that stands in it.
        create_inside: creates one inside `{parent}`, where that is another request.
        add: adds `{user}` to `{group}`.
        remove: takes `{user}` out of `{group}`.
        delete: deletes one.
        ref: where the id is in a group.
        name: where its name is.
        parent: where the id of the group is that it is in.
        key: where the id of the operation that created the group is kept; `{key}` stands in the body of `create`.
        member: where the id is in a member.
        separator: what stands between the levels in the name of a group, where the portal has no groups inside groups.
    """

    all: AnyList | None = None
    children: AnyList | None = None
    members: AnyList | None = None
    create: AnyCreate | None = None
    create_inside: AnyCreate | None = None
    add: AnyCall | None = None
    remove: AnyCall | None = None
    delete: AnyCall | None = None
    ref: JsonPath = "id"
    name: JsonPath = "name"
    parent: JsonPath = ""
    key: JsonPath = ""
    member: JsonPath = "id"
    separator: str | None = Field(None, min_length=1, max_length=1, pattern=r"[^\\]")


class When(Options):
    """An answer that means something.

    Attributes:
        status: of HTTP.
        words: what stands in it, in any case of the letters; empty for any.
    """

    status: HttpStatus
    words: str = ""


AnyWhen: TypeAlias = HttpStatus | When
