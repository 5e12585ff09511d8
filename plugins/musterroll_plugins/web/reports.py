"""The report of a job, to be taken along. A worker writes it as `jobs show --report` does."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from musterroll.engine import JobSummary
from musterroll_plugins.web.desk import REPORTS, Work
from musterroll_plugins.web.jobs import origin_of, settings_of
from musterroll_plugins.web.people import Role
from musterroll_plugins.web.site import Route, Visit
from musterroll_plugins.web.uploads import download
from musterroll_plugins.web.works import found_work


async def report(visit: Visit) -> Response:
    """Has the report of a job written."""
    job, _ = await visit.job(visit.request.path_params["job"])
    return visit.to(f"/work/{(await begin_report(visit, job, visit.request.path_params['form'])).id}")


async def begin_report(visit: Visit, job: JobSummary, form: str) -> Work:
    """Has the report of a job written.

    Raises:
        HTTPException: there is no such form (404).
    """
    if form not in REPORTS:
        raise HTTPException(404)
    profile, sets = await settings_of(visit, job)
    more = {"form": form, "called": origin_of(visit, job)[0]}
    return visit.begin("report", job=job.id, profile=profile, sets=sets, more=more)


async def report_file(visit: Visit) -> Response:
    """The report that a work has written."""
    return await download_report(visit, found_work(visit))


async def download_report(visit: Visit, work: Work) -> Response:
    """The report that a work has written.

    Raises:
        HTTPException: there is none (404).
    """
    path = visit.site.desk.report(work) if work.kind == "report" else None
    if path is None or visit.site.desk.standing(work).state != "done" or not path.is_file():
        raise HTTPException(404)
    visit.note("download of a report", work.job)
    return download(await run_in_threadpool(path.read_bytes), f"{visit.name}-{work.job}{path.suffix}")


ROUTES: list[Route] = [
    ("POST", "/c/{customer}/jobs/{job}/reports/{form}", report, Role.VIEWER),
    ("GET", "/c/{customer}/work/{work}/file", report_file, Role.VIEWER),
]
