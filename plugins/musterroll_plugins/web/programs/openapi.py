"""The operations of the API as an OpenAPI document."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from musterroll_plugins.web.people import Role
from musterroll_plugins.web.programs.schemas import BODIES, KEY, PROBLEM, SAID, TEXT, Schema
from musterroll_plugins.web.site import Handler


class Operation(NamedTuple):
    """One operation of the API.

    Attributes:
        method: its method.
        path: its path.
        handler: makes the answer.
        role: the role that it takes for the customer that it is about; None where it is about none.
        summary: what it does.
        answers: by status, what the answer is: a name of `SAID`, or why it is refused.
        query: what can be said in the address.
        body: what is sent: a name of `BODIES`.
    """

    method: str
    path: str
    handler: Handler
    role: Role | None
    summary: str
    answers: Mapping[int, str]
    query: Mapping[str, Schema] = {}
    body: str | None = None


_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "schema": {"type": "string", "maxLength": KEY},
    "description": "What is sent twice under one key is begun once.",
}


def openapi(operations: Collection[Operation]) -> dict[str, Any]:
    """Makes the OpenAPI document of the operations."""
    paths: dict[str, Any] = {}
    for one in operations:
        path = one.path.replace(":int}", "}")
        paths.setdefault(path, {})[one.method.lower()] = {
            "summary": one.summary,
            **({"description": f"Takes the role {one.role.name.lower()}."} if one.role else {}),
            "operationId": _id_of(one),
            "parameters": [*_parameters(one), *([_KEY] if one.body == "sheet" else [])],
            "responses": {str(status): _answer(what) for status, what in sorted(one.answers.items())},
            **({"requestBody": BODIES[one.body]} if one.body else {}),
        }
    error = {"type": "object", "properties": {"error": {"$ref": "#/components/schemas/problem"}}, "required": ["error"]}
    said = {name: one.schema for name, one in SAID.items() if one.schema is not None}
    return {
        "openapi": "3.1.0",
        "info": {"title": "musterroll", "version": "1"},
        "servers": [{"url": "/"}],
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"problem": PROBLEM, "error": error, **said},
        },
        "security": [{"token": []}],
        "paths": paths,
    }


def _id_of(one: Operation) -> str:
    words = [part.strip("{}") for part in one.path.removeprefix("/api/").split("/")]
    return "-".join([one.method.lower(), *words]).replace(".", "-").replace(":int", "")


def _parameters(one: Operation) -> list[dict[str, Any]]:
    named = [part[1:-1].partition(":") for part in one.path.split("/") if part.startswith("{")]
    kinds = {"": TEXT, "int": {"type": "integer"}}
    return [
        *({"name": name, "in": "path", "required": True, "schema": kinds[kind]} for name, _, kind in named),
        *({"name": name, "in": "query", "schema": schema} for name, schema in one.query.items()),
    ]


def _answer(what: str) -> dict[str, Any]:
    said = SAID.get(what)
    if said is None:
        return {
            "description": what,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/error"}}},
        }
    schema = {"type": "string"} if said.schema is None else {"$ref": f"#/components/schemas/{what}"}
    return {"description": said.words, "content": {said.media_type: {"schema": schema}}}
