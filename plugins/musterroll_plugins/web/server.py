"""The application, its parts, and what serves it."""

from __future__ import annotations

import asyncio
import getpass
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from musterroll import MusterrollError
from musterroll.engine import list_jobs, set_language
from musterroll_plugins.listener import QuietServer
from musterroll_plugins.web import checked, columns, copies, entrance, first_passwords, jobs, reports, uploads, works
from musterroll_plugins.web.admission import api, page
from musterroll_plugins.web.audit import Audit
from musterroll_plugins.web.customers import Customers
from musterroll_plugins.web.desk import DAY, Desk
from musterroll_plugins.web.guard import Application, Guard, Receive, Scope, Send
from musterroll_plugins.web.people import AccessFile, People, alone
from musterroll_plugins.web.private import key_in
from musterroll_plugins.web.programs.operations import OPERATIONS
from musterroll_plugins.web.sessions import OneTimeAddress
from musterroll_plugins.web.site import Site

if TYPE_CHECKING:
    from musterroll_plugins.web import WebOptions

_STATE = Path(".musterroll") / "web"
_MULTIPART = 1024 * 1024  # what a form has besides its file, at most


def routes_of(site: Site) -> list[Route]:
    """What the server answers to."""
    pages = (
        *entrance.ROUTES,
        *jobs.ROUTES,
        *uploads.ROUTES,
        *columns.ROUTES,
        *checked.ROUTES,
        *copies.ROUTES,
        *works.ROUTES,
        *reports.ROUTES,
        *first_passwords.ROUTES,
    )
    # The paths with fixed words come before those in which anything can stand.
    ordered = sorted(pages, key=lambda route: route[1].endswith("{act}"))
    routes = [Route(path, endpoint, methods=["GET"]) for path, endpoint in entrance.open_routes(site)]
    routes += [Route(path, page(site, handler, role), methods=[method]) for method, path, handler, role in ordered]
    routes += [Route(one.path, api(site, one.handler, one.role), methods=[one.method]) for one in OPERATIONS]
    return routes


def make_application(site: Site, hosts: list[str]) -> Application:
    """Makes the application.

    Args:
        site: the server's parts.
        hosts: the names, with port, by which it can be asked.
    """

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        tidying = asyncio.create_task(_tidy(site))
        try:
            yield
        finally:
            tidying.cancel()
            await site.desk.close()

    failure: Any = partial(entrance.failure, site)
    handlers: Any = {HTTPException: failure, ClientDisconnect: failure, 500: failure}
    application = Starlette(routes=routes_of(site), lifespan=lifespan, exception_handlers=handlers)
    application.router.redirect_slashes = False  # they would lead to where this server believes to be

    async def in_common_language(scope: Scope, receive: Receive, send: Send) -> None:
        set_language(site.customers.common_language)  # until it is known for which customer it is
        await application(scope, receive, send)

    return Guard(in_common_language, hosts, site.max_upload * 1024 * 1024 + _MULTIPART, is_https=site.is_https)


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


def make_site(
    options: WebOptions, access: AccessFile, customers: Customers, url: str, say: Callable[[str], None]
) -> Site:
    """Makes the server's parts.

    Args:
        options: how it serves.
        access: who may come in.
        customers: whose imports it serves.
        url: by which people come.
        say: told the next one-time address, when one was used.
    """
    first = next(iter(customers.all.values())).file
    desk = Desk(options.state or (first.parent if first else Path.cwd()) / _STATE)
    signs_in = access.proxy is not None or access.oidc is not None
    return Site(
        customers=customers,
        desk=desk,
        people=People(access),
        audit=Audit(desk.folder / "audit.jsonl"),
        one_time=None if signs_in else OneTimeAddress(lambda token: say(f"the next one: {url}/start?token={token}")),
        alone=alone(_login_name()),
        max_upload=options.max_upload,
        max_uploads=options.max_uploads,
        url=url,
        oidc=_oidc(access, url, desk.folder),
    )


def _oidc(access: AccessFile, url: str, folder: Path) -> object:
    if access.oidc is None:
        return None
    from musterroll_plugins.web.oidc import OidcGate  # noqa: PLC0415 -- an extra
    from musterroll_plugins.web.sign_ins import KEY_BYTES, SignIns  # noqa: PLC0415 -- likewise

    sign_ins = SignIns(key_in(folder / "sign-in.key", KEY_BYTES), url)
    return OidcGate(access.oidc, url, sign_ins, asks_groups=bool(access.groups))


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name
        return "somebody"


def address_of_server(options: WebOptions, listener: socket.socket) -> str:
    """The address by which people come."""
    if options.public_url is not None:
        return options.public_url.rstrip("/")
    host, port = listener.getsockname()[:2]
    scheme = "https" if options.tls_certificate else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def _hosts(url: str, listener: socket.socket) -> list[str]:
    """The names, with port, by which the server can be asked."""
    port = listener.getsockname()[1]
    hosts = [f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")]
    return [*hosts, urlsplit(url).netloc]


def make_server(
    site: Site, options: WebOptions, url: str, listener: socket.socket, on_ready: Callable[[], None]
) -> QuietServer:
    """Makes what serves until Ctrl-C or a wish to terminate, and then ends the workers in order."""
    config = uvicorn.Config(
        make_application(site, _hosts(url, listener)),
        http="h11",  # whatever else is installed: what is refused as no HTTP is the same everywhere
        ws="none",
        lifespan="on",
        loop="asyncio",
        log_config=None,
        log_level="critical",  # a path may hold the one-time token
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=1,
        ssl_certfile=options.tls_certificate,
        ssl_keyfile=options.tls_key,
    )
    return QuietServer(config, on_ready)
