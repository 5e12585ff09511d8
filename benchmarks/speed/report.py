"""Tells what was measured, as tables in Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from speed.results import Origin, PortalResult, Result
from speed.tasks import COMPARISONS, LARGE_PEAK, LARGE_ROWS, LARGE_TASK, START_UP, START_UP_SECONDS

_PORTAL_GOAL = 0.8
_BLOCK = re.compile(r"(<!-- measured -->\n).*?(<!-- end -->)", re.DOTALL)


def report(results: Sequence[Result], portal: PortalResult | None) -> str:
    """Returns the tables: ratios and their goals, what everything costs, portals.

    Args:
        results: by size.
        portal: what was measured with a portal.
    """
    blocks = []
    if results:
        blocks += ["\n".join(_ratios(results)), "\n".join(_costs(results))]
    if portal is not None:
        blocks.append("\n".join(_portal(portal)))
    blocks.append("\n".join(_origins(results, portal)))
    return "\n\n".join(blocks) + "\n"


def with_report(page: str, text: str) -> str:
    """Returns a page with a report in the place of the one that stands between its two marks."""
    return _BLOCK.sub(lambda found: f"{found[1]}{text}{found[2]}", page)


def _ratios(results: Sequence[Result]) -> Iterator[str]:
    yield from _head(["CPU seconds", "of", "goal", *(f"{result.rows:,} rows" for result in results)])
    for comparison in COMPARISONS:
        ratios = [result.ratio(comparison.task, comparison.base) for result in results]
        if any(ratios):
            shown = [
                _judged(f"{r:.1f} ×", comparison.is_reached(r)) if r and comparison.goal else _times(r) for r in ratios
            ]
            yield _line([comparison.task, comparison.base, comparison.goal, *shown])
    seconds = [result.usages[START_UP].cpu if START_UP in result.usages else None for result in results]
    shown = [_judged(f"{s:.2f} s", s <= START_UP_SECONDS) if s else "" for s in seconds]
    yield _line([START_UP, "", f"≤ {START_UP_SECONDS} s", *shown])
    for result in results:
        if result.rows >= LARGE_ROWS and LARGE_TASK in result.usages:
            peak = result.usages[LARGE_TASK].peak
            others = [""] * (len(results) - 1)
            yield _line(
                [
                    f"{LARGE_TASK}: peak memory",
                    "",
                    f"≤ {LARGE_PEAK} MB",
                    *others,
                    _judged(f"{peak:.0f} MB", peak <= LARGE_PEAK),
                ]
            )


def _costs(results: Sequence[Result]) -> Iterator[str]:
    sizes = [f"{result.rows:,} rows" for result in results]
    yield from _head(
        [
            "",
            *(f"CPU, {size}" for size in sizes),
            *(f"µs a row, {size}" for size in sizes),
            *(f"peak, {size}" for size in sizes),
        ]
    )
    for task in dict.fromkeys(task for result in results for task in result.usages):
        usages = [(result.rows, result.usages.get(task)) for result in results]
        yield _line(
            [
                task,
                *(f"{usage.cpu:.2f} s" if usage else "" for _, usage in usages),
                *(f"{usage.cpu / rows * 1e6:.1f}" if usage and task != START_UP else "" for rows, usage in usages),
                *(f"{usage.peak:.0f} MB" if usage else "" for _, usage in usages),
            ]
        )


def _portal(portal: PortalResult) -> Iterator[str]:
    yield from _head(
        [f"{portal.users:,} users into scim2-server", "seconds", "users a second", "of the bare loop", "goal"]
    )
    for name, seconds in portal.seconds.items():
        base = portal.bases[name]
        share = portal.seconds[base] / seconds
        is_ours = name != base
        judged = _judged(f"{share:.0%}", share >= _PORTAL_GOAL) if is_ours else f"{share:.0%}"
        yield _line(
            [
                name,
                f"{seconds:.2f}",
                f"{portal.users / seconds:.0f}",
                judged,
                f"≥ {_PORTAL_GOAL:.0%}" if is_ours else "",
            ]
        )


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


def _times(ratio: float | None) -> str:
    return f"{ratio:.1f} ×" if ratio else ""


def _judged(text: str, is_reached: bool) -> str:
    return f"{text} {'✓' if is_reached else '✗'}"
