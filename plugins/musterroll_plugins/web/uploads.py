"""From the sheet to the import: upload, columns, problems, check your answers."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from musterroll import MusterrollError, fold_heading, gettext, gettext_noop
from musterroll.engine import Pipeline, map_columns, template
from musterroll_plugins.web.desk import Upload
from musterroll_plugins.web.people import Role
from musterroll_plugins.web.private import make_folder
from musterroll_plugins.web.site import Route, Visit
from musterroll_plugins.web.view import View
from musterroll_plugins.web.words import INVITES

_SUFFIXES = (".xlsx", ".ods", ".csv", ".tsv", ".txt")
_FORMATS = ("xlsx", "ods", "csv")
_NAME = 120  # characters of a file's name that are shown
_CHUNK = 1024 * 1024
_EMPTY = gettext_noop("there is nothing in the file")


async def new(visit: Visit) -> Response:
    """The instructions, and the form to upload a sheet with."""
    return await _new(visit)


async def _new(visit: Visit, error: str | None = None, status: int = 200) -> Response:
    pipeline = await visit.pipeline()
    targets = await run_in_threadpool(visit.site.customers.targets, visit.customer)
    return visit.page(
        "new.html",
        status,
        fields=[one for one in pipeline.fields.values() if one.needs_column],
        rules=_rules(pipeline),
        targets=targets,
        chosen=visit.text("profile"),
        formats=_FORMATS,
        accept=",".join(_SUFFIXES),
        errors=[("sheet", error)] if error else [],
    )


def _rules(pipeline: Pipeline) -> list[str]:
    """How the customer's sheet is read, in words."""
    sheet, settings = pipeline.settings.sheet, pipeline.settings
    found = []
    found.append(
        gettext(
            "The headings are in row {headings}; users begin in row {first}. The order of the columns does not matter, "
            "and further columns are passed over.",
            headings=sheet.heading_row,
            first=sheet.first_row,
        )
    )
    found.append(
        {
            "stop": gettext("A blank row ends the import."),
            "skip": gettext("Blank rows are passed over."),
            "error": gettext("A blank row is an error."),
        }[sheet.on_blank_row]
    )
    found.append(
        gettext("One row with an error keeps everything out: nothing is written until the sheet is right.")
        if settings.on_error == "abort"
        else gettext("Rows with errors are left out, and can be corrected and uploaded on their own; the others go in.")
    )
    found.append(
        gettext("A blank cell of somebody who is in the portal already keeps what is stored.")
        if sheet.on_blank_cell == "keep"
        else gettext("A blank cell of somebody who is in the portal already empties what is stored.")
    )
    if "groups" in pipeline.fields and not pipeline.fields["groups"].omitted:
        found.append(
            gettext("Groups: several with a semicolon (Group 1;Group 2), subgroups with a bar (Parent Group|Child).")
        )
    return found


async def blank_sheet(visit: Visit) -> Response:
    """The blank sheet, in one of the formats."""
    form = visit.request.path_params["form"]
    if form not in _FORMATS:
        raise HTTPException(404)
    pipeline = await visit.pipeline()

    def make() -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"sheet.{form}"
            template(pipeline, path, form=form)
            return path.read_bytes()

    try:
        content = await run_in_threadpool(make)
    except MusterrollError:  # none of the pipeline's readers writes that
        raise HTTPException(404) from None
    return download(content, f"{visit.name}.{form}")


