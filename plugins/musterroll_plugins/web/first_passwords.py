"""First passwords on paper: who began the import fetches them, prints them, and deletes them here.

They can be fetched again until then, since a download may break; after that nobody gets them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from musterroll import gettext
from musterroll.engine import HandedOver, JobSummary, LostPasswords, show_job, slips_as_table
from musterroll_plugins.web.desk import Upload
from musterroll_plugins.web.people import Role, Who
from musterroll_plugins.web.site import Route, Visit
from musterroll_plugins.web.slips import Slips, has_slips, noted_slips
from musterroll_plugins.web.uploads import download
from musterroll_plugins.web.view import View


class Offer(NamedTuple):
    """Slips, and who may have them.

    Attributes:
        slips: the slips.
        to: who may have them.
        is_open: whether that is the person who asks, in a role that does.
    """

    slips: Slips
    to: Who
    is_open: bool


def offers(visit: Visit, upload: Upload | None, noted: Iterable[HandedOver]) -> list[Offer]:
    """The slips of a job, also those that are deleted by now.

    Args:
        visit: who asks.
        upload: the job's; None where it began elsewhere, and its passwords went elsewhere.
        noted: what the journal has noted of it.
    """
    if upload is None:
        return []
    found = []
    for slips in noted_slips(visit.site.desk.sheet_of(upload), noted):
        # Who had the job gone on with when they were made, else who began it.
        to = upload.resumed_by.get(slips.id) or upload.imported_by
        found.append(Offer(slips, to, visit.may("importer") and visit.person.who == to))
    return found


def are_to_be_printed(visit: Visit, job: JobSummary) -> bool:
    """Whether slips of a job wait for the person who asks."""
    desk = visit.site.desk
    upload = desk.upload_of(visit.name, job.sheet)
    if upload is None or not has_slips(desk.sheet_of(upload)):  # of nearly every job
        return False
    try:
        with View(desk.view_of_job(visit.name, job.id)) as view:
            found = offers(visit, upload, view.handed_over)
    except FileNotFoundError:
        return False
    return any(one.is_open and one.slips.are_there for one in found)


async def lost_passwords(visit: Visit, job: JobSummary) -> LostPasswords:
    """Whose first passwords nobody was told: they get other ones when the job goes on."""
    pipeline = await visit.pipeline()

    def count() -> LostPasswords:
        with show_job(pipeline, job.id) as report:
            return LostPasswords(0, 0) if report.job is None else report.job.lost_passwords()

    return await run_in_threadpool(count)


async def found_slips(visit: Visit, job: JobSummary) -> Slips:
    """The slips of a job that the path names, which are there, and for whom asks.

    Raises:
        HTTPException: there are none (404), they are another person's (403), or deleted (410).
    """
    pipeline, id_ = await visit.pipeline(), visit.request.path_params["slips"]

    def noted() -> list[HandedOver]:
        with show_job(pipeline, job.id) as report:
            return [] if report.job is None else list(report.job.handed_over())

    upload = visit.site.desk.upload_of(visit.name, job.sheet)
    all_ = [] if upload is None else offers(visit, upload, await run_in_threadpool(noted))
    offer = next((one for one in all_ if one.slips.id == id_), None)
    if offer is None:
        raise HTTPException(404)
    if not offer.is_open:
        visit.note("refused: first passwords", job.id)
        raise HTTPException(403, gettext("these first passwords are for {name} only", name=offer.to))
    if not offer.slips.are_there:
        raise _deleted()
    return offer.slips


def _deleted() -> HTTPException:
    return HTTPException(410, gettext("these first passwords are deleted here, and nobody can get them again"))


async def fetch(visit: Visit) -> Response:
    """The slips, to be printed."""
    job, _ = await visit.job(visit.request.path_params["job"])
    return await download_slips(visit, job)


async def fetch_table(visit: Visit) -> Response:
    """What is on the slips as a table, for letters that another program writes."""
    job, _ = await visit.job(visit.request.path_params["job"])
    return await download_slips(visit, job, as_table=True)


async def download_slips(visit: Visit, job: JobSummary, *, as_table: bool = False) -> Response:
    """The slips that the path names, or a table (csv) of what is on them; see `found_slips`."""
    slips = await found_slips(visit, job)
    try:
        content = await run_in_threadpool(slips.path.read_bytes)
    except FileNotFoundError:  # a moment ago
        raise _deleted() from None
    visit.note(f"download of first passwords{' as a table' if as_table else ''}", job.id)
    name = f"{visit.name}-{job.id}-first-passwords"
    if not as_table:
        return download(content, f"{name}{slips.path.suffix}")
    table = await run_in_threadpool(slips_as_table, content.decode("utf-8"))
    return download(table.encode("utf-8"), f"{name}.csv")


async def ask(visit: Visit) -> Response:
    """Asks once more before slips are deleted."""
    job, report = await visit.job(visit.request.path_params["job"])
    slips = await found_slips(visit, job)
    return visit.page("slips.html", job=job, slips=slips, target=await visit.target(report.profile))


async def delete(visit: Visit) -> Response:
    """Deletes slips: they are printed."""
    job, _ = await visit.job(visit.request.path_params["job"])
    await delete_slips(visit, job)
    return visit.to(f"/jobs/{job.id}")


async def delete_slips(visit: Visit, job: JobSummary) -> None:
    """Deletes the slips that the path names; see `found_slips`."""
    slips = await found_slips(visit, job)
    try:
        slips.path.unlink()
    except FileNotFoundError:  # a moment ago
        raise _deleted() from None
    visit.note("deletion of first passwords", job.id)


ROUTES: list[Route] = [
    ("POST", "/c/{customer}/jobs/{job}/passwords/{slips}", fetch, Role.IMPORTER),
    ("POST", "/c/{customer}/jobs/{job}/passwords/{slips}/csv", fetch_table, Role.IMPORTER),
    ("GET", "/c/{customer}/jobs/{job}/passwords/{slips}/delete", ask, Role.IMPORTER),
    ("POST", "/c/{customer}/jobs/{job}/passwords/{slips}/delete", delete, Role.IMPORTER),
]
