"""The jobs: their list, one of them with its rows and failures, and what can be done about it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from musterroll import MusterrollError, gettext
from musterroll.engine import JobSummary, job_settings, list_jobs
from musterroll_plugins.web.desk import REPORTS, Upload, Work
from musterroll_plugins.web.first_passwords import are_to_be_printed, lost_passwords, offers
from musterroll_plugins.web.people import Role, Who
from musterroll_plugins.web.private import read_json
from musterroll_plugins.web.site import Route, Visit
from musterroll_plugins.web.uploads import download
from musterroll_plugins.web.view import PAGE, Page, View, stamp_of

_LAST_ROW = 10**9
_JOB = re.compile(r"[0-9a-z-]{1,60}")
ACTS = ("resume", "approve", "undo", "release")


async def home(visit: Visit) -> Response:
    """The customers; of who has one only, the jobs."""
    customers = visit.site.customers.of(visit.person)
    if len(customers) == 1:
        visit.at(customers[0])
        return visit.to("")
    return visit.page("home.html", names=[one.name for one in customers])


async def all_jobs(visit: Visit) -> Response:
    """The jobs of a customer, newest first, and what is waiting before them."""
    found = await jobs_of(visit)
    page, shown = paged(visit, found)
    jobs = [(job, *origin_of(visit, job), are_to_be_printed(visit, job)) for job in shown]
    waiting = [(one, _waits_for(visit, one)) for one in await waiting_of(visit, found)]
    return visit.page("jobs.html", jobs=jobs, waiting=waiting, found=page)


async def jobs_of(visit: Visit) -> Sequence[JobSummary]:
    """The jobs of the customer, newest first.

    Raises:
        HTTPException: they cannot be read (503).
    """
    pipeline = await visit.pipeline()
    try:
        return await run_in_threadpool(list_jobs, pipeline)
    except MusterrollError as error:
        raise HTTPException(503, error.message) from None


def paged(visit: Visit, found: Sequence[Any]) -> tuple[Page, Sequence[Any]]:
    """The page of a list that is asked for, without and with its items."""
    pages = max(1, -(-len(found) // PAGE))
    number = min(max(1, visit.page_number), pages)
    return Page([], number, pages, len(found)), found[(number - 1) * PAGE : number * PAGE]


async def waiting_of(visit: Visit, jobs: Sequence[JobSummary]) -> list[Upload]:
    """The uploads of which none of the customer's jobs is made, newest first."""
    desk = visit.site.desk
    used = {upload.id for job in jobs if (upload := desk.upload_of(visit.name, job.sheet))}
    return [one for one in await run_in_threadpool(desk.uploads, visit.name) if one.id not in used]


def origin_of(visit: Visit, job: JobSummary) -> tuple[str, Who]:
    """The name of a job's sheet as the person knows it, and who began the job."""
    upload = visit.site.desk.upload_of(visit.name, job.sheet)
    if upload is not None:
        return upload.name, upload.imported_by
    return Path(job.sheet).name, Who(gettext("command line"))


def _waits_for(visit: Visit, upload: Upload) -> str:
    work = visit.site.desk.work(visit.name, upload.run or upload.check or "")
    state = visit.site.desk.standing(work).state if work else "done"
    if upload.run is not None:
        return gettext("Importing") if state in ("waiting", "running") else gettext("Not imported; look why")
    return gettext("Being checked") if state in ("waiting", "running") else gettext("Waits for your answers")


async def one_job(visit: Visit) -> Response:
    """A job: its numbers, and the page of it that is asked for (rows, problems or failures)."""
    job, report = await visit.job(_job_id(visit))
    desk, profile = visit.site.desk, report.profile
    if job.state == "running" and visit.may("importer"):
        running = await run_in_threadpool(_work_of, visit, job)
        if running is not None:
            return visit.to(f"/work/{running}")
    view = None if job.state == "running" else await view_of_job(visit, job)
    if isinstance(view, Work):
        return visit.to(f"/work/{view.id}")
    upload = desk.upload_of(visit.name, job.sheet)
    name, by = origin_of(visit, job)
    part, text, outcome = visit.query("part"), visit.query("q").strip(), visit.query("outcome")
    values: dict[str, Any] = {"meta": None, "found": None, "held": 0, "offers": []}
    if view is not None:
        with view:
            totals = {
                "rows": sum(view.meta["actions"].values()),
                "problems": view.problems(1).total,
                "failures": view.failures(1).total,
            }
            if part not in totals:
                part = "failures" if totals["failures"] else "problems" if totals["problems"] else "rows"
            if part == "rows":
                values["found"] = view.lines(visit.page_number, text=text, outcome=outcome)
            elif part == "problems":
                values["found"] = view.problems(visit.page_number)
            else:
                values["found"] = view.failures(visit.page_number)
            values |= {"totals": totals, "meta": view.meta, "held": len(set(view.held()))}
            values["offers"] = offers(visit, upload, view.handed_over)
    fields = (await visit.pipeline()).fields
    return visit.page(
        "job.html",
        job=job,
        profile=profile,
        sheet=name,
        by=by,
        part=part,
        text=text,
        outcome=outcome,
        fields=fields,
        can=can_do(visit, job, upload, values["held"]),
        upload=upload,
        reports=REPORTS,
        has_rejected=rejected_file_of(visit, job) is not None,
        target=await visit.target(profile),
        **values,
    )


