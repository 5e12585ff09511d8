"""Words and colours that several results share."""

from __future__ import annotations

import datetime as dt
import os
import shlex
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from musterroll import GroupPath, counted, gettext, ngettext, ngettext_noop, term
from musterroll_cli.output.escape import shorten

if TYPE_CHECKING:
    from musterroll.engine import Action, HandEditCounts, InviteCounts, JobCounts, PrivilegedGroup, Scalar

# By what an action is called: a sheet that is looked at alone has no actions.
ACTION_STYLES: Mapping[Action | str, str] = {
    "create": "green",
    "update": "yellow",
    "unchanged": "dim",
    "deactivate": "red",
    "reactivate": "yellow",
    "delete": "red",
    "ignored": "dim",
}
OUTCOMES = (
    *("created", "updated", "unchanged", "deactivated", "reactivated", "deleted", "ignored"),
    *("rejected", "failed", "unknown", "not_attempted"),
)
"""What can become of a row, as `JobCounts` names it."""


_AMOUNTS = (
    ngettext_noop("{count} bad row", "{count} bad rows"),
    ngettext_noop("{count} error", "{count} errors"),
    ngettext_noop("{count} filled row", "{count} filled rows"),
    ngettext_noop("{count} group", "{count} groups"),
    ngettext_noop("{count} invite", "{count} invites"),
    ngettext_noop("{count} job", "{count} jobs"),
    ngettext_noop("{count} membership", "{count} memberships"),
    ngettext_noop("{count} message", "{count} messages"),
    ngettext_noop("{count} more error", "{count} more errors"),
    ngettext_noop("{count} more warning", "{count} more warnings"),
    ngettext_noop("{count} problem", "{count} problems"),
    ngettext_noop("{count} row", "{count} rows"),
    ngettext_noop("{count} user", "{count} users"),
    ngettext_noop("{count} warning", "{count} warnings"),
)


def by_channel(channel: str) -> str:
    """Returns by what an invite is sent, e.g. `by email`."""
    return gettext("by {channel}", channel=term(channel))


def amount(count: int, thing: str) -> str:
    """Returns e.g. `1 user` or `1,200 users`."""
    return ngettext(f"{{count}} {thing}", f"{{count}} {thing}s", count, count=counted(count))


def option_text(name: str, arguments: Collection[str]) -> str:
    """Returns an option of a plugin's command as it is typed."""
    return name.upper() if name in arguments else f"--{name.replace('_', '-')}"


def and_more(hidden: str | int) -> str:
    """Says how much is not shown, and how to see it."""
    count = hidden if isinstance(hidden, str) else counted(hidden)
    return gettext("… and {count} more; --verbose shows all", count=count)


def group_name(path: GroupPath) -> str:
    """Returns a group as a sheet would name it, e.g. `Region|North`."""
    return "|".join(level.replace("\\", "\\\\").replace("|", "\\|").replace(";", "\\;") for level in path)


def hand_edit_words(edits: HandEditCounts) -> str:
    """Returns how many hand edits stay and how many do not, e.g. `3 kept, 1 overwritten`."""
    return gettext(
        "{kept} kept, {overwritten} overwritten", kept=counted(edits.kept), overwritten=counted(edits.overwritten)
    )


def privileged_words(group: PrivilegedGroup) -> str:
    """Returns what happens to a privileged group, e.g. `Admin|Root: 1 member more, 2 members less`."""
    parts = []
    if group.add:
        parts.append(ngettext("{count} member more", "{count} members more", group.add, count=counted(group.add)))
    if group.remove:
        parts.append(ngettext("{count} member less", "{count} members less", group.remove, count=counted(group.remove)))
    return f"{group_name(group.path)}: {', '.join(parts)}"


def value(scalar: Scalar) -> str:
    """Returns a field's value, one too long for a line shortened."""
    if scalar is None or scalar == "":
        return gettext("(empty)")
    if isinstance(scalar, bool):
        return gettext("yes") if scalar else gettext("no")
    return shorten(scalar)


def local_time(text: str | None) -> str:
    """Returns an ISO 8601 time in the person's own time zone, to the minute."""
    if text is None:
        return ""
    try:
        return dt.datetime.fromisoformat(text).astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return text


def short_path(path: Path) -> Path:
    """Returns a path as seen from the current folder, if it is in it."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def quoted(word: str) -> str:
    """Returns a word as a shell wants to have it."""
    if os.name == "nt":
        return f'"{word}"' if " " in word else word
    return shlex.quote(word)


def outcomes(counts: JobCounts) -> str:
    """Returns what became of the rows in one line, e.g. `2 created, 1 rejected`."""
    found = [(name, getattr(counts, name)) for name in OUTCOMES]
    return ", ".join(f"{counted(count)} {term(name)}" for name, count in found if count) or gettext("nothing")


def invite_outcomes(counts: InviteCounts) -> str:
    """Returns what became of the invites in one line, e.g. `2 invites sent, 1 skipped`."""
    names = [name for name in ("skipped", "held", "failed") if getattr(counts, name)]
    return ", ".join(
        [
            f"{amount(counts.sent, 'invite')} {term('sent')}",
            *(f"{counted(getattr(counts, n))} {term(n)}" for n in names),
        ]
    )
