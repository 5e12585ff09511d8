"""Measures whole processes with generated sheets: musterroll, and what somebody would take instead.

    make bench                      10,000 and 100,000 rows
    make bench ROWS=1000000
    make bench OPTIONS="--forms xlsx --rounds 1"
    make bench OPTIONS=--help

Every round runs every task once, so that whatever else the machine does meets all of them; of several rounds the least
counts. Results are kept in `benchmarks/results`, with the tables and the plot that are made of them, by the number of
rows, until the same size is measured again. `--write-docs` puts these into docs/speed.md. Not for Windows, which does
not tell what a process used.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from fnmatch import fnmatchcase
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1] / "tests"))

from speed import results
from speed.measure import Usage, least
from speed.plot import plot
from speed.report import report, with_report
from speed.sheets import search_path
from speed.tasks import PIPELINE, tasks

SIZES = (10_000, 100_000)
FORMS = ("csv", "xlsx", "ods")
ROUNDS, LARGE_ROUNDS = 3, 1  # a million rows take minutes
PORTAL_USERS = 2000
HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "speed.md"
PLOT = PAGE.with_suffix(".svg")


def arguments() -> argparse.Namespace:
    """Returns the options of the command line."""
    parser = argparse.ArgumentParser(description="Measures musterroll, and what somebody would take instead.")
    parser.add_argument("--rows", type=int, nargs="*", default=SIZES, help="sizes of the sheets (10000 100000)")
    parser.add_argument("--forms", nargs="*", choices=FORMS, default=FORMS, help="formats of the sheets (all)")
    parser.add_argument("--rounds", type=int, help="how often each task is run (3; above 100,000 rows 1)")
    parser.add_argument("--only", nargs="+", default=["*"], metavar="NAME", help='tasks, e.g. "validate *" "run *"')
    parser.add_argument("--without-peers", action="store_true", help="measure musterroll only")
    parser.add_argument("--portal", type=int, default=PORTAL_USERS, help="users for the portal (2000); 0: no portal")
    parser.add_argument("--results", type=Path, default=HERE / "results", help="where tables and plot go")
    parser.add_argument("--cache", type=Path, default=HERE / "cache", help="where sheets are kept")
    parser.add_argument("--write-docs", action="store_true", help="put tables and plot into docs/speed.md")
    parser.add_argument("--only-tell", action="store_true", help="measure nothing, tell what was measured before")
    return parser.parse_args()


def measure(rows: int, options: argparse.Namespace) -> None:
    """Measures everything with sheets of one size, and keeps what was measured after each task."""
    rounds = options.rounds or (ROUNDS if rows <= SIZES[-1] else LARGE_ROUNDS)
    print(f"{rows:,} rows: making the sheets, unless they are there already ...", file=sys.stderr)
    todo = [
        task
        for task in tasks(rows, options.forms, peers=not options.without_peers)
        if any(fnmatchcase(task.name, pattern) for pattern in options.only)
    ]
    for task in todo:
        task.sheet(options.cache)
    found: dict[str, list[Usage]] = {task.name: [] for task in todo}
    for number in range(1, rounds + 1):
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "musterroll.toml").write_text(PIPELINE, encoding="utf-8")
            for task in todo:
                usage = task.measure(Path(folder), options.cache)
                found[task.name].append(usage)
                shown = f"{usage.cpu:8.2f} s CPU {usage.wall:8.2f} s {usage.peak:6.0f} MB"
                print(f"{rows:>9,} rows, {number} of {rounds}: {task.name:26} {shown}", file=sys.stderr)
                usages = {name: least(several) for name, several in found.items() if several}
                results.Result(rows, number, results.origin(), usages).save(options.results)


def measure_portal(users: int) -> results.PortalResult:
    """Measures imports into a SCIM server."""
    import scim  # noqa: PLC0415 -- needs what the portal needs

    print(f"{users:,} users into a portal ...", file=sys.stderr)
    seconds, bases = scim.measure(users)
    return results.PortalResult(users, results.origin(), seconds, bases)


def tell(folder: Path, *, write_docs: bool) -> None:
    """Writes tables and plot of all that was measured, and prints the tables."""
    measured = results.results(folder)
    if not measured:
        sys.exit("Nothing has been measured yet.")
    text, image = report(measured, results.portal_result(folder)), plot(measured)
    (folder / "report.md").write_text(text, encoding="utf-8")
    (folder / "plot.svg").write_text(image, encoding="utf-8")
    if write_docs:
        PAGE.write_text(with_report(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8", newline="\n")
        PLOT.write_text(image, encoding="utf-8", newline="\n")
    print(text)
    print(f"Tables and plot are in {folder}.", file=sys.stderr)


def main() -> None:
    """Measures, and tells."""
    options = arguments()
    if not hasattr(os, "wait4"):
        sys.exit("This system does not tell what a process used (no wait4).")
    if not (options.without_peers or options.only_tell) and not all(
        map(find_spec, ("frictionless", "pandas", "python_calamine"))
    ):
        sys.exit("What musterroll is compared with is not installed: `make bench` does that, or --without-peers.")
    os.environ["PYTHONPATH"] = search_path()
    os.environ.pop(
        "PYTHONDONTWRITEBYTECODE", None
    )  # whoever installs a program has its bytecode, as of the others here
    if not options.only_tell:
        for rows in options.rows:
            measure(rows, options)
        if options.portal:
            measure_portal(options.portal).save(options.results)
    tell(options.results, write_docs=options.write_docs)


if __name__ == "__main__":
    main()