def can_do(visit: Visit, job: JobSummary, upload: Upload | None, held: int) -> dict[str, bool]:
    """What the person can do about a job."""
    imports = visit.may("importer")
    return {
        "resume": imports and job.can_go_on,
        "undo": imports
        and job.kind in ("run", "apply")
        and job.state in ("completed", "completed_with_errors", "paused", "failed", "interrupted", "partially_undone"),
        "approve": job.state == "quarantined" and _may_approve(visit, upload),
        "release": imports and held > 0,
    }


def _may_approve(visit: Visit, upload: Upload | None) -> bool:
    """Whether the person may approve: who brought the sheet or began the job may not, unless there is nobody else."""
    began = upload is not None and visit.person.who in (upload.by, upload.began_by)
    return visit.may("approver") and (visit.person.is_alone or not began)


async def view_of_job(visit: Visit, job: JobSummary) -> View | Work:
    """The view of a job; where there is none that is up to date, the work that makes it."""
    path = visit.site.desk.view_of_job(visit.name, job.id)
    try:
        view = await run_in_threadpool(View, path)
    except FileNotFoundError:
        view = None
    if view is not None:
        if view.meta["stamp"] == stamp_of(job):
            return view
        view.__exit__()
    return visit.begin("view", job=job.id, profile="", sets=())


def _work_of(visit: Visit, job: JobSummary) -> str | None:
    """The work that carries a job out; None where it is none of ours."""
    upload = visit.site.desk.upload_of(visit.name, job.sheet)
    work = visit.site.desk.work(visit.name, upload.run or "") if upload else None
    return work.id if work and visit.site.desk.standing(work).state == "running" else None


def _job_id(visit: Visit) -> str:
    id_: str = visit.request.path_params["job"]
    if not _JOB.fullmatch(id_) or id_ == "last":
        raise HTTPException(404)
    return id_


async def story(visit: Visit) -> Response:
    """The story of one row."""
    job, report = await visit.job(_job_id(visit))
    desk, row = visit.site.desk, visit.request.path_params["row"]
    if row > _LAST_ROW:
        raise HTTPException(404)
    work = desk.work(visit.name, visit.query("work"))
    if work is None or work.kind != "story" or work.job != job.id or work.more["row"] != row:
        return visit.to(f"/work/{(await story_work(visit, job, row)).id}")
    standing = desk.standing(work)
    if standing.state != "done":
        return visit.to(f"/work/{work.id}")
    result = standing.result or {}
    error = result.get("error")
    document = None if error else read_json(desk.document(work))
    return visit.page(
        "story.html",
        job=job,
        row=row,
        error=error,
        story=document["row"] if document else None,
        told=result.get("told", ()),
        target=await visit.target(report.profile),
    )


async def story_work(visit: Visit, job: JobSummary, row: int) -> Work:
    """Begins to read the story of a row."""
    profile, sets = await settings_of(visit, job)
    return visit.begin("story", job=job.id, profile=profile, sets=sets, more={"row": row})


async def settings_of(visit: Visit, job: JobSummary) -> tuple[str, tuple[str, ...]]:
    """The profile and the settings that a job was begun with."""
    pipeline = await visit.pipeline()
    profile, sets = await run_in_threadpool(job_settings, pipeline.state, pipeline.name, job.id)
    return profile or "", sets


