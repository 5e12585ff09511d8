"""The application, and the process that serves it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import Route

from musterroll import MusterrollError
from musterroll.engine import list_jobs
from musterroll_plugins.listener import QuietServer
from musterroll_plugins.web import checked, columns, copies, entrance, jobs, programs, uploads, works
from musterroll_plugins.web.desk import DAY
from musterroll_plugins.web.guard import Application, Guard
from musterroll_plugins.web.site import Site, api, page

_MULTIPART = 1024 * 1024  # what a form has besides its file, at most


def make_application(site: Site, hosts: list[str]) -> Application:
    """Makes the application.

    Args:
        site: the server's parts.
        hosts: the names, with port, by which it can be asked.
    """
    pages = (
        *entrance.ROUTES,
        *jobs.ROUTES,
        *uploads.ROUTES,
        *columns.ROUTES,
        *checked.ROUTES,
        *copies.ROUTES,
        *works.ROUTES,
    )
    # The paths with fixed words come before those in which anything can stand.
    ordered = sorted(pages, key=lambda route: route[1].endswith("{act}"))
    routes = [Route(path, endpoint, methods=["GET"]) for path, endpoint in entrance.open_routes(site)]
    routes += [Route(path, page(site, handler, role), methods=[method]) for method, path, handler, role in ordered]
    routes += [Route(one.path, api(site, one.handler, one.role), methods=[one.method]) for one in programs.OPERATIONS]

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        tidying = asyncio.create_task(_tidy(site))
        try:
            yield
        finally:
            tidying.cancel()
            await site.desk.close()

    failure: Any = partial(entrance.failure, site)
    application = Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: failure, 500: failure})
    return Guard(application, hosts, site.max_upload * 1024 * 1024 + _MULTIPART, is_https=site.is_https)


async def _tidy(site: Site) -> None:
    """Takes away once a day what nobody needs any more."""
    while True:
        with suppress(MusterrollError, OSError):
            await run_in_threadpool(_tidy_once, site)
        await asyncio.sleep(DAY)


def _tidy_once(site: Site) -> None:
    found = {}
    for customer in site.customers.all.values():
        pipeline = site.customers.pipeline(customer)
        found[customer.name] = [(job.id, job.sheet) for job in list_jobs(pipeline)]
    site.desk.tidy(found)


def serve(
    application: Application, listener: Any, on_ready: Callable[[], None], *, certificate: Path | None, key: Path | None
) -> None:
    """Serves until Ctrl-C or a wish to terminate, and then ends the workers in order."""
    config = uvicorn.Config(
        application,
        ws="none",
        lifespan="on",
        loop="asyncio",
        log_config=None,
        log_level="critical",  # a path may hold the one-time token
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )
    asyncio.run(QuietServer(config, on_ready).serve([listener]))
