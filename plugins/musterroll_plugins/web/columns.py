"""Which column of a sheet is what: only where not all of them say so."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from musterroll import Field, MusterrollError, fold_heading, gettext
from musterroll.engine import Pipeline, map_columns
from musterroll_plugins.web.desk import Upload
from musterroll_plugins.web.people import Role
from musterroll_plugins.web.site import Route, Visit
from musterroll_plugins.web.uploads import check, found_upload, unimported, with_check
from musterroll_plugins.web.view import View


async def columns_page(
    visit: Visit,
    upload: Upload,
    view: View,
    errors: Iterable[tuple[str, str]] = (),
    chosen: Mapping[int, str] | None = None,
    status: int = 200,
) -> Response:
    """Asks which column is what.

    Args:
        visit: who is asked.
        upload: the sheet.
        view: what its check has found.
        errors: what was wrong with the answers, by field of the form.
        chosen: the answers, by column from 0; None for what seems to fit.
        status: the status of the page.
    """
    pipeline, columns = await visit.pipeline(upload.profile), view.meta["columns"]
    if chosen is None:
        chosen = {i: one["field"] or "" for i, one in enumerate(columns["columns"])}
    return visit.page(
        "columns.html",
        status,
        upload=upload,
        columns=columns["columns"],
        worksheets=columns["worksheets"],
        layout=columns["layout"],
        fields=[one for one in pipeline.fields.values() if not one.omitted],
        chosen=chosen,
        target=await visit.target(upload.profile),
        errors=list(errors),
    )


async def set_columns(visit: Visit) -> Response:
    """Takes what a person says of the columns, and has the sheet checked again."""
    return await with_check(visit, found_upload(visit), _set_columns)


async def _set_columns(visit: Visit, upload: Upload, view: View) -> Response:
    if view.meta["columns"] is None or visit.site.desk.is_imported(upload):
        raise HTTPException(409, gettext("this sheet has no columns to be named"))
    chosen = {i: visit.text(f"column-{i}") for i in range(len(view.meta["columns"]["columns"]))}
    try:
        upload = await take_columns(visit, upload, view, chosen, remember=bool(visit.text("remember")))
    except WrongColumnsError as error:
        return await columns_page(visit, upload, view, error.errors, chosen, 422)
    return visit.to(f"/work/{upload.check}")


class WrongColumnsError(Exception):
    """What is said of the columns does not do.

    Args:
        errors: why, by field of the form: `column-N`, from 0, or `remember`.
    """

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(text for _, text in errors))
        self.errors = errors


async def take_columns(
    visit: Visit, upload: Upload, view: View, chosen: Mapping[int, str], *, remember: bool
) -> Upload:
    """Takes which column is what, and has the sheet checked again; returns it with that check.

    Args:
        visit: who says so.
        upload: the sheet.
        view: what its check has found, the columns among it.
        chosen: the fields, by column from 0; empty for a column that is passed over.
        remember: whether the pipeline file is to say so from now on.

    Raises:
        WrongColumnsError: it does not do.
    """
    pipeline, found = await visit.pipeline(upload.profile), view.meta["columns"]
    fields, columns = pipeline.fields, found["columns"]
    errors, by_field = [], {}
    for i, name in chosen.items():
        if not name:
            continue
        if name not in fields:
            text = gettext("column {column}: choose one of the fields", column=columns[i]["column"])
            errors.append((f"column-{i}", text))
        elif name in by_field:
            text = gettext("{heading} is chosen twice; only one column can be it", heading=fields[name].heading)
            errors.append((f"column-{i}", text))
        else:
            by_field[name] = i
    for name, field in fields.items():
        if field.needs_column and name not in by_field:
            text = gettext("no column is {heading}, which every sheet needs", heading=field.heading)
            errors.append((f"column-{_free(chosen)}", text))
    if errors:
        raise WrongColumnsError(errors)
    aliases = {name: columns[i]["heading"] for name, i in by_field.items() if not _is_known(fields[name], columns[i])}
    if aliases and remember:
        sheet = visit.site.desk.sheet_of(upload)
        try:
            await run_in_threadpool(map_columns, pipeline, sheet, chosen=aliases)
        except MusterrollError as error:
            raise WrongColumnsError([("remember", error.message)]) from None
        visit.note("columns remembered", upload.id)
        aliases = {}
    return check(visit, replace(with_columns(upload, pipeline, found["layout"], aliases), asked=True))


async def set_worksheet(visit: Visit) -> Response:
    """Takes which worksheet is meant, and has it checked."""
    return await with_check(visit, found_upload(visit), _set_worksheet)


async def _set_worksheet(visit: Visit, upload: Upload, view: View) -> Response:
    worksheet, found = visit.text("worksheet"), view.meta["columns"]
    if found is None or worksheet not in found["worksheets"]:
        raise HTTPException(422, gettext("choose one of the worksheets"))
    return visit.to(f"/work/{(await take_worksheet(visit, upload, worksheet)).check}")


async def take_worksheet(visit: Visit, upload: Upload, worksheet: str) -> Upload:
    """Has another worksheet of a workbook checked; returns the upload with that check.

    Raises:
        HTTPException: the sheet is being imported (409).
    """
    pipeline = await visit.pipeline(upload.profile)
    return check(visit, with_columns(unimported(visit, upload), pipeline, {"worksheet": worksheet}, {}))


def with_columns(upload: Upload, pipeline: Pipeline, layout: Mapping[str, Any], headings: Mapping[str, str]) -> Upload:
    """The upload, with what is said of its worksheet and columns in place of what was said before.

    Args:
        upload: the sheet.
        pipeline: its pipeline.
        layout: the worksheet, and the rows of headings and of the first user, as far as they are told.
        headings: what the columns of fields are called, where the pipeline does not say so.
    """
    told = {f"sheet.{name}": _toml(value) for name, value in layout.items()}
    fields = pipeline.fields
    told |= {f"sheet.aliases.{name}": _toml([*fields[name].aliases, text]) for name, text in headings.items()}
    kept = (one for one in upload.sets if not one.startswith("sheet.aliases.") and one.partition("=")[0] not in told)
    return replace(upload, sets=(*kept, *(f"{name}={value}" for name, value in told.items())))


def _is_known(field: Field, column: Mapping[str, Any]) -> bool:
    """Whether a column has one of the headings of the field as it is."""
    return fold_heading(column["heading"]) in {fold_heading(name) for name in (field.heading, *field.aliases)}


def _free(chosen: Mapping[int, str]) -> int:
    """The first column that is nothing yet: that is where to go on."""
    return next((i for i, name in chosen.items() if not name), 0)


def _toml(value: Any) -> str:
    # A JSON text, a number or an array of texts is one of TOML, too, but for pairs of surrogates and for DEL.
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


ROUTES: list[Route] = [
    ("POST", "/c/{customer}/uploads/{upload}/columns", set_columns, Role.IMPORTER),
    ("POST", "/c/{customer}/uploads/{upload}/worksheet", set_worksheet, Role.IMPORTER),
]