async def ask(visit: Visit) -> Response:
    """Asks once more before a job is taken back, gone on with, or approved."""
    act = visit.request.path_params["act"]
    job, report = await visit.job(_job_id(visit))
    upload = visit.site.desk.upload_of(visit.name, job.sheet)
    if act not in ACTS or not can_do(visit, job, upload, 1 if job.invites.held else 0)[act]:
        raise HTTPException(404)
    name, by = origin_of(visit, job)
    return visit.page(
        "ask.html",
        act=act,
        job=job,
        sheet=name,
        by=by,
        lost=await lost_passwords(visit, job) if act == "resume" else None,
        target=await visit.target(report.profile),
    )


async def act(visit: Visit) -> Response:
    """Does something about a job."""
    job, _ = await visit.job(_job_id(visit))
    as_sent = visit.text("as_sent") == "yes"
    work = await begin_act(visit, job, visit.request.path_params["act"], as_sent=as_sent)
    return visit.to(f"/work/{work.id}")


async def begin_act(visit: Visit, job: JobSummary, act: str, *, as_sent: bool) -> Work:
    """Begins to do something about a job.

    Args:
        visit: who.
        job: the job.
        act: one of `ACTS`.
        as_sent: of held invites: they have arrived, nothing is to be sent.

    Raises:
        HTTPException: the person may not (403), or it cannot be (404, 409).
    """
    if act not in ACTS:
        raise HTTPException(404)
    upload = visit.site.desk.upload_of(visit.name, job.sheet)
    if act == "approve" and not _may_approve(visit, upload):
        visit.note("refused: approve", job.id)
        raise HTTPException(
            403, gettext("who begins a job does not approve it; that takes another person with the role approver")
        )
    more: dict[str, Any] = {}
    if act == "release":
        view = await view_of_job(visit, job)
        if isinstance(view, Work):
            raise HTTPException(409, gettext("open the job first; its invites are being read"))
        with view:
            more = {"names": sorted(set(view.held())), "as_sent": as_sent}
        if not more["names"]:
            raise HTTPException(409, gettext("no invite of this job is held"))
    elif not can_do(visit, job, upload, 0)[act]:
        raise HTTPException(409, gettext("that cannot be done with this job as it is now"))
    profile, sets = await settings_of(visit, job)
    more["is_uploaded"] = upload is not None
    # Looked at last: nothing comes between this and the beginning.
    if (other := visit.site.desk.writes_to(visit.name, job.id)) is not None:
        raise HTTPException(
            409, gettext("this job is being worked at by {name}; look at it again when that is done", name=other.by)
        )
    work = visit.begin(act, job=job.id, sheet=job.sheet, profile=profile, sets=sets, more=more)
    now = visit.site.desk.upload_of(visit.name, job.sheet)  # looked at again: another person may have done something
    if now is not None and act == "resume":
        visit.site.desk.store(replace(now, resumed_by={**now.resumed_by, work.id: work.by}))
    visit.note(act, job.id)
    return work


def rejected_file_of(visit: Visit, job: JobSummary) -> Path | None:
    """The file of a job's rejected rows; only where the job has an upload, whose folder it is in."""
    path = Path(job.rejected_file) if job.rejected_file else None
    return path if path is not None and visit.site.desk.holds(path) else None


async def rejected(visit: Visit) -> Response:
    """The file of rejected rows, to be corrected and uploaded."""
    job, _ = await visit.job(_job_id(visit))
    return await download_rejected(visit, job)


async def download_rejected(visit: Visit, job: JobSummary) -> Response:
    """The file of a job's rejected rows.

    Raises:
        HTTPException: there is none (404).
    """
    path = rejected_file_of(visit, job)
    if path is None:
        raise HTTPException(404)
    visit.note("download of rejected rows", job.id)
    return download(await run_in_threadpool(path.read_bytes), f"{visit.name}-left-out{path.suffix}")


ROUTES: list[Route] = [
    ("GET", "/", home, None),
    ("GET", "/c/{customer}", all_jobs, Role.VIEWER),
    ("GET", "/c/{customer}/jobs/{job}", one_job, Role.VIEWER),
    ("GET", "/c/{customer}/jobs/{job}/rows/{row:int}", story, Role.VIEWER),
    ("GET", "/c/{customer}/jobs/{job}/rejected", rejected, Role.IMPORTER),
    ("GET", "/c/{customer}/jobs/{job}/{act}", ask, Role.IMPORTER),
    ("POST", "/c/{customer}/jobs/{job}/{act}", act, Role.IMPORTER),
]
