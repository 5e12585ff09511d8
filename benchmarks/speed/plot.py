"""Draws what was measured: what a row costs, and how cost grows with the sheet. An SVG, without any library."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from speed.results import Result
from speed.tasks import START_UP

_WIDTH = 960
_OURS, _OTHERS = "#1f6f8b", "#c9b79c"
_LINES = ("#1f6f8b", "#b4532a", "#5b8c3a", "#7b4b94", "#a3862a", "#444444")
_BAR, _STEP, _LEFT, _TOP = 15, 22, 210, 60
_GROWTH_HEIGHT = 320
_MOST_LINES = len(_LINES)


def plot(results: Sequence[Result]) -> str:
    """Returns the SVG: bars for the size that has most tasks, and lines over all sizes."""
    best = max(results, key=lambda result: (len(result.usages), result.rows))
    bars = list(_bars(best))
    bars_height = _TOP + _STEP * len([task for task in best.usages if task != START_UP]) + 20
    height = bars_height + _GROWTH_HEIGHT + 40
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif">',
            f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
            *bars,
            *_growth(results, bars_height),
            "</svg>\n",
        ]
    )


def _is_ours(task: str) -> bool:
    return task.startswith(("validate", "run"))


def _bars(result: Result) -> Iterator[str]:
    costs = {task: usage.cpu / result.rows * 1e6 for task, usage in result.usages.items() if task != START_UP}
    scale = (_WIDTH - _LEFT - 90) / max(costs.values())
    yield _text(20, 26, f"CPU microseconds a row, {result.rows:,} rows × 8", size=16)
    yield _text(20, 45, "dark: musterroll; light: what it is compared with", color="#666666")
    for place, (task, cost) in enumerate(costs.items()):
        top, color = _TOP + _STEP * place, _OURS if _is_ours(task) else _OTHERS
        yield _text(_LEFT - 8, top + 12, task, anchor="end")
        yield f'<rect x="{_LEFT}" y="{top}" width="{max(1, cost * scale):.1f}" height="{_BAR}" fill="{color}"/>'
        yield _text(_LEFT + cost * scale + 6, top + 12, f"{cost:.1f}" if cost < 10 else f"{cost:.0f}", color="#444444")


def _growth(results: Sequence[Result], top: float) -> Iterator[str]:
    """Lines of our own tasks, both axes logarithmic: what grows as the sheet does runs along the diagonal grid."""
    lines = {
        task: [(result.rows, result.usages[task].cpu) for result in results if task in result.usages]
        for task in dict.fromkeys(task for result in results for task in result.usages)
        if _is_ours(task) and task != START_UP and "1 %" not in task
    }
    lines = dict(list(lines.items())[:_MOST_LINES])
    points = [point for line in lines.values() for point in line]
    low_x, high_x = _decades([rows for rows, _ in points])
    low_y, high_y = _decades([cpu for _, cpu in points])
    right, bottom = _WIDTH - 220, top + _GROWTH_HEIGHT

    def x(rows: float) -> float:
        return 80 + (math.log10(rows) - low_x) / (high_x - low_x) * (right - 80)

    def y(cpu: float) -> float:
        return bottom - (math.log10(cpu) - low_y) / (high_y - low_y) * (_GROWTH_HEIGHT - 50)

    yield _text(20, top + 26, "CPU seconds of a whole process, by the rows of the sheet", size=16)
    for power in range(low_x, high_x + 1):
        yield _rule(x(10**power), top + 50, x(10**power), bottom)
        yield _text(x(10**power), bottom + 18, f"{10**power:,}", anchor="middle", color="#444444")
    for power in range(low_y, high_y + 1):
        yield _rule(80, y(10.0**power), right, y(10.0**power))
        yield _text(72, y(10.0**power) + 4, f"{10.0**power:g} s", anchor="end", color="#444444")
    labels = _apart([(y(line[-1][1]), task) for task, line in lines.items()])
    for color, (task, line) in zip(_LINES, lines.items(), strict=False):
        path = " ".join(f"{x(rows):.1f},{y(cpu):.1f}" for rows, cpu in line)
        yield f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>'
        for rows, cpu in line:
            yield f'<circle cx="{x(rows):.1f}" cy="{y(cpu):.1f}" r="3.5" fill="{color}"/>'
        yield _text(right + 10, labels[task] + 4, task, color=color)


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _apart(wanted: list[tuple[float, str]]) -> dict[str, float]:
    """Returns heights for labels, near to those wanted, that leave each of them a line."""
    found, last = dict[str, float](), -math.inf
    for height, label in sorted(wanted):
        found[label] = last = max(height, last + 16)
    return found


def _rule(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#dddddd"/>'


def _text(x: float, y: float, text: str, *, anchor: str = "start", size: int = 13, color: str = "#222222") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{color}">{escape(text)}</text>'
    )
