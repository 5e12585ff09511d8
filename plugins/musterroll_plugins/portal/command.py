"""`musterroll portal`: puts the parts together."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from typing import TYPE_CHECKING, Any

from musterroll import Secret, UsageError
from musterroll_plugins.portal.settings import TOKEN_VARIABLE, is_loopback

if TYPE_CHECKING:
    from musterroll_plugins.portal import PortalOptions

PREFIX = "/scim"  # scim2-server's own paths begin with /v2


def run(options: PortalOptions) -> int:
    """Serves until it is stopped, and returns the exit status.

    Raises:
        UsageError: the extra is not installed, or an option cannot be followed.
        BackendError: the directory's file cannot be used.
    """
    try:
        import scim2_server  # noqa: F401, PLC0415 -- an extra, and slow to import
        import uvicorn  # noqa: F401, PLC0415 -- likewise
    except ImportError as error:
        raise UsageError(
            f'the portal needs {(error.name or "a package").replace("_", "-")}: pip install "musterroll[portal]"',
            code="extra.missing",
        ) from None
    from musterroll_plugins.listener import listen  # noqa: PLC0415
    from musterroll_plugins.portal.application import PortalApplication, make_provider  # noqa: PLC0415
    from musterroll_plugins.portal.faults import Faulty  # noqa: PLC0415
    from musterroll_plugins.portal.guard import Guard, is_any_address, names_of  # noqa: PLC0415
    from musterroll_plugins.portal.server import Connections, serve  # noqa: PLC0415
    from musterroll_plugins.portal.storage import DirectoryStorage  # noqa: PLC0415

    if sum(fault.rate for fault in options.fault) > 1:
        raise UsageError("--fault: the rates add up to more than 1")
    given = _token(options)
    token = given or Secret(secrets.token_urlsafe(24))
    provider = make_provider(schemas=options.user_schema, patch=not options.no_patch, bulk=not options.no_bulk)
    with listen(options.host, options.port, "the portal") as listener:
        storage = DirectoryStorage(
            options.directory,
            provider,
            hash_passwords=options.passwords == "argon2id",
            ignore_filters=options.ignore_filters,
        )
        try:
            connections = Connections()
            portal = PortalApplication(storage, provider, token=token, duplicate_status=options.duplicate_status)
            faulty = Faulty(
                Mounted(portal),
                options.fault,
                drop=connections.drop,
                retry_after=options.retry_after,
                latency=options.latency,
                discovery=options.fault_discovery,
                seed=options.seed,
                verbose=options.verbose,
            )
            application = Guard(
                faulty,
                names_of(options.host),
                listener.getsockname()[1],
                any_address=is_any_address(options.host),
            )
            announcement = _announcement(options, _url(listener), None if given else token)
            serve(application, listener, connections.protocol(), lambda: _say(announcement))
        finally:
            storage.close()
    return 0


class Mounted:
    """Serves an application below `PREFIX`, where most portals have it, and without."""

    def __init__(self, application: Any) -> None:
        self._application = application

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Serves a request."""
        if scope["type"] == "http" and scope["path"].startswith(f"{PREFIX}/"):
            scope = {**scope, "root_path": PREFIX}
        await self._application(scope, receive, send)


def _token(options: PortalOptions) -> Secret | None:
    if options.token is not None:
        return options.token.resolve()
    text = os.environ.get(TOKEN_VARIABLE)
    return Secret(text) if text else None


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}{PREFIX}/v2"


def _announcement(options: PortalOptions, url: str, made: Secret | None) -> str:
    """Says where the portal is, and how to use it; a token that was made for this time as well, as nobody knows it."""
    lines = [f"mock portal at {url} (directory: {options.directory}); Ctrl-C stops it"]
    if made is not None:
        lines += [
            f"token: {made.reveal()} (made anew at each start, unless --token or {TOKEN_VARIABLE} names one)",
            f"  export {TOKEN_VARIABLE}={made.reveal()}",
        ]
    lines += [
        "in a pipeline file:",
        "  [profiles.mock.backend]",
        '  use = "scim"',
        f'  options = {{ url = "{url}", token = {{ env = "{TOKEN_VARIABLE}" }} }}',
    ]
    if not is_loopback(options.host):
        whom = "everybody who has the token and can reach this computer"
        lines.append(f"warning: {whom} can read and change the users, without encryption")
    return "\n".join(lines)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
