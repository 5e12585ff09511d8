"""What the API is sent, and what it answers, as JSON schemas and in words."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from musterroll_plugins.web.words import INVITES

Schema: TypeAlias = dict[str, Any]

KEY = 200  # characters of an idempotency key
LONGEST = 200  # characters of a heading, and of the name of a worksheet

TEXT: Schema = {"type": "string"}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_TRUTH: Schema = {"type": "boolean"}
_TEXT_OR_NOT: Schema = {"type": ["string", "null"]}
_COUNT_OR_NOT: Schema = {"type": ["integer", "null"]}
_COUNTS: Schema = {"type": "object", "additionalProperties": _COUNT}
_PATH: Schema = {"type": "array", "items": TEXT}
_ROLE: Schema = {"enum": ["viewer", "importer", "approver"]}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _object(needed: dict[str, Schema], more: dict[str, Schema] | None = None) -> Schema:
    """An object that has the first properties, and may have the others."""
    return {"type": "object", "properties": {**needed, **(more or {})}, "required": [*needed]}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _page(name: str, items: Schema) -> Schema:
    return _object({"page": _COUNT, "pages": _COUNT, "total": _COUNT, name: _list(items)})


_ERROR_OR_NOT: Schema = {"anyOf": [_ref("problem"), {"type": "null"}]}
_BRIEF = {"name": TEXT, "role": _ROLE, "profiles": _list(TEXT)}
_FIELD = {"name": TEXT, "heading": TEXT, "required": _TRUTH}
_JOB = {"id": TEXT, "state": TEXT, "started": TEXT, "finished": _TEXT_OR_NOT, "sheet": TEXT, "counts": _COUNTS}
_MOVES = _object({"add": _list(_PATH), "remove": _list(_PATH)})
_CHANGE = _object(
    {
        "row": _COUNT_OR_NOT,
        "username": TEXT,
        "action": TEXT,
        "password": TEXT,
        "fields": {"type": "object", "additionalProperties": {"type": "object", "required": ["before", "after"]}},
        "groups": _MOVES,
        "invite": _object({"send": _TRUTH, "channel": _TEXT_OR_NOT, "reason": _TEXT_OR_NOT}),
    }
)
_WRONG = {"code": TEXT, "severity": {"enum": ["error", "warning"]}, "message": TEXT}
_PROBLEM = _object(
    {**_WRONG, "row": _COUNT_OR_NOT, "cell": _TEXT_OR_NOT, "field": _TEXT_OR_NOT},
    {"column": _TEXT_OR_NOT, "value": _TEXT_OR_NOT, "suggestion": _TEXT_OR_NOT, "repaired": _TRUTH},
)
_CAUSE = _object({**_WRONG, "count": _COUNT, "cells": TEXT}, {"field": _TEXT_OR_NOT, "suggestion": _TEXT_OR_NOT})
_FAILURE = _object(
    {"row": _COUNT_OR_NOT, "username": _TEXT_OR_NOT, "operation": TEXT, "status": TEXT, "detail": _TEXT_OR_NOT}
)
_BY = {"by": TEXT, "by_program": _TRUTH}
_UPLOAD = {"upload": TEXT, "name": TEXT, **_BY, "at": TEXT, "profile": _TEXT_OR_NOT}
_COLUMN = {"column": TEXT, "heading": TEXT, "field": _TEXT_OR_NOT, "reason": _TEXT_OR_NOT, "is_certain": _TRUTH}
_CHOICE = _object({"sends": _COUNT, "on_paper": _COUNT, "refusal": _TEXT_OR_NOT})
_FORESEEN = {"usual": TEXT, "choices": {"type": "object", "additionalProperties": _CHOICE}}
_SLIPS = {"id": TEXT, "for": TEXT, "for_program": _TRUTH, "people": _COUNT, "deleted": _TRUTH}
_TRUTHS: Schema = {"type": "object", "additionalProperties": _TRUTH}
_SEEN = {
    "notes": _list(TEXT),
    "groups_to_create": _list(_PATH),
    "privileged": _list(_object({"group": _PATH, "add": _COUNT, "remove": _COUNT})),
    "rows": _COUNTS,
    "problems": _COUNTS,
    "can": _TRUTHS,
}


class Said(NamedTuple):
    """What is answered: in words, and its schema; None for what is no JSON, whose type is told then."""

    words: str
    schema: Schema | None
    media_type: str = "application/json"


SAID = {
    "begun": Said("It has begun; `location` is where its document will be.", _object({"id": TEXT, "location": TEXT})),
    "discarded": Said("It is forgotten.", _object({"id": TEXT})),
    "deleted": Said("They are deleted.", _object({"id": TEXT})),
    "standing": Said(
        "It is not done yet; ask again.",
        _object(
            {
                "id": TEXT,
                "state": {"enum": ["waiting", "running", "lost"]},
                "stage": TEXT,
                "done": _COUNT,
                "total": _COUNT_OR_NOT,
            }
        ),
    ),
    "document": Said(
        "The document of the command, as `--format json` prints it.",
        _object(
            {
                "schema": {"const": "musterroll/1"},
                "command": TEXT,
                "status": {"enum": ["ok", "problems", "error", "refused", "failed", "interrupted"]},
                "error": _ERROR_OR_NOT,
            }
        ),
    ),
    "jobs": Said(
        "The document of `jobs list`; with `page` a page of them, and who began each from which sheet.",
        {
            "anyOf": [
                {"allOf": [_ref("document"), _object({"jobs": _list(_object(_JOB))})]},
                _page("jobs", _object({**_JOB, "kind": TEXT, "name": TEXT, **_BY})),
            ]
        },
    ),
    "customers": Said("The customers.", _object({"customers": _list(_object(_BRIEF))})),
    "customer": Said(
        "The customer, and how their sheets look.",
        _object(
            {
                **_BRIEF,
                "targets": _list(_object({"profile": _TEXT_OR_NOT, "kind": TEXT, "portal": TEXT})),
                "fields": _list(
                    _object({**_FIELD, "aliases": _list(TEXT), "max_length": _COUNT_OR_NOT, "guidance": TEXT})
                ),
                "rules": _list(TEXT),
                "blank_sheets": _list(TEXT),
                "limits": _COUNTS,
            }
        ),
    ),
    "uploads": Said(
        "A page of the sheets that are not imported; `id` is that of the check or of the import.",
        _page("uploads", _object({**_UPLOAD, "id": _TEXT_OR_NOT, "kind": _TEXT_OR_NOT, "state": _TEXT_OR_NOT})),
    ),
    "overview": Said(
        "Numbers, and what can be done with it.",
        {
            "anyOf": [
                _object(
                    {
                        "id": TEXT,
                        "kind": {"const": "check"},
                        "name": TEXT,
                        **_BY,
                        "profile": _TEXT_OR_NOT,
                        "invites": _object(_FORESEEN),
                        "limit": _ERROR_OR_NOT,
                        **_SEEN,
                    }
                ),
                _object(
                    {
                        "id": TEXT,
                        "kind": TEXT,
                        "name": TEXT,
                        **_BY,
                        "state": TEXT,
                        "started": TEXT,
                        "finished": _TEXT_OR_NOT,
                        "counts": _COUNTS,
                        "invites": _COUNTS,
                        "approved": {"type": ["object", "null"]},
                        "first_passwords": _list(_object(_SLIPS)),
                        "lost_passwords": _object({"people": _COUNT, "perhaps": _COUNT}),
                        "error": _TEXT_OR_NOT,
                        **_SEEN,
                    }
                ),
            ]
        },
    ),
    "columns": Said(
        "The columns; none where all that is needed is there.",
        _object(
            {
                "match": _TRUTH,
                "asked": _TRUTH,
                "columns": _list(_object(_COLUMN)),
                "worksheets": _list(TEXT),
                "layout": {"type": "object"},
                "fields": _list(_object(_FIELD)),
            }
        ),
    ),
    "rows": Said("A page of rows, as `changes` of the document has them.", _page("rows", _CHANGE)),
    "problems": Said("A page of problems, as the document has them.", _page("problems", _PROBLEM)),
    "causes": Said("A page of problems by their cause.", _page("problem_groups", _CAUSE)),
    "failures": Said("A page of what was not done; `held` are invites to be released.", _page("failures", _FAILURE)),
    "openapi": Said("It.", {"type": "object", "required": ["openapi", "info", "paths"]}),
    "file": Said("The file.", None, "application/octet-stream"),
    "events": Said("Events with text, done and total, until `event: end`.", None, "text/event-stream"),
}
"""What is answered where all goes well, by its name."""

PROBLEM = _object({"code": TEXT, "message": TEXT})

_COLUMNS: Schema = {
    "type": "object",
    "additionalProperties": TEXT,
    "description": "The headings of fields that the pipeline does not know, by the names of the fields.",
}
WITH_ROWS: dict[str, Schema] = {
    "profile": TEXT,
    "invites": {"enum": list(INVITES)},
    "after": {**TEXT, "description": "A check whose sheet this one takes the place of; for checks."},
}
"""What can be said with rows."""

WITH_SHEET: dict[str, Schema] = {
    **WITH_ROWS,
    "worksheet": {**TEXT, "description": "The worksheet, where the workbook has several."},
    "columns": _COLUMNS,
}
"""What can be said with a sheet."""

_ROWS: Schema = {
    "type": "array",
    "items": {"type": "object", "additionalProperties": TEXT},
    "description": "The users, by the names of the fields, e.g. username.",
}
BODIES: dict[str, Schema] = {
    "sheet": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"sheet": {"type": "string", "format": "binary"}, **WITH_SHEET},
                    "required": ["sheet"],
                }
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"rows": _ROWS, **WITH_ROWS},
                    "required": ["rows"],
                    "additionalProperties": False,
                }
            },
        },
    },
    "columns": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "columns": _COLUMNS,
                        "remember": {**_TRUTH, "description": "Whether the pipeline file is to say so from now on."},
                        "worksheet": WITH_SHEET["worksheet"],
                    },
                    "additionalProperties": False,
                }
            }
        },
    },
}
"""What is sent, by its name."""
