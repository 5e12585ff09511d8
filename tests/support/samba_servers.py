"""Samba as a real domain controller of Active Directory, in a network of its own."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from filelock import FileLock

from support.certificates import make_certificate
from support.ldap_servers import line
from support.programs import needs

REALM, SUFFIX = "ex.test", "DC=ex,DC=test"
ADMINISTRATOR, PASSWORD = f"administrator@{REALM}", "Admin-Passw0rd-1"
_TREE_DELETE = "1.2.840.113556.1.4.805"
_HOST = Path(__file__).with_name("samba_host.py")


DOMAIN_CONTROLLER = "Samba (Active Directory)"


def samba_version() -> str:
    """Which one it is, e.g. `4.17.12`."""
    done = subprocess.run(["samba", "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"(\d[\d.]*)", done.stdout)
    return found[1] if found else ""


def _missing() -> str | None:
    if find_spec("ldap") is None:
        return "python-ldap is not installed"
    if not (shutil.which("samba") and shutil.which("samba-tool") and shutil.which("ip")):
        return "Samba is not installed as a domain controller"
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return "Samba needs a network of its own, which root alone can make"
    return None


needs_samba = needs(_missing())


@dataclass(frozen=True)
class Samba:
    """A domain controller.

    Attributes:
        folder: where it keeps everything.
        port: of plain lines, and of StartTLS.
        secure_port: of encrypted ones.
        pid: the process.
    """

    folder: Path
    port: int
    secure_port: int
    pid: int

    @property
    def url(self) -> str:
        """Its address for encrypted lines."""
        return f"ldaps://127.0.0.1:{self.secure_port}"

    @property
    def certificate(self) -> Path:
        """What its certificate is checked with."""
        return self.folder / "tls" / "certificate.pem"

    @contextlib.contextmanager
    def as_administrator(self) -> Iterator[Any]:
        """A line of its administrator."""
        with self.line(ADMINISTRATOR, PASSWORD) as root:
            yield root

    @contextlib.contextmanager
    def line(self, user: str, password: str) -> Iterator[Any]:
        """An encrypted line."""
        import ldap

        ldap.set_option(ldap.OPT_X_TLS_CACERTFILE, str(self.certificate))
        ldap.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
        with line(self.url, user, password) as connection:
            yield connection

    def add_unit(self, dn: str) -> None:
        """Makes an organisational unit."""
        with self.as_administrator() as root:
            root.add_s(dn, [("objectClass", [b"organizationalUnit"])])

    def remove_unit(self, dn: str) -> None:
        """Removes one, and everything below it."""
        import ldap
        from ldap.controls import RequestControl

        with self.as_administrator() as root, contextlib.suppress(ldap.NO_SUCH_OBJECT):
            root.delete_ext_s(dn, serverctrls=[RequestControl(_TREE_DELETE, True, None)])

    def signs_in(self, user: str, password: str) -> bool:
        """Whether it lets somebody in."""
        import ldap

        try:
            with self.line(user, password):
                return True
        except ldap.INVALID_CREDENTIALS:
            return False


def provisioned(folder: Path) -> Path:
    """Returns a domain that nobody has changed; it takes some ten seconds, so it is made once for all processes."""
    home = folder / "samba-domain"
    with FileLock(folder / "samba-domain.lock"):
        if not (home / "ready").exists():
            shutil.rmtree(home, ignore_errors=True)
            command = ["samba-tool", "domain", "provision", f"--realm={REALM.upper()}", "--domain=EX"]
            words = [f"--adminpass={PASSWORD}", "--server-role=dc", "--use-rfc2307", "--dns-backend=NONE"]
            words += ["--host-name=dc1", "--host-ip=127.0.0.1", f"--targetdir={home}"]
            words += ["--option=bind interfaces only=yes", "--option=interfaces=lo", "--option=ldb:nosync=true"]
            done = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr[-2000:]
            (home / "ready").touch()
    return home


@contextlib.contextmanager
def samba(folder: Path, domain: Path) -> Iterator[Samba]:
    """Starts a copy of a provisioned domain, and stops it."""
    missing = _missing()
    assert missing is None, missing
    home = folder / "domain"
    shutil.copytree(domain, home)
    settings = home / "etc" / "smb.conf"
    settings.write_text(settings.read_text(encoding="utf-8").replace(str(domain), str(home)), encoding="utf-8")
    (home / "tls").mkdir()
    make_certificate(home / "tls").key.chmod(0o600)
    command = [sys.executable, str(_HOST), str(home)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        words = process.stdout.readline().split()
        assert words, (home / "samba.log").read_text(encoding="utf-8", errors="replace")[-2000:]
        yield Samba(home, *map(int, words))
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.wait(20)
        if process.stdout is not None:
            process.stdout.close()


def ad_options(server: Samba, unit: str) -> dict[str, Any]:
    """What the backend needs to work in an organisational unit."""
    return {
        "servers": [server.url],
        "ca": str(server.certificate),
        "user": ADMINISTRATOR,
        "password": PASSWORD,
        "base": unit,
        "users": f"OU=people,{unit}",
        "groups": f"OU=groups,{unit}",
        "retries": 1,
    }
