"""First passwords are told: by the invite, else in a file that is written once."""

from __future__ import annotations

from musterroll.contract.translation import ngettext
from musterroll.errors import RefusedError
from musterroll.execute.first_passwords import make_anew
from musterroll.execute.passwords import Passwords
from musterroll.journal.first_passwords import FirstPasswords
from musterroll.journal.job import Job
from musterroll.plan.run import Run
from musterroll.portal.portal import Portal
from musterroll.written.hand_over import OPTION, Told, write_hand_over


def refuse_untold(run: Run, job: Job) -> None:
    """Refuses a job, before anything is written, that makes passwords of which nobody would ever hear.

    Raises:
        RefusedError: there is neither an invite nor a file for some of them.
    """
    if run.pipeline.settings.sheet.make.password is None or run.hand_over_to is not None:
        return
    count = FirstPasswords(job.journal, job.id).count_without_invite()
    if count:
        raise RefusedError(
            ngettext(
                "{count} new user gets a password that is made, and no invite that tells it; name a file to hand it "
                "over in: {option} FILE.html (a slip a person, to print) or FILE.csv",
                "{count} new users get a password that is made, and no invite that tells it; name a file to hand it "
                "over in: {option} FILE.html (a slip a person, to print) or FILE.csv",
                count,
                option=OPTION,
            ),
            code="hand_over.missing",
        )


def tell_passwords(run: Run, job: Job, passwords: Passwords, portal: Portal) -> None:
    """Hands over the passwords that no invite tells; those that nobody knows any more are made anew before.

    Raises:
        MusterrollError: the portal cannot set a password anew, or the file cannot be written.
    """
    if run.pipeline.settings.sheet.make.password is None:
        return
    first = FirstPasswords(job.journal, job.id)
    untold = [one for one in first.untold() if one.is_invited or run.hand_over_to is not None]
    make_anew(job.id, (one.user for one in untold), passwords, portal)
    users = [one.user for one in untold if not one.is_invited and one.user.row in passwords.made]
    if not users or run.hand_over_to is None:
        return
    people = [Told(user.username, passwords.made[user.row], user.after) for user in users]
    write_hand_over(run.hand_over_to, people, run.pipeline.fields, run.pipeline.name)
    with job.journal.transaction():
        first.note_handed_over((user.row for user in users), run.hand_over_to.absolute())
