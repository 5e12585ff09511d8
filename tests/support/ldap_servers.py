"""Real directory servers, each in a folder and at a free loopback port of its own."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from support.certificates import Certificate
from support.programs import needs
from support.scim_servers import free_port, wait_until

# Debian keeps servers where a person's shell does not look.
_PLACES = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/libexec", "/usr/lib/openldap"))
SLAPD = shutil.which("slapd", path=_PLACES)
_SCHEMA = next((path for path in map(Path, ("/etc/ldap/schema", "/etc/openldap/schema")) if path.is_dir()), None)
_MODULES = next((path for path in map(Path, ("/usr/lib/ldap", "/usr/lib/openldap")) if path.is_dir()), None)

SUFFIX = "dc=example,dc=org"
IMPORTER = f"cn=importer,{SUFFIX}"
READER = f"cn=reader,{SUFFIX}"
ROOT = f"cn=root,{SUFFIX}"
PASSWORD = "Service-Account-1"


OPENLDAP = "OpenLDAP"


def slapd_version() -> str:
    """Which one it is, e.g. `2.5.13`."""
    assert SLAPD is not None
    done = subprocess.run([SLAPD, "-VV"], capture_output=True, text=True, check=False)
    found = re.search(r"slapd (\d[\d.]*)", done.stdout + done.stderr)
    return found[1] if found else ""


def _missing() -> str | None:
    if find_spec("ldap") is None:
        return "python-ldap is not installed"
    if SLAPD is None or _SCHEMA is None:
        return "slapd is not installed"
    return None


needs_slapd = needs(_missing())


@dataclass
class Slapd:
    """OpenLDAP's server.

    Attributes:
        folder: where it keeps everything; the same one again has the same entries.
        access: lines of who may do what, in front of its own.
        overlays: lines of the configuration behind the database's own.
        certificate: it offers TLS with this one.
        hash_: how it keeps passwords.
        suffix: what all its entries are below.
        importer: the account that musterroll signs in as.
    """

    folder: Path
    access: Sequence[str] = ()
    overlays: Sequence[str] = ()
    certificate: Certificate | None = None
    hash_: str = "{SSHA}"
    suffix: str = SUFFIX
    importer: str = IMPORTER
    port: int = field(default_factory=free_port)
    secure_port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Its address."""
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def secure_url(self) -> str:
        """Its address for encrypted lines."""
        return f"ldaps://127.0.0.1:{self.secure_port}"

    @property
    def socket_url(self) -> str:
        """Its address for this machine alone, where whoever is root is the service account."""
        return f"ldapi://{quote(str(self.folder / 'socket'), safe='')}"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        assert SLAPD is not None, _missing()
        (self.folder / "db").mkdir(exist_ok=True)
        configuration = self.folder / "slapd.conf"
        configuration.write_text("\n".join(self._configuration()) + "\n", encoding="utf-8")
        urls = f"{self.url} {self.socket_url}" + (f" {self.secure_url}" if self.certificate else "")
        command = [SLAPD, "-d", "0", "-h", urls, "-f", str(configuration)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._answers)

    def _configuration(self) -> Iterator[str]:
        yield from (f"include {_SCHEMA}/{name}.schema" for name in ("core", "cosine", "inetorgperson", "nis"))
        if _MODULES is not None:
            yield f"modulepath {_MODULES}"
            yield from (f"moduleload {name}" for name in ("back_mdb", "memberof", "refint", "unique", "ppolicy"))
        yield f"pidfile {self.folder}/pid"
        yield f"password-hash {self.hash_}"
        if self.certificate is not None:
            yield f"TLSCertificateFile {self.certificate.path}"
            yield f"TLSCertificateKeyFile {self.certificate.key}"
        yield "sizelimit 100"
        local = f"gidNumber={os.getgid()}+uidNumber={os.getuid()},cn=peercred,cn=external,cn=auth"
        yield f'authz-regexp "^{local.replace("+", chr(92) * 2 + "+")}$" "{self.importer}"'
        yield from ("database mdb", f"suffix {self.suffix}", f"rootdn {self.root}", f"rootpw {PASSWORD}")
        yield from (f"directory {self.folder}/db", "dbnosync", "maxsize 1073741824")
        yield "index objectClass,uid,mail,member,memberUid,uniqueMember,entryUUID,description eq"
        # The least rights: the service account writes, sees everything, and may read all of it in pages.
        passwords = "by anonymous auth by self write by * none"
        yield f'limits dn.exact="{self.importer}" size.soft=100 size.hard=100 size.pr=1000 size.prtotal=unlimited'
        yield from self.access
        yield f'access to attrs=userPassword by dn.exact="{self.importer}" write {passwords}'
        yield f'access to * by dn.exact="{self.importer}" write by * read'
        yield from self.overlays

    def _answers(self) -> bool:
        import ldap

        assert self._process is not None
        assert self._process.poll() is None, f"slapd does not start: see {self.folder}/slapd.conf"
        with contextlib.suppress(ldap.LDAPError), self.as_root():
            return True
        return False

    @contextlib.contextmanager
    def as_root(self) -> Iterator[Any]:
        """A line of its administrator."""
        with line(self.url, self.root, PASSWORD) as root:
            yield root

    @property
    def root(self) -> str:
        """Its administrator."""
        return f"cn=root,{self.suffix}"

    def fill(self) -> None:
        """Makes the suffix, and the accounts that are right below it."""
        with self.as_root() as root:
            root.add_s(self.suffix, [("objectClass", [b"domain"]), ("dc", [first_value(self.suffix).encode()])])
        if self.suffix == SUFFIX:
            for dn in (IMPORTER, READER):
                self.add_account(dn, PASSWORD)

    def add_account(self, dn: str, password: str) -> None:
        """Makes an account of a program."""
        classes = [b"organizationalRole", b"simpleSecurityObject"]
        held = {"objectClass": classes, "cn": [first_value(dn).encode()], "userPassword": [password.encode()]}
        with self.as_root() as root:
            root.add_s(dn, list(held.items()))

    def add_unit(self, dn: str) -> None:
        """Makes an organisational unit."""
        with self.as_root() as root:
            root.add_s(dn, [("objectClass", [b"organizationalUnit"]), ("ou", [first_value(dn).encode()])])

    def kill(self) -> None:
        """Ends it, without a chance to say good-bye."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def cpu_seconds(self) -> float:
        """How much it has worked so far, in hundredths of a second."""
        assert self._process is not None
        words = Path(f"/proc/{self._process.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")

    def pause(self) -> None:
        """Lets it take connections and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)  # until all its threads stand still

    def go_on(self) -> None:
        """Ends a pause."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """Ends it properly."""
        if self._process is not None and self._process.poll() is None:
            self.go_on()
            self._process.terminate()
            self._process.wait(20)


@contextlib.contextmanager
def slapd(folder: Path, **settings: Any) -> Iterator[Slapd]:
    """A server with nothing in it but the suffix and the accounts."""
    server = Slapd(folder, **settings)
    server.start()
    try:
        server.fill()
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def line(url: str, user: str, password: str) -> Iterator[Any]:
    """A connection, signed in."""
    import ldap

    connection = ldap.initialize(url)
    connection.set_option(ldap.OPT_REFERRALS, 0)
    connection.set_option(ldap.OPT_NETWORK_TIMEOUT, 10)
    try:
        connection.simple_bind_s(user, password)
        yield connection
    finally:
        connection.unbind_s()


def signs_in(url: str, dn: str, password: str) -> bool:
    """Whether the server lets somebody in."""
    import ldap

    try:
        with line(url, dn, password):
            return True
    except ldap.INVALID_CREDENTIALS:
        return False


def dump(url: str, user: str, password: str, base: str, wanted: str = "(objectClass=*)") -> dict[str, dict[str, Any]]:
    """Everything below an entry, by name."""
    import ldap

    with line(url, user, password) as root:
        found = root.search_s(base, ldap.SCOPE_SUBTREE, wanted)
        return {dn: dict(entry) for dn, entry in found if dn is not None}


def first_value(dn: str) -> str:
    """What an entry is named by."""
    return dn.partition("=")[2].partition(",")[0]


class BreakableLine:
    """Stands between a client and a server, and cuts the line once before an answer gets through.

    Args:
        port: the server's.
        encrypted: what answers are about cannot be seen, so the first one is cut off, whatever it is.
    """

    def __init__(self, port: int, *, encrypted: bool = False) -> None:
        self._port, self._encrypted = port, encrypted
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        self._breaks = threading.Event()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def __enter__(self) -> None:
        self._breaks.set()

    def __exit__(self, *_: object) -> None:
        self._breaks.clear()

    def close(self) -> None:
        """Ends it."""
        _cut(self._listening)
        for pair in self._pairs:
            _cut(*pair)
        self._thread.join(5)

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                self._pairs.append((client, server))
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                threading.Thread(target=self._forward, args=(client, server, False), daemon=True).start()
                threading.Thread(target=self._forward, args=(server, client, True), daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        with contextlib.suppress(OSError):
            while chunk := source.recv(65536):
                if not answers:
                    self._hears(chunk)
                elif self._breaks.is_set() and self._tells_of_writing(chunk):
                    self._breaks.clear()
                    break
                target.sendall(chunk)
        _cut(source, target)

    def _hears(self, chunk: bytes) -> None:
        """Takes notice of what is asked."""

    def _tells_of_writing(self, chunk: bytes) -> bool:
        return self._encrypted or not _WRITTEN.isdisjoint(_kinds(chunk))


_WRITTEN = {0x67, 0x69, 0x6B, 0x6D}  # the answers to a modification, an addition, a deletion, a renaming


def _kinds(chunk: bytes) -> Iterator[int]:
    """What kinds of answers there are in some messages (RFC 4511, 4.2), none of them cut off in the middle."""
    at = 0
    while at + 2 < len(chunk):
        length, start = chunk[at + 1], at + 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(chunk[at + 2 : start], "big")
        yield chunk[start + 2 + chunk[start + 1]]
        at = start + length


def _cut(*ends: socket.socket) -> None:
    for end in ends:
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()
