"""What a program does with a sheet that was checked: names its columns, takes copies of it, imports or discards it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from musterroll import fold_heading, gettext
from musterroll_plugins.web import uploads
from musterroll_plugins.web.checked import begin_import
from musterroll_plugins.web.columns import WrongColumnsError, take_columns, take_worksheet
from musterroll_plugins.web.copies import begin_copy
from musterroll_plugins.web.desk import Upload
from musterroll_plugins.web.programs.answers import accepted, checked, found_check, found_upload, json_object, no_field
from musterroll_plugins.web.programs.schemas import LONGEST
from musterroll_plugins.web.site import Visit
from musterroll_plugins.web.view import View


async def import_check(visit: Visit) -> Response:
    """Imports what a check has shown, or nothing where something else would be done by now."""
    upload, view = await checked(visit)
    with view:
        begun = begin_import(visit, upload, view.meta, visit.query("invites") or view.meta["usual"])
    return accepted(begun.id)


async def discard_check(visit: Visit) -> Response:
    """Forgets a sheet that was not imported, and what was found in it."""
    upload = await found_upload(visit)
    uploads.forget(visit, uploads.unimported(visit, upload))
    return JSONResponse({"id": visit.request.path_params["job"]})


async def check_again(visit: Visit) -> Response:
    """Checks a sheet once more: the portal may have changed."""
    upload = uploads.unimported(visit, await found_upload(visit))
    return _checking(uploads.check(visit, upload))


def _checking(upload: Upload) -> Response:
    assert upload.check is not None
    return accepted(upload.check)


async def columns(visit: Visit) -> Response:
    """The columns of a sheet, where not all of them say what they are."""
    upload, view = await checked(visit)
    with view:
        found = view.meta["columns"]
    fields = (await visit.pipeline(upload.profile)).fields
    told = [
        {"name": one.name, "heading": one.heading, "required": one.required}
        for one in fields.values()
        if not one.omitted
    ]
    return JSONResponse(
        {
            "match": found is None,
            "asked": upload.asked,
            **(found or {"columns": [], "worksheets": [], "layout": {}}),
            "fields": told,
        }
    )


async def set_columns(visit: Visit) -> Response:
    """Takes which column is what, or which worksheet is meant, and has the sheet checked again."""
    upload, view = await checked(visit)
    with view:
        said = _said(json_object(await visit.request.body()))
        uploads.unimported(visit, upload)
        if said.worksheet is not None:
            return _checking(await take_worksheet(visit, upload, said.worksheet))
        if view.meta["columns"] is None:
            raise HTTPException(409, gettext("this sheet has no columns to be named"))
        by_column = await _by_column(visit, upload, view, said.columns)
        try:
            return _checking(await take_columns(visit, upload, view, by_column, remember=said.remember))
        except WrongColumnsError as error:
            raise HTTPException(422, str(error)) from None


class _Said(NamedTuple):
    """What is said of a sheet: headings by field, and whether to remember them; or its worksheet."""

    columns: Mapping[str, str] = {}
    remember: bool = False
    worksheet: str | None = None


def _said(body: Mapping[str, Any]) -> _Said:
    columns, worksheet, remember = body.get("columns", {}), body.get("worksheet"), body.get("remember", False)
    if (
        body.keys() <= {*_Said._fields}
        and isinstance(columns, dict)
        and all(isinstance(value, str) for value in columns.values())
        and isinstance(remember, bool)
    ):
        if columns and worksheet is None:
            return _Said(columns, remember)
        if (
            isinstance(worksheet, str)
            and worksheet.isprintable()
            and 0 < len(worksheet) <= LONGEST
            and body.keys() == {"worksheet"}
        ):
            return _Said(worksheet=worksheet)
    raise HTTPException(
        422,
        'write {"columns": {"username": "Login", …}, "remember": false}, a heading for a field,'
        ' or {"worksheet": "Users"}',
    )


async def _by_column(visit: Visit, upload: Upload, view: View, chosen: Mapping[str, str]) -> dict[int, str]:
    """The field of each column: the one that is said, else the one whose heading it has."""
    fields, found = (await visit.pipeline(upload.profile)).fields, view.meta["columns"]["columns"]
    names = [one.name for one in fields.values() if not one.omitted]
    if unknown := [name for name in chosen if name not in names]:
        raise no_field("columns", unknown[0], names)
    headings = {fold_heading(one["heading"]): i for i, one in reversed([*enumerate(found)])}
    by_column: dict[int, Any] = {
        i: one["field"] if one["reason"] == "heading" and one["field"] not in chosen else ""
        for i, one in enumerate(found)
    }
    for name, heading in chosen.items():
        if (i := headings.get(fold_heading(heading))) is None:
            raise HTTPException(422, f"columns: no column of the sheet is called {heading}")
        if by_column[i]:
            raise HTTPException(422, f"columns: {heading} is the column of {by_column[i]} already")
        by_column[i] = name
    return by_column


async def copy(visit: Visit) -> Response:
    """Has a corrected or an annotated copy of a sheet made."""
    upload, _ = await found_check(visit)
    kind, with_passwords = visit.request.path_params["copy"], visit.query("passwords") == "yes"
    return accepted(begin_copy(visit, upload, kind, with_passwords=with_passwords).id)
