"""States, actions, outcomes and reasons as people read them. Programs read them in English, as they are stored."""

from __future__ import annotations

from musterroll.contract.translation import gettext, gettext_noop

_KNOWN = (
    # severities
    gettext_noop("error"),
    gettext_noop("warning"),
    gettext_noop("error or warning"),
    # what is done with a user, and what became of that
    gettext_noop("create"),
    gettext_noop("update"),
    gettext_noop("unchanged"),
    gettext_noop("deactivate"),
    gettext_noop("reactivate"),
    gettext_noop("delete"),
    gettext_noop("ignore"),
    gettext_noop("ignored"),
    gettext_noop("created"),
    gettext_noop("updated"),
    gettext_noop("deactivated"),
    gettext_noop("reactivated"),
    gettext_noop("deleted"),
    gettext_noop("rejected"),
    gettext_noop("failed"),
    gettext_noop("unknown"),
    gettext_noop("not attempted"),
    gettext_noop("not planned"),
    # where a value comes from
    gettext_noop("cell"),
    gettext_noop("default"),
    gettext_noop("composed"),
    gettext_noop("blank"),
    gettext_noop("absent"),
    # passwords
    gettext_noop("set"),
    gettext_noop("reset"),
    gettext_noop("keep"),
    gettext_noop("none"),
    # operations
    gettext_noop("planned"),
    gettext_noop("intent"),
    gettext_noop("done"),
    gettext_noop("noop"),
    gettext_noop("conflict"),
    gettext_noop("not done"),
    gettext_noop("kept"),
    # jobs
    gettext_noop("running"),
    gettext_noop("completed"),
    gettext_noop("completed with errors"),
    gettext_noop("aborted"),
    gettext_noop("quarantined"),
    gettext_noop("paused"),
    gettext_noop("interrupted"),
    gettext_noop("undone"),
    gettext_noop("partially undone"),
    # invites
    gettext_noop("sending"),
    gettext_noop("sent"),
    gettext_noop("skipped"),
    gettext_noop("held"),
    gettext_noop("expired"),
    gettext_noop("never"),
    gettext_noop("email"),
    gettext_noop("invites are off"),
    gettext_noop("inactive"),
    gettext_noop("the last invite is held"),
    gettext_noop("already invited"),
    gettext_noop("not new"),
    gettext_noop("protected"),
    gettext_noop("an undo invites nobody"),
    gettext_noop("no address or number that a notifier can use"),
    gettext_noop("no notifier sends invites"),
)
_NOT_BEFORE = "not before "


def term(name: str) -> str:
    """Returns what people call a state, an action, an outcome, a reason; what is none of ours as it is."""
    before, _, date = name.partition(_NOT_BEFORE)
    if date and not before:
        return gettext("not before {date}", date=date)
    spoken = name.replace("_", " ")
    # What a mail server has said may have such a character as well, in an address.
    return gettext(spoken if spoken in _KNOWN else name)
