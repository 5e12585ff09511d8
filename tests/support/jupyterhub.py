"""JupyterHub, a real product with a REST API of users and groups, in a process of its own and without its proxy."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from support.programs import needs
from support.scim_servers import free_port, wait_until


def _hub() -> str | None:
    """The program: in the path, or where MUSTERROLL_JUPYTERHUB says, as it has an environment of its own."""
    return os.environ.get("MUSTERROLL_JUPYTERHUB") or shutil.which("jupyterhub")


needs_jupyterhub = needs(
    None if _hub() else "JupyterHub is not installed (MUSTERROLL_JUPYTERHUB names its program)",
)
HUB_TOKEN = "let-me-into-the-hub"
_SETTINGS = """
from jupyterhub.proxy import Proxy

class NoProxy(Proxy):
    should_start = False
    async def add_route(self, routespec, target, data): pass
    async def delete_route(self, routespec): pass
    async def get_all_routes(self): return {{}}

c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.Authenticator.manage_groups = False
c.JupyterHub.bind_url = "http://127.0.0.1:{port}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{hub}"
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/secret"
c.JupyterHub.log_level = "ERROR"
c.JupyterHub.services = [{{"name": "importer", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [
    {{"name": "importer", "services": ["importer"],
      "scopes": ["admin:users", "admin:groups", "list:users", "list:groups"]}}
]
"""


class Hub:
    """A running hub.

    Attributes:
        url: of its API.
    """

    def __init__(self, port: int) -> None:
        self.port, self.url = port, f"http://127.0.0.1:{port}/hub/api"

    def ask(self, method: str, path: str) -> Any:
        """Asks it for something; None where it does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        with contextlib.closing(connection):
            connection.request(method, f"/hub/api{path}", headers={"Authorization": f"token {HUB_TOKEN}"})
            answer = connection.getresponse().read()
        return json.loads(answer) if answer else None

    def users(self) -> list[Any]:
        """All users."""
        found: list[Any] = []
        while page := self.ask("GET", f"/users?limit=100&offset={len(found)}"):
            found += page
        return found

    def groups(self) -> list[Any]:
        """All groups."""
        found: list[Any] = []
        while page := self.ask("GET", f"/groups?limit=100&offset={len(found)}"):
            found += page
        return found


@contextlib.contextmanager
def jupyterhub(folder: Path) -> Iterator[Hub]:
    """Starts a hub with an empty database, and stops it."""
    program = _hub()
    assert program is not None, "JupyterHub is not installed"
    hub = Hub(free_port())
    settings = folder / "hub.py"
    text = _SETTINGS.format(port=free_port(), hub=hub.port, folder=folder.as_posix(), token=HUB_TOKEN)
    settings.write_text(text, encoding="utf-8")
    path = os.pathsep.join([str(Path(program).parent), os.environ.get("PATH", "")])
    process = subprocess.Popen(
        [program, "-f", str(settings)],
        cwd=folder,
        env={**os.environ, "PATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: _answers(hub))
        yield hub
    finally:
        process.terminate()
        process.wait(20)


def _answers(hub: Hub) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
        return isinstance(hub.ask("GET", "/users"), list)
    return False
