"""The levels of a group's path in one name, for portals that have no groups inside groups."""

from __future__ import annotations

from musterroll import GroupPath


def join_path(path: GroupPath, separator: str) -> str:
    """Makes one name of the levels; a separator inside a level gets a backslash."""
    return separator.join(_escaped(level, separator) for level in path)


def _escaped(level: str, separator: str) -> str:
    return level.replace("\\", "\\\\").replace(separator, "\\" + separator)


def split_path(name: str, separator: str) -> GroupPath:
    """Takes a name apart; one that `join_path` cannot have made is a single level."""
    levels, at = [""], 0
    while at < len(name):
        if name[at] == "\\":
            at += 1
            if name[at : at + 1] not in ("\\", separator):
                return (name,)
            levels[-1] += name[at]
        elif name[at] == separator:
            levels.append("")
        else:
            levels[-1] += name[at]
        at += 1
    return tuple(levels) if all(levels) else (name,)
