"""What the operations have in common: which work or job is meant, what takes time, and lists page by page."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any, TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from musterroll import engine
from musterroll.engine import JobSummary
from musterroll_plugins.web.desk import Upload, Work
from musterroll_plugins.web.jobs import view_of_job
from musterroll_plugins.web.people import Who
from musterroll_plugins.web.private import ID
from musterroll_plugins.web.site import Visit
from musterroll_plugins.web.view import Page, View
from musterroll_plugins.web.works import work_for

SHOWN = 100
"""So many characters are shown of what a program said wrongly."""

Show: TypeAlias = Callable[[View, Upload | JobSummary], Response]
"""Answers from a view: of the check of a sheet, or of a job."""


async def found(visit: Visit) -> Work | JobSummary:
    """The work or the job that the path names, of any customer for whom the program has a role.

    Raises:
        HTTPException: there is none for it (404), or its role does not do (403).
    """
    id_ = visit.request.path_params["job"]
    for customer in visit.site.customers.of(visit.person):
        visit.at(customer)
        it = work_for(visit, id_) if ID.fullmatch(id_) else await _job(visit, id_)
        if it is not None:
            visit.insist()
            return it
    visit.customer_found = None
    raise _no_job(visit)


def _no_job(visit: Visit) -> HTTPException:
    return HTTPException(404, f'there is no job "{visit.request.path_params["job"][:SHOWN]}"')


def no_field(where: str, name: str, names: Sequence[str]) -> HTTPException:
    """The answer to a program that names a field that there is not."""
    return HTTPException(422, f"{where}: {engine.no_field(name[:SHOWN], names)}")


async def _job(visit: Visit, id_: str) -> JobSummary | None:
    try:
        job, _ = await visit.job(id_)
    except HTTPException as error:
        if error.status_code != HTTPStatus.NOT_FOUND:
            raise
        return None
    return job


async def found_work(visit: Visit) -> Work:
    """The work that the path names; see `found`."""
    it = await found(visit)
    if not isinstance(it, Work):
        raise _no_job(visit)
    return it


async def found_job(visit: Visit) -> JobSummary:
    """The job that the path names, or that a work there has begun; see `found`.

    Raises:
        HTTPException: a work there is under way, or has begun none (409).
    """
    it = await found(visit)
    return await _job_of(visit, it) if isinstance(it, Work) else it


async def _job_of(visit: Visit, work: Work) -> JobSummary:
    standing = visit.site.desk.standing(work)
    job = (standing.result or {}).get("job")
    if job is None:
        text = "this has no job" if standing.state in ("done", "lost") else "this is not done yet"
        raise HTTPException(409, text)
    return (await visit.job(job))[0]


async def found_check(visit: Visit) -> tuple[Upload, Work]:
    """The check that the path names, the latest one of its sheet, and the sheet; see `found`."""
    work = await found_work(visit)
    return _sheet_of(visit, work), work


def _sheet_of(visit: Visit, work: Work) -> Upload:
    upload = visit.site.desk.upload(visit.name, work.upload or "")
    if upload is None or upload.check != work.id:
        raise _no_job(visit)
    return upload


async def found_upload(visit: Visit) -> Upload:
    """The upload that the path names, or that a work there is about; see `found`."""
    id_ = visit.request.path_params["job"]
    for customer in visit.site.customers.of(visit.person):
        visit.at(customer)
        work = work_for(visit, id_)
        upload = visit.site.desk.upload(customer.name, id_ if work is None else work.upload or "")
        if upload is not None and visit.may("importer"):
            return upload
    visit.customer_found = None
    raise _no_job(visit)


async def checked(visit: Visit) -> tuple[Upload, View]:
    """What the check that the path names has found; see `found_check`. The view is to be closed.

    Raises:
        HTTPException: it is not done, or could not read the sheet (409).
    """
    upload, work = await found_check(visit)
    if visit.site.desk.standing(work).state in ("waiting", "running"):
        raise HTTPException(409, "the check is not done yet")
    return upload, await _view_of_check(visit, work)


async def _view_of_check(visit: Visit, work: Work) -> View:
    try:
        return await run_in_threadpool(View, visit.site.desk.view_of(work))
    except FileNotFoundError:
        raise HTTPException(409, "the check could not read the sheet") from None


async def with_view(visit: Visit, show: Show) -> Response:
    """Answers from the view of the check or the job that the path names; how far it is while there is none yet."""
    it, desk = await found(visit), visit.site.desk
    about: Upload | JobSummary
    if isinstance(it, Work) and desk.standing(it).state in ("waiting", "running"):
        return standing_of(visit, it)
    if isinstance(it, Work) and it.kind == "check":
        about, view = _sheet_of(visit, it), await _view_of_check(visit, it)
    else:
        about = it if isinstance(it, JobSummary) else await _job_of(visit, it)
        if about.state == "running":
            raise HTTPException(409, "this is not done yet")
        made = await view_of_job(visit, about)
        if isinstance(made, Work):
            return standing_of(visit, made)
        view = made
    with view:
        return show(view, about)


def accepted(work: str) -> Response:
    """Something has begun, and this is where its document will be."""
    place = f"/api/jobs/{work}"
    return JSONResponse({"id": work, "location": place}, 202, {"location": place})


def standing_of(visit: Visit, work: Work) -> Response:
    """How far a work is, that was not done a moment ago."""
    now = visit.site.desk.standing(work)
    state = "running" if now.state == "done" else now.state  # who asks again gets what it has become
    told = {"id": work.id, "state": state, "stage": now.stage, "done": now.done, "total": now.total}
    return JSONResponse(told, 202, {"retry-after": "1"})


def told_by(who: Who) -> dict[str, Any]:
    """Who did something, as plain data."""
    return {"by": who.name, "by_program": who.is_program}


def page_of(page: Page, name: str, items: Iterable[Any]) -> Response:
    """A page of a list."""
    return JSONResponse({"page": page.number, "pages": page.pages, "total": page.total, name: list(items)})


def json_object(body: bytes, what: str = "the body") -> dict[str, Any]:
    """The object of a request's body, or of a part of it.

    Raises:
        HTTPException: it is no JSON (400), or no object (422).
    """
    try:
        said = json.loads(body, object_pairs_hook=_without_doubles)
        json.dumps(said, ensure_ascii=False).encode()  # half a character is no text
    except (ValueError, RecursionError) as error:
        detail = error.args[0] if isinstance(error, _DoubleNameError) else f"{what} is no JSON"
        raise HTTPException(400, detail) from None
    if not isinstance(said, dict):
        raise HTTPException(422, f"{what} is no object")
    return said


class _DoubleNameError(ValueError):
    """A JSON object has a name twice."""


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) != len(pairs):
        raise _DoubleNameError("an object of the body has a name twice")
    return told