def download(content: bytes, name: str) -> Response:
    """A file to be saved; never shown by the browser, whatever is in it."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="application/octet-stream", headers=headers)


async def upload(visit: Visit) -> Response:
    """Takes a sheet, and has it checked."""
    sheet = visit.file("sheet")
    if sheet is None or sheet.filename is None:
        return await _new(visit, gettext("choose a sheet to upload"), 422)
    try:
        taken = await take(visit, sheet.filename, sheet.file, profile=visit.text("profile"))
    except HTTPException as error:
        return await _new(visit, error.detail, error.status_code)
    return visit.to(f"/work/{check(visit, taken).check}")


async def take(visit: Visit, name: str, content: BinaryIO, *, profile: str) -> Upload:
    """Stores a sheet.

    Args:
        visit: who brings it.
        name: what its file is called there.
        content: what is in it.
        profile: the profile that it is for; empty for none.

    Raises:
        HTTPException: it is not taken.
    """
    desk = visit.site.desk
    suffix = next((one for one in _SUFFIXES if name.lower().endswith(one)), None)
    if suffix is None:
        raise HTTPException(
            415,
            gettext(
                "this is no sheet that can be read; the file's name must end in {endings}",
                endings=", ".join(_SUFFIXES),
            ),
        )
    if profile and profile not in visit.customer.profiles:
        raise HTTPException(422, gettext("choose where the import goes"))
    waiting = await run_in_threadpool(lambda: [one for one in desk.uploads(visit.name) if one.run is None])
    if len(waiting) >= visit.site.max_uploads:
        raise HTTPException(429, gettext("too many uploads wait to be imported; import or discard some of them first"))
    made, path = desk.new_upload(visit.name, visit.person.name, shown_name(name), suffix)
    made = replace(made, profile=profile)
    size = await run_in_threadpool(_copy, content, path)
    if size == 0 or size > visit.site.max_upload * _CHUNK:
        desk.discard(made)
        too_large = gettext("the file is larger than {size} MB", size=visit.site.max_upload)
        raise HTTPException(422 if size == 0 else 413, gettext(_EMPTY) if size == 0 else too_large)
    desk.store(made)
    visit.note("upload", made.id)
    return made


def shown_name(name: str) -> str:
    """A file's name as it is shown: without folders, and without what orders a terminal or a browser about."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(one if one.isprintable() else "_" for one in last)[-_NAME:]


def _copy(content: BinaryIO, path: Path) -> int:
    make_folder(path.parent)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        shutil.copyfileobj(content, target, _CHUNK)
        return target.tell()


def check(visit: Visit, upload: Upload) -> Upload:
    """Has an upload checked; returns it with the work that does."""
    sheet = str(visit.site.desk.sheet_of(upload))
    work = visit.begin("check", upload=upload.id, sheet=sheet, profile=upload.profile, sets=upload.sets)
    upload = replace(upload, check=work.id, run=None)
    visit.site.desk.store(upload)
    return upload


def found_upload(visit: Visit) -> Upload:
    """The upload that the path names.

    Raises:
        HTTPException: there is none of this customer (404).
    """
    found = visit.site.desk.upload(visit.name, visit.request.path_params["upload"])
    if found is None:
        raise HTTPException(404)
    return found


async def step(visit: Visit) -> Response:
    """Where an upload stands: sends the browser to the step that comes next, or shows the columns or the answers."""
    upload = found_upload(visit)
    if upload.run is not None:
        return visit.to(f"/work/{upload.run}")
    return await _with_check(visit, upload, _step)


async def _step(visit: Visit, upload: Upload, view: View) -> Response:
    meta = view.meta
    if meta["columns"] is not None and not upload.asked:
        return await _columns(visit, upload, view)
    if meta["counts"]["errors"] or not is_importable(meta):
        return await _problems(visit, upload, view)
    return await _answers(visit, upload, view)


def is_importable(meta: Mapping[str, Any]) -> bool:
    """Whether anything of a checked sheet could go in."""
    return bool(meta["choices"] and meta["actions"])


async def answers(visit: Visit) -> Response:
    """What the import would do."""
    return await _with_check(visit, found_upload(visit), _answers_or_problems)


async def _answers_or_problems(visit: Visit, upload: Upload, view: View) -> Response:
    return await (_answers if is_importable(view.meta) else _problems)(visit, upload, view)


async def problems(visit: Visit) -> Response:
    """The problems of a sheet."""
    return await _with_check(visit, found_upload(visit), _problems)


