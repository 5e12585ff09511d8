"""The operations of the API as an OpenAPI document."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from musterroll_plugins.web.people import Role
from musterroll_plugins.web.site import Handler
from musterroll_plugins.web.words import INVITES


class Operation(NamedTuple):
    """One operation of the API.

    Attributes:
        method: its method.
        path: its path.
        handler: makes the answer.
        role: the role that it takes for the customer of the path; None where the handler looks.
        summary: what it does.
        answers: by status, what the answer is: one of those below.
        takes_sheet: whether it is sent a sheet, or rows.
        query: what can be said in the address.
    """

    method: str
    path: str
    handler: Handler
    role: Role | None
    summary: str
    answers: Mapping[int, str]
    takes_sheet: bool = False
    query: Collection[str] = ()


REFUSED = {
    401: "No token that is known.",
    403: "The token's role does not do.",
    404: "There is none for this token.",
    429: "Too many tokens were tried, or too many uploads wait.",
}
NOT_NOW = {409: "That cannot be done with it now.", 503: "The pipeline has mistakes, or too much waits already."}
NOT_TAKEN = {
    400: "The body cannot be read.",
    413: "The sheet is too large.",
    415: "That is no sheet.",
    422: "What is sent is not right.",
}

_TEXT = {"type": "string"}
_COUNT = {"type": "integer", "minimum": 0}
_GOOD = {  # by what is answered: what it is, in words and as a schema
    "begun": (
        "It has begun; `location` is where its document will be.",
        {"type": "object", "properties": {"id": _TEXT, "location": _TEXT}, "required": ["id", "location"]},
    ),
    "discarded": (
        "It is forgotten.",
        {"type": "object", "properties": {"id": _TEXT}, "required": ["id"]},
    ),
    "standing": (
        "It is not done yet.",
        {
            "type": "object",
            "properties": {
                "id": _TEXT,
                "state": {"enum": ["waiting", "running", "lost"]},
                "stage": _TEXT,
                "done": _COUNT,
                "total": {"anyOf": [_COUNT, {"type": "null"}]},
            },
            "required": ["id", "state", "stage", "done", "total"],
        },
    ),
    "document": (
        "The document of the command, as `--format json` prints it.",
        {
            "type": "object",
            "properties": {
                "schema": {"const": "musterroll/1"},
                "command": _TEXT,
                "status": {"enum": ["ok", "problems", "error", "refused", "failed", "interrupted"]},
                "error": {"anyOf": [{"$ref": "#/components/schemas/problem"}, {"type": "null"}]},
            },
            "required": ["schema", "command", "status", "error"],
        },
    ),
    "jobs": (
        "The document of `jobs list`.",
        {
            "allOf": [{"$ref": "#/components/schemas/document"}],
            "type": "object",
            "properties": {"jobs": {"type": "array", "items": {"type": "object", "required": ["id", "state"]}}},
            "required": ["jobs"],
        },
    ),
    "openapi": ("It.", {"type": "object", "required": ["openapi", "info", "paths"]}),
}
_PROBLEM = {"type": "object", "properties": {"code": _TEXT, "message": _TEXT}, "required": ["code", "message"]}
_WANTED = {"profile": _TEXT, "invites": {"enum": list(INVITES)}}
_ROWS = {
    "type": "array",
    "items": {"type": "object", "additionalProperties": _TEXT},
    "description": "The users, by the names of the fields, e.g. username.",
}
_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"sheet": {"type": "string", "format": "binary"}, **_WANTED},
                "required": ["sheet"],
            }
        },
        "application/json": {
            "schema": {
                "type": "object",
                "properties": {"rows": _ROWS, **_WANTED},
                "required": ["rows"],
                "additionalProperties": False,
            }
        },
    },
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": 200},
    "description": "What is sent twice under one key is begun once.",
}


def openapi(operations: Collection[Operation]) -> dict[str, Any]:
    """Makes the OpenAPI document of the operations."""
    paths: dict[str, Any] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = {
            "summary": one.summary,
            "operationId": _id_of(one),
            "parameters": [*_parameters(one), *([_KEY] if one.takes_sheet else [])],
            "responses": {str(status): _answer(what) for status, what in sorted(one.answers.items())},
            **({"requestBody": _BODY} if one.takes_sheet else {}),
        }
    error = {"type": "object", "properties": {"error": {"$ref": "#/components/schemas/problem"}}, "required": ["error"]}
    return {
        "openapi": "3.1.0",
        "info": {"title": "musterroll", "version": "1"},
        "servers": [{"url": "/"}],
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"problem": _PROBLEM, "error": error, **{name: schema for name, (_, schema) in _GOOD.items()}},
        },
        "security": [{"token": []}],
        "paths": paths,
    }


def _id_of(one: Operation) -> str:
    words = [part for part in one.path.removeprefix("/api/").split("/") if not part.startswith("{")]
    return "-".join([one.method.lower(), *words]).replace(".", "-")


def _parameters(one: Operation) -> list[dict[str, Any]]:
    named = [part[1:-1] for part in one.path.split("/") if part.startswith("{")]
    return [
        *({"name": name, "in": "path", "required": True, "schema": _TEXT} for name in named),
        *({"name": name, "in": "query", "schema": _TEXT} for name in one.query),
    ]


def _answer(what: str) -> dict[str, Any]:
    words, name = (_GOOD[what][0], what) if what in _GOOD else (what, "error")
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"description": words, "content": {"application/json": {"schema": schema}}}
