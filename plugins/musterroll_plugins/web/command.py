"""`musterroll web`: puts the parts together."""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from musterroll import UsageError
from musterroll_plugins.portal.settings import is_loopback

if TYPE_CHECKING:
    from musterroll_plugins.web import WebOptions
    from musterroll_plugins.web.people import AccessFile


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
    from musterroll_plugins.web.customers import Customers  # noqa: PLC0415
    from musterroll_plugins.web.people import read_access  # noqa: PLC0415
    from musterroll_plugins.web.server import address_of_server, make_server, make_site  # noqa: PLC0415

    os.umask(0o077)  # whatever is written here is for its owner only
    access = read_access(options.access)
    _refuse_open_doors(options, access)
    _check_certificate(options)
    if access.oidc is not None:
        try:
            import musterroll_plugins.web.oidc  # noqa: F401, PLC0415 -- an extra
        except ImportError as error:
            raise _missing(error, "web-oidc") from None
    customers = Customers(options.pipelines)
    with listen(options.host, options.port, "the server") as listener:
        url = address_of_server(options, listener)
        site = make_site(options, access, customers, url, _say)
        names = ", ".join(customers.all)
        way = f"{url}/start?token={site.one_time.token}" if site.one_time else url
        once = "\nthe address lets one browser in, once" if site.one_time else ""
        text = f"the import of {names}: {way}{once}\nCtrl-C stops it"
        asyncio.run(make_server(site, options, url, listener, lambda: _say(text)).serve([listener]))
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
    # Who names an address with https has a proxy in front that has TLS; nobody keeps a session without it then.
    has_tls = options.tls_certificate is not None or urlsplit(options.public_url or "").scheme == "https"
    if not has_tls and access.proxy is None:
        raise UsageError(
            f"at {options.host} others could read along; give --tls-certificate and --tls-key, or --public-url"
            " https://… of a proxy in front that has them, or listen at 127.0.0.1"
        )


def _check_certificate(options: WebOptions) -> None:
    """Refuses a certificate that cannot be served with, before anything is served."""
    certificate, key = options.tls_certificate, options.tls_key
    if certificate is None or key is None:
        return
    for name, path in (("--tls-certificate", certificate), ("--tls-key", key)):
        try:
            path.read_bytes()
        except OSError as error:
            raise UsageError(f"{name}: {path} cannot be read: {error.strerror}") from None
    try:
        # With a passphrase it would be asked for at a terminal, which a server has not got.
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, ValueError):
        raise UsageError(
            f"--tls-certificate {certificate}, --tls-key {key}: they are no certificate and its key, both PEM and the"
            " key without a passphrase"
        ) from None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
