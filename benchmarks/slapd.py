"""LDAP against a bare loop over python-ldap: 2,000 users and 50 groups into OpenLDAP's server.

    python benchmarks/slapd.py [USERS]

The bare loop sends the same requests with 64 in flight (an addition asks for the new entry's id along with it, as the
backend needs it), and looks at nothing but whether they were refused. Only the ratios count, of CPU seconds, the
server's included, in one run, each time against an empty directory of its own. The goal for the backend is 80 %. With
passwords the server works longest, on their hashes ({SSHA}); without them the line and the loop count for more.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

import ldap

from musterroll import AddMembers, CreateGroup, CreateUser, Desired, GroupRef, Op, Result, Secret, Status, UserRef
from musterroll.engine import run as run_pipeline
from musterroll.pipeline.loader import load_pipeline
from musterroll_plugins.backends.ldap.requests import told_afterwards
from rounds import Cost, cost, in_rounds, middle, share
from sample_users import PASSWORD as SECRET
from sample_users import fields, write_sheet

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))  # the server is started as the tests do
from support.evidence import Counterpart
from support.ldap_backends import GROUPS, PEOPLE, open_ldap
from support.ldap_servers import IMPORTER, OPENLDAP, PASSWORD, Slapd, line, slapd

IN_FLIGHT = 64
GROUP_COUNT = 50
BATCH = 500
ROUNDS = 12
WITH, WITHOUT = "with passwords", "without passwords"

T = TypeVar("T")


# -- the bare loop ------------------------------------------------------------------------------------------


def pipelined(connection: Any, requests: Iterable[Callable[[], int]]) -> None:
    """Sends requests, so many at once as allowed."""
    left, waiting = iter(requests), 0
    while True:
        while waiting < IN_FLIGHT and (request := next(left, None)) is not None:
            request()
            waiting += 1
        if not waiting:
            return
        connection.result(ldap.RES_ANY, 1, 60)
        waiting -= 1


def bare(server: Slapd, count: int, *, passwords: bool) -> None:
    """The same requests, and nothing else."""
    names = [f"uid=user{n},{PEOPLE}" for n in range(count)]
    told = [told_afterwards("entryUUID")]
    with line(server.url, IMPORTER, PASSWORD) as connection:

        def group(n: int) -> Callable[[], int]:
            dn = f"cn=Group {n},{GROUPS}"
            held = [("objectClass", [b"groupOfNames"]), ("cn", [f"Group {n}".encode()]), ("member", [dn.encode()])]
            return lambda: int(connection.add_ext(dn, held, serverctrls=told))

        def user(n: int) -> Callable[[], int]:
            held = {
                "objectClass": "inetOrgPerson",
                "uid": f"user{n}",
                "mail": f"user{n}@example.com",
                "givenName": "Ana",
                "sn": f"Silva {n}",
                "telephoneNumber": f"+44 77{n:08d}",
                "cn": f"Ana Silva {n}",
            }
            attributes = [(at, [text.encode()]) for at, text in held.items()]
            return lambda: int(connection.add_ext(names[n], attributes, serverctrls=told))

        def password(n: int) -> Callable[[], int]:
            return lambda: int(connection.passwd(names[n], None, SECRET))

        def filled(n: int) -> Iterator[Callable[[], int]]:
            members = [name.encode() for name in names[n::GROUP_COUNT]]
            for start in range(0, len(members), BATCH):
                change = [(ldap.MOD_ADD, "member", members[start : start + BATCH])]
                yield partial(connection.modify_ext, f"cn=Group {n},{GROUPS}", change)

        pipelined(connection, map(group, range(GROUP_COUNT)))
        pipelined(connection, map(user, range(count)))
        if passwords:
            pipelined(connection, map(password, range(count)))
        pipelined(connection, (request for n in range(GROUP_COUNT) for request in filled(n)))


# -- the backend --------------------------------------------------------------------------------------------


@cache
def creations(count: int, *, passwords: bool) -> list[CreateUser]:
    """What the engine would hand over; made once, since whoever asks for users is not measured."""
    secret = Secret(SECRET) if passwords else None
    users = (Desired(username=f"user{n}", fields=fields(n)) for n in range(count))
    return [CreateUser(id=f"u{n}", user=user, password=secret) for n, user in enumerate(users)]


def backend(server: Slapd, count: int, *, passwords: bool) -> None:
    """The same through `execute`, as the engine would call it."""
    directory = open_ldap(server)

    def perform(ops: Sequence[Op]) -> dict[str, Result]:
        results = {result.op: result for result in directory.execute(iter(ops))}
        assert all(result.status is Status.DONE for result in results.values()), list(results.values())[:3]
        return results

    try:
        groups = [CreateGroup(id=f"g{n}", path=(f"Group {n}",), parent=None) for n in range(GROUP_COUNT)]
        made = perform(groups)
        refs = [GroupRef(str(made[op.id].ref), op.path) for op in groups]
        users = creations(count, passwords=passwords)
        made = perform(users)
        people = [UserRef(str(made[op.id].ref), op.user.username) for op in users]
        perform(
            [AddMembers(id=f"m{n}", group=refs[n], members=tuple(people[n::GROUP_COUNT])) for n in range(GROUP_COUNT)]
        )
    finally:
        directory.close()


# -- the engine ---------------------------------------------------------------------------------------------


def engine(server: Slapd, count: int, folder: Path) -> tuple[Cost, Cost]:
    """The same through `run`, from a csv; returns what the first run takes, and the second."""
    sheet = folder / "users.csv"
    write_sheet(sheet, count, password=SECRET, group=lambda n: f"Group {n % GROUP_COUNT}")
    file_ = folder / "musterroll.toml"
    options = (
        f'{{ servers = ["{server.url}"], security = "none", user = "{IMPORTER}", password = "{PASSWORD}", '
        f'base = "{PEOPLE}", users = "{PEOPLE}", groups = "{GROUPS}" }}'
    )
    file_.write_text(
        f'name = "benchmark"\nbackend.use = "ldap"\nbackend.options = {options}\ninvites.send_to = "none"\n',
        encoding="utf-8",
    )
    pipeline = load_pipeline(file_)

    def run() -> None:
        report = run_pipeline(pipeline, sheet)
        assert report.job is None or not report.job.counts.failed, report.job
        report.close()

    return cost(server, run), cost(server, run)


def into_empty_directory(work: Callable[[Slapd, Path], T]) -> T:
    """Does something with a directory of its own."""
    with tempfile.TemporaryDirectory() as folder, slapd(Path(folder)) as server:
        for dn in (PEOPLE, GROUPS):
            server.add_unit(dn)
        return work(server, Path(folder))


def main() -> None:
    """Measures and prints."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 2000

    def measured(work: Callable[[Slapd], object]) -> Callable[[], Cost]:
        return lambda: into_empty_directory(lambda server, _: cost(server, lambda: work(server)))

    def work(done: Callable[..., object], *, passwords: bool) -> Callable[[], Cost]:
        return measured(partial(done, count=count, passwords=passwords))

    measured(partial(backend, count=GROUP_COUNT, passwords=False))()  # imports everything
    for passwords in (True, False):
        creations(count, passwords=passwords)
    works = {
        f"{name}, {how}": work(done, passwords=how == WITH)
        for how in (WITH, WITHOUT)
        for name, done in (("bare loop", bare), ("backend", backend))
    }
    taken = in_rounds(ROUNDS, works)
    first, second = into_empty_directory(lambda server, folder: engine(server, count, folder))
    taken |= {"the whole run, from csv": [first], "the same sheet again": [second]}
    for name, costs in taken.items():
        one = middle(costs)
        print(f"{name:28} {one.cpu:6.2f} s CPU  {one.cpu / count * 1e6:6.0f} µs/user  {one.clock:6.2f} s")
    seen = Counterpart("ldap", OPENLDAP)
    for how in (WITH, WITHOUT):
        reached = share(taken[f"bare loop, {how}"], taken[f"backend, {how}"])
        print(f"the backend's share of the bare loop, {how}: {reached}")
        what = f"{count:,} users and {GROUP_COUNT} groups, {how}, against a bare loop (CPU seconds)"
        seen.figure(what, str(reached))


if __name__ == "__main__":
    main()
