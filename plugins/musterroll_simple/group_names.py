"""Paths of groups: out of parents, or of one name that holds all levels where a portal has no groups inside groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from musterroll import Group, GroupPath


def join_path(path: GroupPath, separator: str) -> str:
    """Makes one name of the levels; what marks the separator gets a backslash inside a level."""
    mark = _mark(separator)
    return separator.join(level.replace("\\", "\\\\").replace(mark, "\\" + mark) for level in path)


def _mark(separator: str) -> str:
    """The first letter of a separator that is no space: without it there is none, not even half in a level's end."""
    return (separator.lstrip() or separator)[0]


def split_path(name: str, separator: str) -> GroupPath:
    """Takes a name apart; one that `join_path` cannot have made is a single level."""
    levels, at = [""], 0
    while at < len(name):
        if name.startswith(separator, at):
            levels.append("")
            at += len(separator)
            continue
        if name[at] == "\\":
            at += 1
            if name[at : at + 1] not in ("\\", _mark(separator)):
                return (name,)
        levels[-1] += name[at]
        at += 1
    return tuple(levels) if all(levels) else (name,)


def with_parents(groups: Iterable[tuple[Group, str | None]]) -> Iterator[Group]:
    """Gives groups their whole paths.

    Args:
        groups: each with its own name as its only level, and the ref of the one that it is in; None for the top.

    Yields:
        The same groups; one whose parent does not exist, or is inside it, stands at the top.
    """
    known = {group.ref: (group, parent) for group, parent in groups}
    for group, its_parent in known.values():
        path, seen, above = group.path, {group.ref}, its_parent
        while above is not None and above in known and above not in seen:
            seen.add(above)
            outer, above = known[above]
            path = outer.path + path
        yield replace(group, path=path)
