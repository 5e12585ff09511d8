"""How far a work is: a page that survives a reload, and the events that keep it up to date."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from musterroll import counted, gettext
from musterroll_plugins.web.desk import COPIES, LOOKS, Standing, Work
from musterroll_plugins.web.people import Role
from musterroll_plugins.web.site import Route, Visit
from musterroll_plugins.web.words import WORKS

_PACE = 0.3  # seconds between two events
_LONGEST = 15 * 60  # seconds; the browser asks again


def found_work(visit: Visit) -> Work:
    """The work that the path names.

    Raises:
        HTTPException: there is none of this customer, or it is none for the person's role (404).
    """
    work = work_for(visit, visit.request.path_params["work"])
    if work is None:
        raise HTTPException(404)
    return work


def work_for(visit: Visit, id_: str) -> Work | None:
    """A work of the customer; None where there is none that is for the person's role."""
    work = visit.site.desk.work(visit.name, id_)
    return work if work is not None and (work.kind in LOOKS or visit.may("importer")) else None


async def progress(visit: Visit) -> Response:
    """How far a work is; when it is done, what came of it."""
    work = found_work(visit)
    standing = visit.site.desk.standing(work)
    if standing.state == "done":
        return await _ended(visit, work, standing)
    if standing.state == "lost" and work.kind == "check":
        return visit.to(f"/uploads/{work.upload}")
    return visit.page(
        "work.html",
        work=work,
        standing=standing,
        is_cancelled=visit.site.desk.is_cancelled(work),
        target=await visit.target(work.profile),
    )


async def _ended(visit: Visit, work: Work, standing: Standing) -> Response:
    result = standing.result or {}
    if work.kind == "check":
        return visit.to(f"/uploads/{work.upload}")
    if work.kind in COPIES:
        return visit.to(f"/uploads/{work.upload}/copies/{work.id}")
    if work.kind == "report" and not result["error"]:
        return visit.page("report.html", work=work, target=await visit.target(work.profile))
    if work.kind == "story":
        return visit.to(f"/jobs/{work.job}/rows/{work.more['row']}?work={work.id}")
    if result["job"] is not None and (work.kind not in ("approve", "undo", "resume", "release") or not result["error"]):
        return visit.to(f"/jobs/{result['job']}")
    error = result["error"] or {"code": "unknown", "message": gettext("it came to nothing")}
    return visit.page(
        "stopped.html", work=work, error=error, job=result["job"] or work.job, target=await visit.target(work.profile)
    )


async def events(visit: Visit) -> Response:
    """The progress as server-sent events; the last one is `end`."""
    return stream_of(visit, found_work(visit))


def stream_of(visit: Visit, work: Work) -> Response:
    """The progress of a work as server-sent events."""

    async def stream() -> AsyncIterator[str]:
        last = None
        for _ in range(int(_LONGEST / _PACE)):
            standing = visit.site.desk.standing(work)
            if standing.state in ("done", "lost"):
                yield "event: end\ndata: {}\n\n"
                return
            now = {"text": text_of(standing, work), "done": standing.done, "total": standing.total}
            if now != last:
                yield f"data: {json.dumps(now)}\n\n"
                last = now
            await asyncio.sleep(_PACE)

    return StreamingResponse(stream(), media_type="text/event-stream")


def text_of(standing: Standing, work: Work) -> str:
    """How far a work is, in words."""
    if standing.state == "waiting":
        if work.kind == "run":
            return gettext("Waiting: another import of this customer is under way")
        return gettext("Waiting")
    if standing.total:
        how_far = gettext("{done} of {total}", done=counted(standing.done), total=counted(standing.total))
        return f"{gettext(standing.stage)}: {how_far}"
    return f"{gettext(standing.stage or WORKS[work.kind])}{f': {counted(standing.done)}' if standing.done else ''}"


async def cancel(visit: Visit) -> Response:
    """Asks a work to end."""
    work = found_work(visit)
    cancel_work(visit, work)
    return visit.to(f"/work/{work.id}")


def cancel_work(visit: Visit, work: Work) -> None:
    """Asks a work to end, unless it has."""
    if visit.site.desk.standing(work).state != "done":
        visit.site.desk.cancel(work)
        visit.note("cancel", work.id)


ROUTES: list[Route] = [
    ("GET", "/c/{customer}/work/{work}", progress, Role.VIEWER),
    ("GET", "/c/{customer}/work/{work}/events", events, Role.VIEWER),
    ("POST", "/c/{customer}/work/{work}/cancel", cancel, Role.IMPORTER),
]