async def _with_check(visit: Visit, upload: Upload, show: Any) -> Response:
    """Shows what a check has found; sends the browser to the check while it lasts."""
    desk = visit.site.desk
    work = desk.work(visit.name, upload.check or "")
    if work is None:  # it was tidied away
        return visit.to(f"/work/{check(visit, upload).check}")
    standing = desk.standing(work)
    if standing.state in ("waiting", "running"):
        return visit.to(f"/work/{work.id}")
    try:
        view = await run_in_threadpool(View, desk.view_of(work))
    except FileNotFoundError:
        result = standing.result or {}
        error = (result.get("error") or {}).get("message", gettext("the check was cut off"))
        return visit.page("unread.html", upload=upload, reason=error, target=await visit.target(upload.profile))
    with view:
        response: Response = await show(visit, upload, view)
        return response


async def _problems(visit: Visit, upload: Upload, view: View) -> Response:
    severity = visit.query("severity") if visit.query("severity") in ("error", "warning") else ""
    code, field = visit.query("code"), visit.request.query_params.get("field")
    groups = [one for one in view.meta["groups"] if not severity or one["severity"] == severity]
    return visit.page(
        "problems.html",
        upload=upload,
        meta=view.meta,
        importable=is_importable(view.meta),
        groups=groups,
        severity=severity,
        code=code,
        field=field,
        found=view.problems(visit.page_number, severity=severity, code=code, field=field if code else None),
        target=await visit.target(upload.profile),
    )


async def _answers(
    visit: Visit, upload: Upload, view: View, errors: Iterable[tuple[str, str]] = (), status: int = 200
) -> Response:
    outcome, text = visit.query("outcome"), visit.query("q").strip()
    return visit.page(
        "answers.html",
        status,
        upload=upload,
        meta=view.meta,
        outcome=outcome,
        text=text,
        found=view.lines(visit.page_number, text=text, outcome=outcome),
        fields=(await visit.pipeline(upload.profile)).fields,
        target=await visit.target(upload.profile),
        errors=list(errors),
    )


async def _columns(
    visit: Visit,
    upload: Upload,
    view: View,
    errors: Iterable[tuple[str, str]] = (),
    chosen: Mapping[int, str] | None = None,
    status: int = 200,
) -> Response:
    pipeline, columns = await visit.pipeline(upload.profile), view.meta["columns"]
    if chosen is None:
        chosen = {i: one["field"] or "" for i, one in enumerate(columns["columns"])}
    return visit.page(
        "columns.html",
        status,
        upload=upload,
        columns=columns["columns"],
        layout=columns["layout"],
        fields=[one for one in pipeline.fields.values() if not one.omitted],
        chosen=chosen,
        target=await visit.target(upload.profile),
        errors=list(errors),
    )


async def set_columns(visit: Visit) -> Response:
    """Takes what a person says of the columns, and has the sheet checked again."""
    return await _with_check(visit, found_upload(visit), _set_columns)


async def _set_columns(visit: Visit, upload: Upload, view: View) -> Response:
    if view.meta["columns"] is None or visit.site.desk.is_imported(upload):
        raise HTTPException(409, gettext("this sheet has no columns to be named"))
    pipeline, found = await visit.pipeline(upload.profile), view.meta["columns"]
    fields, columns = pipeline.fields, found["columns"]
    chosen = {i: visit.text(f"column-{i}") for i in range(len(columns))}
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
        return await _columns(visit, upload, view, errors, chosen, 422)
    aliases = {name: columns[i]["heading"] for name, i in by_field.items() if not _is_known(fields[name], columns[i])}
    if aliases and visit.text("remember"):
        sheet = visit.site.desk.sheet_of(upload)
        try:
            await run_in_threadpool(map_columns, pipeline, sheet, chosen=aliases)
        except MusterrollError as error:
            return await _columns(visit, upload, view, [("remember", error.message)], chosen, 422)
        visit.note("columns remembered", upload.id)
        aliases = {}
    sets = [f"sheet.{name}={_toml(value)}" for name, value in found["layout"].items()]
    sets += [f"sheet.aliases.{name}={_toml([*fields[name].aliases, heading])}" for name, heading in aliases.items()]
    upload = check(visit, replace(upload, sets=tuple(sets), asked=True))
    return visit.to(f"/work/{upload.check}")


