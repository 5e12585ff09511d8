"""Tells what was measured, as tables in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from speed.results import Origin, PortalResult, Result
from speed.tasks import COMPARISONS, GOAL_ROWS, LARGE_PEAK, LARGE_ROWS, LARGE_TASK, START_UP, START_UP_SECONDS

_PORTAL_GOAL = 0.8
_BLOCK = re.compile(r"(<!-- measured -->\n).*?(<!-- end -->)", re.DOTALL)


def report(results: Sequence[Result], portal: PortalResult | None) -> str:
    """Returns the tables: ratios and their goals, what everything costs, portals.

    Args:
        results: by size, at least one.
        portal: what was measured with a portal.
    """
    blocks = ["\n".join(_ratios(results)), "\n".join(_costs(results))]
    if portal is not None:
        blocks.append("\n".join(_portal(portal)))
    blocks.append("\n".join(_origins(results, portal)))
    return "\n\n".join(blocks) + "\n"


def with_report(page: str, text: str) -> str:
    """Returns a page with a report in the place of the one that stands between its two marks."""
    return _BLOCK.sub(lambda found: f"{found[1]}{text}{found[2]}", page)


def _ratios(results: Sequence[Result]) -> Iterator[str]:
    """Lines of ratios; goals are judged where the sheets have the size that they are meant for."""
    yield from _head(["CPU seconds", "of", "goal", *map(_size, results)])
    for comparison in COMPARISONS:
        cells = []
        for result in results:
            ratio = result.ratio(comparison.task, comparison.base)
            judge = comparison.goal and result.rows >= GOAL_ROWS
            is_reached = comparison.is_reached(ratio) if ratio and judge else None
            cells.append(_judged(f"{ratio:.1f} ×" if ratio else "", is_reached))
        if any(cells):
            yield _line([comparison.task, comparison.base, comparison.goal, *cells])
    starts, peaks = [], []
    for result in results:
        start, large = result.usages.get(START_UP), result.usages.get(LARGE_TASK)
        starts.append(_judged(f"{start.cpu:.2f} s", start.cpu <= START_UP_SECONDS) if start else "")
        is_reached = large.peak <= LARGE_PEAK if large and result.rows >= LARGE_ROWS else None
        peaks.append(_judged(f"{large.peak:.0f} MB" if large else "", is_reached))
    yield _line([START_UP, "", f"≤ {START_UP_SECONDS} s", *starts])
    yield _line([f"{LARGE_TASK}: peak memory", "", f"≤ {LARGE_PEAK} MB with {LARGE_ROWS:,} rows", *peaks])


def _costs(results: Sequence[Result]) -> Iterator[str]:
    yield from _head(["CPU seconds, µs a row, peak memory", *map(_size, results)])
    for task in dict.fromkeys(task for result in results for task in result.usages):
        cells = []
        for result in results:
            usage = result.usages.get(task)
            a_row = f", {usage.cpu / result.rows * 1e6:.1f} µs" if usage and task != START_UP else ""
            cells.append(f"{usage.cpu:.2f} s{a_row}, {usage.peak:.0f} MB" if usage else "")
        yield _line([task, *cells])


def _portal(portal: PortalResult) -> Iterator[str]:
    title = f"{portal.users:,} users into scim2-server"
    yield from _head([title, "seconds", "users a second", "of the bare loop", "goal"])
    for name, seconds in portal.seconds.items():
        share = portal.seconds[portal.bases[name]] / seconds
        has_goal = name.startswith("backend")
        judged = _judged(f"{share:.0%}", share >= _PORTAL_GOAL if has_goal else None)
        goal = f"≥ {_PORTAL_GOAL:.0%}" if has_goal else ""
        yield _line([name, f"{seconds:.2f}", f"{portal.users / seconds:.0f}", judged, goal])


def _origins(results: Sequence[Result], portal: PortalResult | None) -> Iterator[str]:
    measured = [(f"{result.rows:,} rows", result.origin, f", the least of {result.rounds}") for result in results]
    if portal is not None:
        measured.append(("the portal", portal.origin, ""))
    for what, origin, rounds in measured:
        yield f"- {what}: {_origin(origin)}{rounds}"


def _origin(origin: Origin) -> str:
    return f"{origin.date}, commit {origin.commit}, {origin.machine}"


def _head(cells: Sequence[str]) -> Iterator[str]:
    yield _line(cells)
    yield "|" + "|".join(["---", *["---"] * (len(cells) - 1)]) + "|"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _size(result: Result) -> str:
    return f"{result.rows:,} rows"


def _judged(text: str, is_reached: bool | None) -> str:
    return text if is_reached is None else f"{text} {'✓' if is_reached else '✗'}"
