"""Keycloak, Microsoft Graph and Okta as their documentation describes them: servers of our own, not the real ones.

What is reproduced: caps of pages and how the next one is found, what is said of duplicates, 429 with Retry-After or an
epoch header, changes that lists and look-ups show late, lower-cased names, tokens that end in the middle, groups by id.
Names that the real ones would refuse are taken here, so that the contract can ask for them.
"""

from __future__ import annotations

import itertools
import random
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from aiohttp import web

Object = dict[str, Any]


class Refusal(Exception):  # noqa: N818 -- of a portal, which is no error of a test
    """An answer that is no success."""

    def __init__(self, status: int, body: Any = None, **headers: str) -> None:
        super().__init__(status)
        self.status, self.body = status, body
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Created(Refusal):
    """One that is: 201 with headers."""


class Identity:
    """What the three have in common: users and groups by id, and faults.

    Attributes:
        url: where it is.
        busy: the share of requests for which there were too many before.
        broken: the share of writes that are done, and then the line breaks.
        lag: so many seconds it takes until a new user or group is shown.
        seen: the requests, as `POST /users`.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.busy = self.broken = self.lag = 0.0
        self.users: dict[str, Object] = {}
        self.groups: dict[str, Object] = {}
        self.members: set[tuple[str, str]] = set()  # group, user
        self.seen: Counter[str] = Counter()
        self.random = random.Random(7)
        self._shown: dict[str, float] = {}
        self._ids: Iterator[int] = itertools.count(1)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        parts = [unquote(part) for part in request.match_info["path"].split("/")]
        self.seen[f"{request.method} /{parts[0]}"] += 1
        body = await request.json() if request.can_read_body and request.content_type == "application/json" else None
        try:
            if (service := self.open_to_all(parts, await request.post() if body is None else {})) is not None:
                return web.json_response(service)
            self.let_in(request.headers.get("Authorization", ""))
            if self.random.random() < self.busy:
                raise self.too_many()
            found = self.answer(request.method, parts, request, body)
            answer = web.Response(status=204) if found is None else self.shown(found)
        except Refusal as refusal:
            answer = web.json_response(refusal.body, status=refusal.status, headers=refusal.headers)
        if request.method != "GET" and answer.status < 300 and self.random.random() < self.broken:
            assert request.transport is not None
            request.transport.abort()
        return answer

    def shown(self, found: Any) -> web.Response:
        headers = found.pop("headers", {}) if isinstance(found, dict) else {}
        return web.json_response(found.get("list", found), headers=headers)

    def open_to_all(self, parts: list[str], form: Any) -> Object | None:
        """What is answered without signing in."""
        return None

    @abstractmethod
    def let_in(self, authorization: str) -> None: ...

    @abstractmethod
    def too_many(self) -> Refusal: ...

    @abstractmethod
    def answer(self, method: str, parts: list[str], request: web.Request, body: Any) -> Any: ...

    def put(self, kept: dict[str, Object], one: Object) -> Object:
        ref = f"{next(self._ids):08d}-0000-4000-8000-000000000000"
        kept[ref] = {**one, "id": ref}
        self._shown[ref] = time.monotonic() + self.lag
        return kept[ref]

    def is_shown(self, ref: str) -> bool:
        return self._shown[ref] <= time.monotonic()

    def one(self, kept: dict[str, Object], ref: str, missing: Refusal) -> Object:
        if ref not in kept:
            raise missing
        return kept[ref]

    def visible(self, kept: dict[str, Object]) -> list[Object]:
        return [one for ref, one in kept.items() if self.is_shown(ref)]

    def drop(self, ref: str) -> None:
        self.members = {pair for pair in self.members if ref not in pair}

    def inside(self, group: str) -> list[Object]:
        return [user for ref, user in self.users.items() if (group, ref) in self.members]

    def check_free(self, value: str, of: Callable[[Object], Any], ref: str | None, taken: Refusal) -> None:
        same = [one for one in self.users.values() if str(of(one) or "").lower() == value.lower()]
        if value and any(one["id"] != ref for one in same):
            raise taken


class Keycloak(Identity):
    """Pages of 100 at the most, lower-cased names and addresses, answers without a body, tokens for sixty requests."""

    cap, uses = 100, 60

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._token, self._left, self.tokens = "", 0, 0

    def open_to_all(self, parts: list[str], form: Any) -> Object | None:
        if parts != ["token"]:
            return None
        if form.get("grant_type") != "client_credentials":
            raise Refusal(400, {"error": "unsupported_grant_type", "error_description": "Unsupported grant_type"})
        self.tokens += 1
        self._token, self._left = f"token-{self.tokens}", self.uses
        return {"access_token": self._token, "expires_in": 60, "token_type": "Bearer"}

    def let_in(self, authorization: str) -> None:
        self._left -= 1
        if authorization != f"Bearer {self._token}" or self._left < 0:
            raise Refusal(401, {"error": "HTTP 401 Unauthorized"})

    def too_many(self) -> Refusal:  # a proxy in front of it
        return Refusal(503, None, Retry_After="0")

    def answer(self, method: str, parts: list[str], request: web.Request, body: Any) -> Any:
        no_user, no_group = (
            Refusal(404, {"error": "User not found"}),
            Refusal(404, {"error": "Could not find group by id"}),
        )
        match method, parts:
            case "GET", ["users"]:
                name = request.query.get("username")
                users = [user for user in self.users.values() if name in (None, user["username"])]
                return self._page(users, request)
            case "POST", ["users"]:
                user = self._stored({}, body)
                raise self._created("users", self.put(self.users, user))
            case _, ["users", ref]:
                user = self.one(self.users, ref, no_user)
                if method == "PUT":
                    user |= self._stored(user, body)
                    return None
                if method == "DELETE":
                    del self.users[ref]
                    self.drop(ref)
                    return None
                return _without_password(user)
            case "PUT", ["users", ref, "reset-password"]:
                self.one(self.users, ref, no_user)["credentials"] = [body]
                return None
            case (("PUT" | "DELETE"), ["users", ref, "groups", group]):
                self.one(self.users, ref, no_user)
                self.one(self.groups, group, Refusal(404, {"error": "Group not found"}))
                change = self.members.add if method == "PUT" else self.members.discard
                change((group, ref))
                return None
            case "GET", ["groups"]:
                return self._page([group for group in self.groups.values() if group["parent"] is None], request)
            case "GET", ["groups", ref, "children"]:
                self.one(self.groups, ref, no_group)
                return self._page([group for group in self.groups.values() if group["parent"] == ref], request)
            case "GET", ["groups", ref, "members"]:
                self.one(self.groups, ref, no_group)
                return self._page(self.inside(ref), request)
            case "POST", ["groups"] | ["groups", _, "children"]:
                parent = parts[1] if len(parts) > 1 else None
                if parent is not None:
                    self.one(self.groups, parent, no_group)
                if any(one["name"] == body["name"] and one["parent"] == parent for one in self.groups.values()):
                    where = "Sibling" if parent else "Top level"
                    raise Refusal(409, {"errorMessage": f"{where} group named '{body['name']}' already exists."})
                raise self._created("groups", self.put(self.groups, {**body, "parent": parent}))
            case "DELETE", ["groups", ref]:
                self.one(self.groups, ref, no_group)
                del self.groups[ref]
                self.drop(ref)
                return None
        raise Refusal(404, {"error": "RESTEASY003210: Could not find resource"})

    def _stored(self, user: Object, body: Object) -> Object:
        body = {
            name: value.lower() if name in ("username", "email") and value else value for name, value in body.items()
        }
        for name in ("username", "email"):
            taken = Refusal(409, {"errorMessage": f"User exists with same {name}"})
            self.check_free(body.get(name) or "", lambda one, name=name: one.get(name), user.get("id"), taken)  # type: ignore[misc]
        return body

    def _created(self, kind: str, one: Object) -> Refusal:
        return Created(201, None, Location=f"{self.url}/{kind}/{one['id']}")

    def _page(self, every: list[Object], request: web.Request) -> Object:
        first, most = int(request.query.get("first", 0)), min(int(request.query.get("max", 100)), self.cap)
        return {"list": [_without_password(one) for one in every[first : first + most]]}


class Graph(Identity):
    """Microsoft Graph: pages by links, 400 for duplicates, 429 with Retry-After, and what is new is shown late."""

    cap = 50

    def let_in(self, authorization: str) -> None:
        if authorization != "Bearer graph-token":
            raise self._error(401, "InvalidAuthenticationToken", "Access token is empty.")

    def too_many(self) -> Refusal:
        error = {"error": {"code": "TooManyRequests", "message": "Too many requests"}}
        return Refusal(429, error, Retry_After="1" if self.random.random() < 0.1 else "0")

    def answer(self, method: str, parts: list[str], request: web.Request, body: Any) -> Any:
        missing = self._error(
            404, "Request_ResourceNotFound", "Resource does not exist or one of its queried references."
        )
        match method, parts:
            case "GET", ["users"]:
                return self._page(self.visible(self.users), request)
            case "POST", ["users"]:
                needed = ("accountEnabled", "displayName", "mailNickname", "userPrincipalName")
                if any(not body.get(name) for name in needed):
                    raise self._error(400, "Request_BadRequest", "A required property was missing.")
                return self.put(self.users, self._stored({}, body))
            case "GET", ["users", ref]:
                found = [
                    one for one in self.users.values() if ref.lower() in (one["id"], one["userPrincipalName"].lower())
                ]
                if not found or not self.is_shown(found[0]["id"]):
                    raise missing
                return _without_password(found[0])
            case "PATCH", ["users", ref]:
                user = self.one(self.users, ref, missing)
                user |= self._stored(user, body)
                return None
            case "DELETE", [("users" | "groups") as kind, ref]:
                kept = self.users if kind == "users" else self.groups
                self.one(kept, ref, missing)
                del kept[ref]
                self.drop(ref)
                return None
            case "GET", ["groups"]:
                return self._page(self.visible(self.groups), request)
            case "POST", ["groups"]:  # of any name, even one that is there
                return self.put(self.groups, body)
            case "GET", ["groups", ref, "members"]:
                self.one(self.groups, ref, missing)
                return self._page(self.inside(ref), request)
            case "POST", ["groups", ref, "members", "$ref"]:
                self.one(self.groups, ref, missing)
                member = str(body["@odata.id"]).rpartition("/")[2]
                if member not in self.users or not self.is_shown(member):
                    raise missing
                if (ref, member) in self.members:
                    text = "One or more added object references already exist for the following modified properties"
                    raise self._error(400, "Request_BadRequest", f"{text}: 'members'.")
                self.members.add((ref, member))
                return None
            case "DELETE", ["groups", ref, "members", user, "$ref"]:
                if (ref, user) not in self.members:
                    raise missing
                self.members.discard((ref, user))
                return None
        raise self._error(400, "BadRequest", "Resource not found for the segment.")

    def _stored(self, user: Object, body: Object) -> Object:
        text = "Another object with the same value for property userPrincipalName already exists."
        taken = self._error(400, "Request_BadRequest", text)
        name = body.get("userPrincipalName") or ""
        self.check_free(name, lambda one: one["userPrincipalName"], user.get("id"), taken)
        return body

    def _page(self, every: list[Object], request: web.Request) -> Object:
        first, most = int(request.query.get("$skiptoken", 0)), min(int(request.query.get("$top", 100)), self.cap)
        more = {}
        if first + most < len(every):
            more = {"@odata.nextLink": f"{self.url}/{request.match_info['path']}?$top={most}&$skiptoken={first + most}"}
        return {"value": [_without_password(one) for one in every[first : first + most]], **more}

    def _error(self, status: int, code: str, message: str) -> Refusal:
        return Refusal(status, {"error": {"code": code, "message": message}})


class Okta(Identity):
    """Pages by the header Link, 400 for duplicates, 429 whose wait is an epoch time, searches that lag, life cycles."""

    cap = 40

    def let_in(self, authorization: str) -> None:
        if authorization != "SSWS okta-token":
            raise self._error(401, "E0000011", "Invalid token provided")

    def too_many(self) -> Refusal:
        ahead = 1 if self.random.random() < 0.1 else 0
        headers = {
            "X_Rate_Limit_Limit": "600",
            "X_Rate_Limit_Remaining": "0",
            "X_Rate_Limit_Reset": str(int(time.time()) + ahead),
        }
        return self._error(429, "E0000047", "API call exceeded rate limit due to too many requests.", **headers)

    def answer(self, method: str, parts: list[str], request: web.Request, body: Any) -> Any:
        missing = self._error(404, "E0000007", "Not found: Resource not found")
        match method, parts:
            case "GET", ["users"]:
                assert request.query["search"] == "status pr"
                return self._page(self.visible(self.users), request)
            case "POST", ["users"]:
                user = {"status": "ACTIVE" if "credentials" in body else "PROVISIONED", **self._stored({}, body)}
                return _without_password(self.put(self.users, user))
            case "GET", ["users", ref]:
                users = [
                    one for one in self.users.values() if ref.lower() in (one["id"], one["profile"]["login"].lower())
                ]
                if not users:
                    raise missing
                return _without_password(users[0])
            case "POST", ["users", ref]:
                user = self.one(self.users, ref, missing)
                user |= self._stored(user, body)
                return _without_password(user)
            case "POST", ["users", ref, "lifecycle", ("suspend" | "unsuspend") as action]:
                user = self.one(self.users, ref, missing)
                if action == "suspend" and user["status"] not in ("ACTIVE", "PROVISIONED"):
                    raise self._error(400, "E0000001", "Cannot suspend a user that is not active")
                if action == "unsuspend" and user["status"] != "SUSPENDED":
                    raise self._error(400, "E0000001", "Cannot unsuspend a user that is not suspended")
                user["status"] = "SUSPENDED" if action == "suspend" else "ACTIVE"
                return {"headers": {}}
            case "GET", ["groups"]:
                assert request.query["filter"] == 'type eq "OKTA_GROUP"'
                return self._page(self.visible(self.groups), request)
            case "POST", ["groups"]:
                name = body["profile"]["name"]
                if any(one["profile"]["name"] == name for one in self.groups.values()):
                    cause = "name: An object with this field already exists in the current organization"
                    raise self._error(400, "E0000001", "Api validation failed: name", cause)
                return self.put(self.groups, {"type": "OKTA_GROUP", **body})
            case "DELETE", ["groups", ref]:
                self.one(self.groups, ref, missing)
                del self.groups[ref]
                self.drop(ref)
                return None
            case "GET", ["groups", ref, "users"]:
                self.one(self.groups, ref, missing)
                return self._page(self.inside(ref), request)
            case (("PUT" | "DELETE"), ["groups", ref, "users", user]):
                self.one(self.groups, ref, missing)
                self.one(self.users, user, missing)
                change = self.members.add if method == "PUT" else self.members.discard
                change((ref, user))
                return None
        raise self._error(405, "E0000022", "The endpoint does not support the provided HTTP method")

    def _stored(self, user: Object, body: Object) -> Object:
        cause = "login: An object with this field already exists in the current organization"
        taken = self._error(400, "E0000001", "Api validation failed: login", cause)
        profile = {**user.get("profile", {}), **body.get("profile", {})}
        self.check_free(profile["login"], lambda one: one["profile"]["login"], user.get("id"), taken)
        return {**body, "profile": profile}

    def _page(self, every: list[Object], request: web.Request) -> Object:
        first, most = int(request.query.get("after", 0)), min(int(request.query.get("limit", 200)), self.cap)
        address = f"{self.url}/{request.match_info['path']}"
        query = {**request.query, "after": str(first + most)}
        link = f'<{address}>; rel="self"'
        if first + most < len(every):
            link += f', <{request.url.with_query(query)}>; rel="next"'
        return {"list": [_without_password(one) for one in every[first : first + most]], "headers": {"Link": link}}

    def _error(self, status: int, code: str, summary: str, cause: str = "", **headers: str) -> Refusal:
        causes = [{"errorSummary": cause}] if cause else []
        return Refusal(status, {"errorCode": code, "errorSummary": summary, "errorCauses": causes}, **headers)


def _without_password(one: Object) -> Object:
    return {name: value for name, value in one.items() if name not in ("credentials", "passwordProfile")}
