"""What a program sees of jobs and of what is under way, and what it does about them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, JSONResponse, Response

from musterroll import UsageError
from musterroll.engine import MEMBERS, Document, JobSummary, Outcome, Pipeline, documents, show_job
from musterroll_plugins.web import first_passwords, jobs
from musterroll_plugins.web.checked import is_importable
from musterroll_plugins.web.copies import download_copy
from musterroll_plugins.web.desk import COPIES, Upload
from musterroll_plugins.web.programs.answers import (
    accepted,
    found,
    found_job,
    found_work,
    page_of,
    standing_of,
    told_by,
    with_view,
)
from musterroll_plugins.web.reports import begin_report, download_report
from musterroll_plugins.web.site import Visit
from musterroll_plugins.web.view import View
from musterroll_plugins.web.works import cancel_work, stream_of

_LAST_ROW = 10**9


async def all_jobs(visit: Visit) -> Response:
    """The jobs of a customer, as `jobs list` has them; a page of them, with who began them, where one is asked for."""
    pipeline, listed = await visit.pipeline(), await jobs.jobs_of(visit)
    if not visit.query("page"):
        return _written("jobs list", pipeline, documents.of_jobs(listed), profile=None)
    page, shown = jobs.paged(visit, listed)
    records = documents.of_jobs(shown)["jobs"]
    return page_of(page, "jobs", [{**one, **_origin(visit, job)} for one, job in zip(records, shown, strict=True)])


def _origin(visit: Visit, job: JobSummary) -> dict[str, Any]:
    name, by = jobs.origin_of(visit, job)
    return {"kind": job.kind, "name": name, **told_by(by)}


async def one_job(visit: Visit) -> Response:
    """The document of a job: that of the command where its id is one that this API gave, else that of `jobs show`."""
    it = await found(visit)
    if isinstance(it, JobSummary):
        return await _shown(visit, it.id)
    if visit.site.desk.standing(it).state != "done":
        return standing_of(visit, it)
    return FileResponse(visit.site.desk.document(it), media_type="application/json")


async def _shown(visit: Visit, id_: str) -> Response:
    """The document of `jobs show`, as the command line prints it."""
    pipeline = await visit.pipeline()

    def look() -> Response:
        try:
            with show_job(pipeline, id_) as report:
                return _written("jobs show", pipeline, documents.of_report(report), profile=report.profile)
        except UsageError:  # forgotten a moment ago
            raise HTTPException(404) from None

    return await run_in_threadpool(look)


def _written(command: str, pipeline: Pipeline, members: Mapping[str, Any], *, profile: str | None) -> Response:
    """The document of a command that looks, as the command line prints it."""
    out = io.StringIO()
    document = Document(out.write, command, MEMBERS[command], pipeline=pipeline.name, profile=profile)
    document.add(members)
    document.finish(Outcome.OK, None)
    return Response(out.getvalue().encode(), media_type="application/json")


async def overview(visit: Visit) -> Response:
    """What a page says of a check or a job above its rows: numbers, and what can be done."""

    def show(view: View, about: Upload | JobSummary) -> Response:
        meta = view.meta
        told = {
            "notes": meta["notes"],
            "groups_to_create": meta["groups_to_create"],
            "privileged": meta["privileged"],
            "rows": meta["actions"],
            "problems": meta["counts"],
        }
        of = _of_check(visit, view, about) if isinstance(about, Upload) else _of_job(visit, view, about)
        return JSONResponse({**of, **told})

    return await with_view(visit, show)


def _of_check(visit: Visit, view: View, upload: Upload) -> dict[str, Any]:
    meta = view.meta
    can = is_importable(meta) and not visit.site.desk.is_imported(upload)
    return {
        "id": upload.check,
        "kind": "check",
        "name": upload.name,
        **told_by(upload.by),
        "profile": upload.profile or None,
        "can": {"import": can, "fix": bool(meta["certain"]), "columns": meta["columns"] is not None},
        "invites": {"usual": meta["usual"], "choices": meta["choices"]},
        "limit": meta["error"],
    }


def _of_job(visit: Visit, view: View, job: JobSummary) -> dict[str, Any]:
    upload, held = visit.site.desk.upload_of(visit.name, job.sheet), len(set(view.held()))
    has_rejected = jobs.rejected_file_of(visit, job) is not None and visit.may("importer")
    return {
        "id": job.id,
        **_origin(visit, job),
        "state": job.state,
        "started": job.started,
        "finished": job.finished,
        "counts": asdict(job.counts),
        "invites": {**asdict(job.invites), "held": held},
        "approved": asdict(job.approved) if job.approved else None,
        "error": job.error,
        "first_passwords": [
            {
                "id": one.slips.id,
                "for": one.to.name,
                "for_program": one.to.is_program,
                "people": one.slips.people,
                "deleted": not one.slips.are_there,
            }
            for one in first_passwords.offers(visit, upload, view.handed_over)
        ],
        "lost_passwords": view.meta["lost_passwords"],
        "can": {**jobs.can_do(visit, job, upload, held), "rejected": has_rejected},
    }


async def rows(visit: Visit) -> Response:
    """The rows of a check or a job, a page of them."""
    text, outcome = visit.query("q").strip(), visit.query("outcome")

    def show(view: View, _: object) -> Response:
        page = view.lines(visit.page_number, text=text, outcome=outcome)
        return page_of(page, "rows", page.items)

    return await with_view(visit, show)


async def problems(visit: Visit) -> Response:
    """The problems of a check or a job, a page of them."""
    severity, code, field = visit.query("severity"), visit.query("code"), visit.request.query_params.get("field")

    def show(view: View, _: object) -> Response:
        page = view.problems(visit.page_number, severity=severity, code=code, field=field)
        return page_of(page, "problems", page.items)

    return await with_view(visit, show)


async def causes(visit: Visit) -> Response:
    """The problems of a check or a job by their cause, a page of them."""
    severity = visit.query("severity")

    def show(view: View, _: object) -> Response:
        page, shown = jobs.paged(visit, view.causes(severity))
        return page_of(page, "problem_groups", shown)

    return await with_view(visit, show)


async def failures(visit: Visit) -> Response:
    """What a job could not do, and the invites that are held; a page of them."""
    status = visit.query("status")

    def show(view: View, _: object) -> Response:
        page = view.failures(visit.page_number, status=status)
        return page_of(page, "failures", page.items)

    return await with_view(visit, show)


async def story(visit: Visit) -> Response:
    """Begins to read the story of a row."""
    row = visit.request.path_params["row"]
    if row > _LAST_ROW:
        raise HTTPException(404)
    return accepted((await jobs.story_work(visit, await found_job(visit), row)).id)


async def report(visit: Visit) -> Response:
    """Has the report of a job written."""
    job, form = await found_job(visit), visit.request.path_params["form"]
    return accepted((await begin_report(visit, job, form)).id)


async def rejected(visit: Visit) -> Response:
    """The file of the rows that a job left out."""
    return await jobs.download_rejected(visit, await found_job(visit))


async def slips(visit: Visit) -> Response:
    """The slips with first passwords that a job has made."""
    return await first_passwords.download_slips(visit, await found_job(visit))


async def slips_table(visit: Visit) -> Response:
    """What is on the slips as a table."""
    return await first_passwords.download_slips(visit, await found_job(visit), as_table=True)


async def delete_slips(visit: Visit) -> Response:
    """Deletes slips that are printed."""
    await first_passwords.delete_slips(visit, await found_job(visit))
    return JSONResponse({"id": visit.request.path_params["slips"]})


async def file(visit: Visit) -> Response:
    """The file that a work has made: a copy of a sheet, or a report."""
    work = await found_work(visit)
    return await (download_copy if work.kind in COPIES else download_report)(visit, work)


async def events(visit: Visit) -> Response:
    """How far a work is, as server-sent events."""
    return stream_of(visit, await found_work(visit))


async def cancel(visit: Visit) -> Response:
    """Asks a work to end."""
    work = await found_work(visit)
    cancel_work(visit, work)
    return accepted(work.id)


async def act(visit: Visit) -> Response:
    """Does something about a job."""
    job, as_sent = await found_job(visit), visit.query("as_sent") == "yes"
    work = await jobs.begin_act(visit, job, visit.request.url.path.rpartition("/")[2], as_sent=as_sent)
    return accepted(work.id)
