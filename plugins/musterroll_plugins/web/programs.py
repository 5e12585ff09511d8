"""The API for programs: what the pages can do, with bearer tokens, and the JSON documents of the command line."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, Response

from musterroll import UsageError, did_you_mean
from musterroll.engine import MEMBERS, Document, Outcome, Pipeline, documents, list_jobs, show_job, template
from musterroll_plugins.web.checked import begin_import
from musterroll_plugins.web.desk import Upload, Work
from musterroll_plugins.web.jobs import ACTS, begin_act
from musterroll_plugins.web.openapi import NOT_NOW, NOT_TAKEN, REFUSED, Operation, openapi
from musterroll_plugins.web.people import Role
from musterroll_plugins.web.private import ID, read_json, write_json
from musterroll_plugins.web.site import Visit, refuse_doubles
from musterroll_plugins.web.uploads import take, unimported
from musterroll_plugins.web.view import View
from musterroll_plugins.web.words import INVITES

_KEY = 200  # characters of an idempotency key
_FIELDS = 20
_SHOWN = 100  # characters of what a program said wrongly


async def begin_job(visit: Visit) -> Response:
    """Takes a sheet or rows, and imports them."""
    return await _begin(visit, "run")


async def begin_check(visit: Visit) -> Response:
    """Takes a sheet or rows, and says what would become of them."""
    return await _begin(visit, "check")


async def _begin(visit: Visit, kind: str) -> Response:
    desk, keys = visit.site.desk, visit.request.headers.getlist("idempotency-key")
    if len(keys) > 1:
        raise HTTPException(422, "there is more than one Idempotency-Key")
    key = keys[0] if keys else ""
    if len(key) > _KEY:
        raise HTTPException(422, f"an Idempotency-Key has at most {_KEY} characters")
    pipeline, (name, content, wanted) = await visit.pipeline(), await _sheet(visit)
    profile, invites = wanted.get("profile", ""), wanted.get("invites")
    if invites is not None and invites not in INVITES:
        raise HTTPException(422, f"invites is one of {', '.join(INVITES)}")
    profiles = visit.customer.profiles
    if profile and profile not in profiles:
        raise HTTPException(422, f'there is no profile "{profile[:_SHOWN]}"{did_you_mean(profile[:_SHOWN], profiles)}')
    # What is asked for twice under one key must be the same both times.
    same = hashlib.sha256(json.dumps([kind, name, profile, invites]).encode() + content).hexdigest()
    place = _place_of_key(visit, key) if key else None
    if place is not None and (former := read_json(place)) is not None:
        if former["same"] != same:
            raise HTTPException(422, "this Idempotency-Key was used for something else")
        return _accepted(visit, former["work"])
    if name.endswith(".json"):
        name, content = "rows.csv", await run_in_threadpool(_as_csv, pipeline, content)
    upload = await take(visit, name, io.BytesIO(content), profile=profile)
    # No await from here on: of two requests with one key the second finds what the first one has begun.
    if place is not None and (former := read_json(place)) is not None:
        desk.discard(upload)
        return _accepted(visit, former["work"])
    work = visit.begin_with(upload, kind, {"invites": invites} if kind == "run" else {})
    desk.store(_begun(upload, work))
    if place is not None:
        write_json(place, {"same": same, "work": work.id})
    visit.note(kind, upload.id)
    return _accepted(visit, work.id)


def _begun(upload: Upload, work: Work) -> Upload:
    return replace(upload, run=work.id, began_by=work.by) if work.kind == "run" else replace(upload, check=work.id)


class _DoubleNameError(ValueError):
    """A JSON object has a name twice."""


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _DoubleNameError("an object of the body has a name twice")
    return found


async def _sheet(visit: Visit) -> tuple[str, bytes, dict[str, Any]]:
    """The sheet of a request: the name of its file, what is in it, and what else is said."""
    kind = visit.request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        body = await visit.request.body()
        try:
            said = json.loads(body, object_pairs_hook=_without_doubles)
            json.dumps(said, ensure_ascii=False).encode()  # half a character is no text
        except (ValueError, RecursionError) as error:
            detail = error.args[0] if isinstance(error, _DoubleNameError) else "the body is no JSON"
            raise HTTPException(400, detail) from None
        if not isinstance(said, dict) or not {*said} <= {"rows", "profile", "invites"}:
            raise HTTPException(422, 'write {"rows": [{"username": "ana", …}], "profile": …, "invites": …}')
        if not isinstance(said.get("rows"), list):
            raise HTTPException(422, "rows is a list of objects")
        wanted = {name: value for name, value in said.items() if name != "rows" and value is not None}
        if not all(isinstance(value, str) for value in wanted.values()):
            raise HTTPException(422, "profile and invites are texts")
        return "rows.json", json.dumps(said["rows"]).encode(), wanted
    if kind != "multipart/form-data":
        raise HTTPException(415, "send multipart/form-data with a file `sheet`, or application/json with `rows`")
    async with visit.request.form(max_files=1, max_fields=_FIELDS, max_part_size=1024) as form:
        refuse_doubles(form)
        visit.form_sent = form
        sheet = visit.file("sheet")
        if sheet is None or sheet.filename is None:
            raise HTTPException(422, "there is no file `sheet`")
        wanted = {name: visit.text(name) for name in ("profile", "invites") if name in form}
        name = sheet.filename
        return name if not name.endswith(".json") else f"{name}_", await sheet.read(), wanted


def _as_csv(pipeline: Pipeline, content: bytes) -> bytes:
    """Rows as the sheet of the pipeline, so that a job of rows is one like every other."""
    rows, names = json.loads(content), [one.name for one in pipeline.fields.values() if one.has_column]
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict) or not all(isinstance(value, str) for value in row.values()):
            raise HTTPException(422, f"row {number} of rows is no object whose values are texts")
        if unknown := sorted(row.keys() - {*names}):
            name = unknown[0][:_SHOWN]
            hint = did_you_mean(name, names) or f"; the fields are {', '.join(names)}"
            raise HTTPException(422, f'row {number} of rows: there is no field "{name}"{hint}')
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.csv"
        template(pipeline, path, form="csv", users=rows)
        return path.read_bytes()


def _place_of_key(visit: Visit, key: str) -> Path:
    whose = json.dumps([visit.name, visit.person.name, key])
    return visit.site.desk.keys / f"{hashlib.sha256(whose.encode()).hexdigest()}.json"


def _accepted(visit: Visit, work: str) -> Response:
    place = f"/api/jobs/{work}"
    return JSONResponse({"id": work, "location": place}, 202, {"location": place})


async def one_job(visit: Visit) -> Response:
    """The document of a job: that of the command where its id is one that this API gave, else that of `jobs show`."""
    id_ = visit.request.path_params["job"]
    for customer in _customers(visit):
        visit.customer_found = customer
        if ID.fullmatch(id_):
            work = visit.site.desk.work(visit.name, id_)
            if work is not None and (work.kind == "view" or visit.may("importer")):
                return _document(visit, work)
        elif (response := await _shown(visit, id_)) is not None:
            return response
    raise _no_job(visit)


def _customers(visit: Visit) -> list[Any]:
    return [one for one in visit.site.customers.all.values() if visit.person.role_for(one.name)]


def _document(visit: Visit, work: Work) -> Response:
    standing = visit.site.desk.standing(work)
    if standing.state == "done":
        return FileResponse(visit.site.desk.document(work), media_type="application/json")
    found = {"id": work.id, "state": standing.state, "stage": standing.stage}
    return JSONResponse({**found, "done": standing.done, "total": standing.total}, 202, {"retry-after": "1"})


async def _shown(visit: Visit, id_: str) -> Response | None:
    """The document of `jobs show`, as the command line prints it; None where there is no such job."""
    pipeline = await visit.pipeline()

    def look() -> Response | None:
        try:
            with show_job(pipeline, id_) as report:
                if report.job is None or report.job.id != id_:
                    return None
                return _written("jobs show", pipeline, documents.of_report(report), profile=report.profile)
        except UsageError:
            return None

    return await run_in_threadpool(look)


def _written(command: str, pipeline: Pipeline, members: Mapping[str, Any], *, profile: str | None) -> Response:
    """The document of a command that looks, as the command line prints it."""
    out = io.StringIO()
    document = Document(out.write, command, MEMBERS[command], pipeline=pipeline.name, profile=profile)
    document.add(members)
    document.finish(Outcome.OK, None)
    return Response(out.getvalue().encode(), media_type="application/json")


async def jobs(visit: Visit) -> Response:
    """The jobs of a customer, as `jobs list` has them."""
    pipeline = await visit.pipeline()
    found = await run_in_threadpool(list_jobs, pipeline)
    return _written("jobs list", pipeline, documents.of_jobs(found), profile=None)


async def act(visit: Visit) -> Response:
    """Does something about a job."""
    for customer in _customers(visit):
        visit.customer_found = customer
        try:
            job, _ = await visit.job(visit.request.path_params["job"])
        except HTTPException as error:
            if error.status_code != HTTPStatus.NOT_FOUND:
                raise
            continue
        if not visit.may("importer"):
            visit.note(f"refused: {visit.request.method} {visit.request.url.path}")
            raise HTTPException(403, "this takes the role importer")
        as_sent = visit.query("as_sent") == "yes"
        act_ = visit.request.url.path.rpartition("/")[2]
        work = await begin_act(visit, job, act_, as_sent=as_sent)
        return _accepted(visit, work.id)
    raise _no_job(visit)


async def cancel(visit: Visit) -> Response:
    """Asks a work to end."""
    work = _own_work(visit)
    visit.site.desk.cancel(work)
    visit.note("cancel", work.id)
    return _accepted(visit, work.id)


async def import_check(visit: Visit) -> Response:
    """Imports what a check has shown, or nothing where something else would be done by now."""
    upload, work = _own_check(visit)
    if visit.site.desk.standing(work).state in ("waiting", "running"):
        raise HTTPException(409, "the check is not done yet")
    try:
        view = await run_in_threadpool(View, visit.site.desk.view_of(work))
    except FileNotFoundError:
        raise HTTPException(409, "the check could not read the sheet") from None
    with view:
        begun = begin_import(visit, upload, view.meta, visit.query("invites") or view.meta["usual"])
    return _accepted(visit, begun.id)


async def discard_check(visit: Visit) -> Response:
    """Forgets the sheet of a check, and what was found in it."""
    upload, work = _own_check(visit)
    visit.site.desk.discard(unimported(visit, upload))
    visit.note("discard", upload.id)
    return JSONResponse({"id": work.id})


def _own_work(visit: Visit) -> Work:
    """What this API has begun, by its id; for importers.

    Raises:
        HTTPException: there is none (404).
    """
    for customer in _customers(visit):
        visit.customer_found = customer
        work = visit.site.desk.work(customer.name, visit.request.path_params["job"])
        if work is not None and visit.may("importer"):
            return work
    raise _no_job(visit)


def _no_job(visit: Visit) -> HTTPException:
    return HTTPException(404, f'there is no job "{visit.request.path_params["job"][:_SHOWN]}"')


def _own_check(visit: Visit) -> tuple[Upload, Work]:
    """A check, likewise, and its sheet."""
    work = _own_work(visit)
    upload = visit.site.desk.upload(visit.name, work.upload or "")
    if upload is None or upload.check != work.id:
        raise HTTPException(404)
    return upload, work


async def description(visit: Visit) -> Response:
    """The OpenAPI document."""
    return JSONResponse(openapi(OPERATIONS))


OPERATIONS = (
    Operation(
        "POST",
        "/api/customers/{customer}/jobs",
        begin_job,
        Role.IMPORTER,
        "Imports a sheet (multipart/form-data, `sheet`), or rows (JSON). Takes an Idempotency-Key.",
        {202: "begun", **REFUSED, **NOT_NOW, **NOT_TAKEN},
        takes_sheet=True,
    ),
    Operation(
        "POST",
        "/api/customers/{customer}/checks",
        begin_check,
        Role.IMPORTER,
        "Says what an import would do, with all problems; writes nothing.",
        {202: "begun", **REFUSED, **NOT_NOW, **NOT_TAKEN},
        takes_sheet=True,
    ),
    Operation(
        "GET",
        "/api/customers/{customer}/jobs",
        jobs,
        Role.VIEWER,
        "The jobs, newest first.",
        {200: "jobs", **REFUSED},
    ),
    Operation(
        "GET",
        "/api/jobs/{job}",
        one_job,
        None,
        "The JSON document of a job, or of what this API has begun.",
        {200: "document", 202: "standing", **REFUSED},
    ),
    Operation(
        "POST",
        "/api/jobs/{job}/cancel",
        cancel,
        None,
        "Ends what this API has begun, in order.",
        {202: "begun", **REFUSED},
    ),
    Operation(
        "POST",
        "/api/jobs/{job}/import",
        import_check,
        None,
        "Imports what a check of this API has shown; with invites=… as said, else as the pipeline says.",
        {202: "begun", **REFUSED, **NOT_NOW, 422: NOT_TAKEN[422]},
        query=("invites",),
    ),
    Operation(
        "POST",
        "/api/jobs/{job}/discard",
        discard_check,
        None,
        "Forgets the sheet of a check of this API that was not imported.",
        {200: "discarded", **REFUSED, 409: NOT_NOW[409]},
    ),
    *(
        Operation(
            "POST", f"/api/jobs/{{job}}/{name}", act, None, summary, {202: "begun", **REFUSED, **NOT_NOW}, query=query
        )
        for name, summary, query in zip(
            ACTS,
            (
                "Goes on with a job that was cut off.",
                "Lets a job past the limits that stopped it; not by who began it.",
                "Takes back what a job did.",
                "Sends held invites again; with as_sent=yes they count as sent.",
            ),
            ((), (), (), ("as_sent",)),
            strict=True,
        )
    ),
    Operation(
        "GET",
        "/api/openapi.json",
        description,
        None,
        "This document.",
        {200: "openapi", 401: REFUSED[401], 429: REFUSED[429]},
    ),
)