def _is_known(field: Any, column: Mapping[str, Any]) -> bool:
    """Whether a column has one of the headings of the field as it is."""
    return fold_heading(column["heading"]) in {fold_heading(name) for name in (field.heading, *field.aliases)}


def _free(chosen: Mapping[int, str]) -> int:
    """The first column that is nothing yet: that is where to go on."""
    return next((i for i, name in chosen.items() if not name), 0)


def _toml(value: Any) -> str:
    # A JSON text, a number or an array of texts is one of TOML, too.
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=True)


async def check_again(visit: Visit) -> Response:
    """Checks an upload once more: the portal may have changed."""
    upload = found_upload(visit)
    if visit.site.desk.is_imported(upload):
        raise HTTPException(409, gettext("this sheet is being imported already"))
    return visit.to(f"/work/{check(visit, upload).check}")


async def discard(visit: Visit) -> Response:
    """Forgets an upload that was not imported."""
    upload = found_upload(visit)
    if visit.site.desk.is_imported(upload):
        raise HTTPException(409, gettext("this sheet is being imported already"))
    visit.site.desk.discard(upload)
    visit.note("discard", upload.id)
    return visit.to("")


async def run(visit: Visit) -> Response:
    """Begins the import that was shown."""
    return await _with_check(visit, found_upload(visit), _run)


async def _run(visit: Visit, upload: Upload, view: View) -> Response:
    meta, desk = view.meta, visit.site.desk
    # Looked at again: another person may have begun it a moment ago.
    now = desk.upload(visit.name, upload.id)
    if now is None or desk.is_imported(now):
        raise HTTPException(409, gettext("this sheet is being imported already"))
    if not is_importable(meta):
        raise HTTPException(409, gettext("nothing of the sheet can be imported"))
    choice = visit.text("invites")
    if choice not in meta["choices"]:
        return await _answers(
            visit, upload, view, [(f"invites-{meta['usual']}", gettext("say to whom invites are sent"))], 422
        )
    assert choice in INVITES
    shown = {"invites": meta["choices"][choice]["sends"], "digest": meta["digest"]}
    more = {"shown": shown, "invites": None if choice == meta["usual"] else choice}
    work = visit.begin(
        "run",
        upload=upload.id,
        sheet=str(desk.sheet_of(upload)),
        profile=upload.profile,
        sets=upload.sets,
        more=more,
    )
    desk.store(replace(now, run=work.id))
    visit.note("run", upload.id)
    return visit.to(f"/work/{work.id}")


async def not_posted(visit: Visit) -> Response:
    """Sends who reloads a page that a form led to, back to the upload."""
    return RedirectResponse(f"{visit.home}/uploads/{visit.request.path_params['upload']}", 303)


ROUTES: list[Route] = [
    ("GET", "/c/{customer}/new", new, Role.IMPORTER),
    ("GET", "/c/{customer}/blank/{form}", blank_sheet, Role.VIEWER),
    ("POST", "/c/{customer}/uploads", upload, Role.IMPORTER),
    ("GET", "/c/{customer}/uploads/{upload}", step, Role.IMPORTER),
    ("GET", "/c/{customer}/uploads/{upload}/problems", problems, Role.IMPORTER),
    ("GET", "/c/{customer}/uploads/{upload}/answers", answers, Role.IMPORTER),
    ("POST", "/c/{customer}/uploads/{upload}/columns", set_columns, Role.IMPORTER),
    ("GET", "/c/{customer}/uploads/{upload}/columns", not_posted, Role.IMPORTER),
    ("POST", "/c/{customer}/uploads/{upload}/check", check_again, Role.IMPORTER),
    ("POST", "/c/{customer}/uploads/{upload}/discard", discard, Role.IMPORTER),
    ("POST", "/c/{customer}/uploads/{upload}/run", run, Role.IMPORTER),
    ("GET", "/c/{customer}/uploads/{upload}/run", not_posted, Role.IMPORTER),
]
