"""`musterroll web`: puts the parts together."""

from __future__ import annotations

import getpass
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from musterroll import UsageError
from musterroll_plugins.portal.settings import is_loopback

if TYPE_CHECKING:
    from musterroll_plugins.web import WebOptions
    from musterroll_plugins.web.people import AccessFile

_STATE = Path(".musterroll") / "web"


def run(options: WebOptions) -> int:
    """Serves until it is stopped, and returns the exit status.

    Raises:
        UsageError: the extra is not installed, an option cannot be followed, or who may come in is not said.
        MusterrollError: a pipeline has mistakes.
    """
    try:
        import jinja2  # noqa: F401, PLC0415 -- an extra, and slow to import
        import python_multipart  # noqa: F401, PLC0415 -- likewise
        import starlette  # noqa: F401, PLC0415 -- likewise
        import uvicorn  # noqa: F401, PLC0415 -- likewise
    except ImportError as error:
        raise _missing(error, "web") from None
    from musterroll_plugins.listener import listen  # noqa: PLC0415
    from musterroll_plugins.web.audit import Audit  # noqa: PLC0415
    from musterroll_plugins.web.customers import Customers  # noqa: PLC0415
    from musterroll_plugins.web.desk import Desk  # noqa: PLC0415
    from musterroll_plugins.web.people import People, alone, read_access  # noqa: PLC0415
    from musterroll_plugins.web.server import make_application, serve  # noqa: PLC0415
    from musterroll_plugins.web.sessions import OneTimeAddress  # noqa: PLC0415
    from musterroll_plugins.web.site import Site  # noqa: PLC0415

    os.umask(0o077)  # whatever is written here is for its owner only
    access = read_access(options.access)
    _refuse_open_doors(options, access)
    customers = Customers(options.pipelines)
    first = next(iter(customers.all.values())).file
    desk = Desk(options.state or (first.parent if first else Path.cwd()) / _STATE)
    with listen(options.host, options.port, "the server") as listener:
        url = _url(options, listener)
        signs_in = access.proxy is not None or access.oidc is not None
        is_https = url.startswith("https:")
        site = Site(
            customers=customers,
            desk=desk,
            people=People(access),
            audit=Audit(desk.folder / "audit.jsonl"),
            one_time=None
            if signs_in
            else OneTimeAddress(lambda token: _say(f"the next one: {url}/start?token={token}")),
            alone=alone(_login_name()),
            max_upload=options.max_upload,
            max_uploads=options.max_uploads,
            is_https=is_https,
            oidc=_oidc(access, url, is_https=is_https),
        )
        names = ", ".join(customers.all)
        way = f"{url}/start?token={site.one_time.token}" if site.one_time else url
        once = "\nthe address lets one browser in, once" if site.one_time else ""
        serve(
            make_application(site, _hosts(url, listener)),
            listener,
            lambda: _say(f"the import of {names}: {way}{once}\nCtrl-C stops it"),
            certificate=options.tls_certificate,
            key=options.tls_key,
        )
    return 0


def _missing(error: ImportError, extra: str) -> UsageError:
    name = (error.name or "a package").replace("_", "-")
    return UsageError(f'the pages need {name}: pip install "musterroll[{extra}]"', code="extra.missing")


def _refuse_open_doors(options: WebOptions, access: AccessFile) -> None:
    """Refuses to serve others than this computer without a sign-in, or without encryption."""
    if (options.tls_certificate is None) != (options.tls_key is None):
        raise UsageError("--tls-certificate and --tls-key go together")
    signs_in = access.proxy is not None or access.oidc is not None
    if options.public_url is not None and urlsplit(options.public_url).scheme not in ("http", "https"):
        raise UsageError("--public-url: write the whole address, e.g. https://import.acme.example")
    if options.public_url is not None and not signs_in:
        raise UsageError("--public-url is for others, so it needs a sign-in: [proxy] or [oidc] in the file of --access")
    if is_loopback(options.host):
        return
    if not signs_in:
        raise UsageError(
            f"at {options.host} others can come in, so people must sign in: [proxy] or [oidc] in the file of --access"
        )
    if options.tls_certificate is None and access.proxy is None:
        raise UsageError(
            f"at {options.host} others could read along; give --tls-certificate and --tls-key, or listen at 127.0.0.1"
            " behind a proxy that has them"
        )


def _oidc(access: AccessFile, url: str, *, is_https: bool) -> object:
    if access.oidc is None:
        return None
    try:
        from musterroll_plugins.web.oidc import OidcGate  # noqa: PLC0415 -- an extra
    except ImportError as error:
        raise _missing(error, "web-oidc") from None
    return OidcGate(access.oidc, f"{url}/sign-in/back", is_https=is_https)


def _url(options: WebOptions, listener: socket.socket) -> str:
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


def _login_name() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # an account without a name
        return "somebody"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
