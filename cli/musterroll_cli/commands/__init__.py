"""The commands, a module a command or group, and the table of them.

The table is all that `musterroll --help` needs: a module is imported when its command is called, and may import the
engine at its top.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Command(NamedTuple):
    """A command of the table.

    Attributes:
        function: its module here and the function in it.
        summary: its line in the list of commands; the function's docstring begins with it.
        example: a command line to end its help with, without the program's name.
        is_session: whether it is called with a session, and has the common options.
    """

    function: str
    summary: str
    example: str
    is_session: bool = True


class Group(NamedTuple):
    """A group of commands: what it is for, and an example as above."""

    summary: str
    example: str


GROUPS: Mapping[str, Group] = {
    "jobs": Group("Shows what was done, and goes on with it.", "jobs list"),
    "invites": Group(
        "Shows who was invited, sends what is due, and releases what is held.", "invites list --state held"
    ),
    "plugins": Group("Shows what is installed, and from where.", "plugins list"),
    "pipeline": Group("Checks and shows the pipeline file.", "pipeline check -p acme.toml"),
}

COMMANDS: Mapping[str, Command] = {
    "run": Command("run:run", "Imports the users of a sheet.", "run staff.xlsx --profile production"),
    "validate": Command(
        "validate:validate", "Lists every problem that the sheet alone shows.", "validate staff.xlsx --format json"
    ),
    "plan": Command("plan:plan", "Shows what `run` would change, user by user.", "plan staff.xlsx -o staff.plan"),
    "apply": Command(
        "apply:apply",
        "Does exactly what a saved plan says, or refuses because something has changed.",
        "apply staff.plan",
    ),
    "template": Command(
        "template:template", "Writes the blank sheet of the pipeline, to be filled in.", "template -o staff.ods"
    ),
    "export": Command(
        "export:export",
        "Writes the users of the portal as the pipeline's own sheet, to be edited and run.",
        "export -o staff.xlsx",
    ),
    "init": Command(
        "init:init",
        "Makes a working folder: a pipeline file with explanations, a blank sheet and a sample sheet.",
        "init acme",
    ),
    "doctor": Command(
        "doctor:doctor", "Looks whether everything that a run needs is there.", "doctor --profile production"
    ),
    "explain": Command(
        "explain:explain", "Says what the code of a problem or an error means.", "explain phone.trunk_prefix"
    ),
    "completion": Command(
        "completion:completion",
        "Prints the script that makes Tab complete commands and options.",
        "completion bash >> ~/.bashrc",
        is_session=False,
    ),
    "forget": Command(
        "forget:forget", "Takes a person out of everything that is kept of the pipeline's jobs.", "forget ana"
    ),
    "jobs list": Command("jobs:list_jobs", "Lists the jobs of the pipeline, newest first.", "jobs list -p acme.toml"),
    "jobs show": Command(
        "jobs:show_job",
        "Shows one job: what became of its rows and invites, and the reason for every failure.",
        "jobs show last --row 17",
    ),
    "jobs prune": Command(
        "jobs:prune_jobs",
        "Forgets finished jobs, with their plans and problems, and gives their space back.",
        "jobs prune --older-than 90 --keep 10",
    ),
    "jobs resume": Command(
        "jobs:resume_job",
        "Goes on with a job that was interrupted, paused or failed.",
        "jobs resume 20260301-093012-k3f9 --sheet moved/staff.xlsx",
    ),
    "jobs approve": Command(
        "jobs:approve_job",
        "Lets a job past the limits that stopped it, and carries it out at once.",
        "jobs approve 20260301-093012-k3f9",
    ),
    "jobs undo": Command(
        "jobs:undo_job",
        "Takes back what a job did, wherever the portal still is as the job left it.",
        "jobs undo 20260301-093012-k3f9",
    ),
    "invites list": Command(
        "invites:list_invites",
        "Lists the latest invite of everybody whom the pipeline created, invited, or had in a sheet.",
        "invites list --state failed",
    ),
    "invites send": Command(
        "invites:send_invites", "Invites everybody who is due, without a sheet.", "invites send --dry-run"
    ),
    "invites release": Command(
        "invites:release_invites",
        "Frees invites of which nobody knows whether they have gone out.",
        "invites release ana --as-sent",
    ),
    "plugins list": Command(
        "plugins:list_plugins", "Lists what plugins bring, and what is broken.", "plugins list --format json"
    ),
    "plugins show": Command(
        "plugins:show_plugin",
        "Shows what a plugin does, its options, and what to write to use it.",
        "plugins show scim",
    ),
    "plugins new": Command(
        "new_plugin:new_plugin",
        "Writes a plugin to begin with: a file, or a whole package, with its tests.",
        "plugins new validator acme-badge --file rules/acme_badge.py",
    ),
    "plugins check": Command(
        "check_plugin:check_plugin",
        "Checks that a plugin of the pipeline keeps the contract of its role, in words.",
        "plugins check scim -p acme.toml --profile rehearsal",
    ),
    "pipeline check": Command(
        "pipeline:check_pipeline",
        "Checks the pipeline file and lists all its mistakes, with every profile.",
        "pipeline check -p acme.toml --profile production",
    ),
    "pipeline map": Command(
        "pipeline:map_columns",
        "Writes what a sheet calls the columns into the pipeline file.",
        "pipeline map theirs.xlsx -p acme.toml",
    ),
    "pipeline show": Command(
        "pipeline:show_pipeline",
        "Prints the merged pipeline as TOML, secrets masked.",
        "pipeline show -p acme.toml > merged.toml",
    ),
    "pipeline schema": Command(
        "pipeline:print_schema",
        "Prints the JSON Schema of pipeline files, for editors.",
        "pipeline schema > musterroll.schema.json",
    ),
}

_OTHER_WORDS: Mapping[str, tuple[str, ...]] = {
    "check": ("validate", "doctor"),
    "history": ("jobs list",),
    "import": ("run",),
    "log": ("jobs list",),
    "status": ("jobs list", "doctor"),
}


def meant(word: str) -> tuple[str, ...]:
    """Returns the commands that somebody may mean by a word that is none: those of groups, and by other words."""
    return (*_OTHER_WORDS.get(word, ()), *(name for name in COMMANDS if name.endswith(f" {word}")))
