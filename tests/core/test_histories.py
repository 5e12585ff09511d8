"""Random histories of a portal and two pipelines: whatever happens on the way, it ends as a simple model says."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from musterroll import (
    AddMembers,
    Context,
    Deactivate,
    DeleteUser,
    FieldSet,
    GroupRef,
    Op,
    Reactivate,
    RemoveMembers,
    Status,
    UpdateUser,
    UserBackend,
    UserRef,
    engine,
)
from musterroll.engine import PlanTarget, SavedPlan
from musterroll.errors import MusterrollError, RefusedError, StalePlanError, UsageError
from musterroll.journal.change import Action
from musterroll.journal.forget import find_person
from musterroll.journal.job import JobState
from musterroll.journal.journal import Journal
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.pipeline import Pipeline
from musterroll.testing import MemoryBackend
from musterroll_plugins.backends.directory import DirectoryOptions, build
from support.faults import Fault
from support.pipelines import DIRECTORY, Told, Work, told, user
from support.roster_model import Job, Model, Person

_PEOPLE = [str(number) for number in range(1, 7)]  # staff numbers
_GROUPS = ["A", "A|B", "A|B|C", "D", "E|F"]
_FAULTS = [
    *(Fault.FAILED, Fault.NOT_DONE, Fault.DROPPED, Fault.UNKNOWN_NOT_DONE),
    *(Fault.UNKNOWN, Fault.LOST, Fault.CONFLICT, Fault.CUT, Fault.UNAVAILABLE, Fault.BREAKS),
]
_TOP = """
match = ["staff_number", "username"]
on_inactive = "reactivate"
"""
_TABLES = """
[[sheet.fields]]
name = "staff_number"
heading = "staff_number"
[[sheet.fields]]
name = "boss"
heading = "boss"
type = "user"
[sheet]
on_blank_cell = "{blank}"
[membership]
mode = "{mode}"
[undo]
created = "{created}"
[limits]
create = 1000
update = 1000
deactivate = 1000
new_groups = 1000
"""
_OUTCOMES = {Action.CREATE: "created", Action.UPDATE: "updated", Action.UNCHANGED: "unchanged"}
_OWN = ("staff_number", "boss")


class _Killed(BaseException):
    """The process has died."""


class _Life:
    """A portal with two pipelines, and the model of them."""

    def __init__(self, folder: Path, seed: int, *, directory: bool) -> None:
        self.random, self.work, self.is_directory = random.Random(seed), Work(folder), directory
        created, blank = self.random.choice(["delete", "deactivate"]), self.random.choice(["keep", "clear"])
        mode = self.random.choice(["add", "replace"])
        self.model = Model(deletes=created == "delete", clears=blank == "clear", replaces=mode == "replace")
        tables = _TABLES.format(created=created, blank=blank, mode=mode)
        acme = self.work.pipeline(_TOP, tables, backend=DIRECTORY if directory else "")
        file = folder / "other.toml"
        text = (folder / "acme.toml").read_text(encoding="utf-8")
        file.write_text(text.replace('name = "acme"', 'name = "other"', 1), encoding="utf-8")
        other = replace(load_pipeline(file), clock=self.work.clock)
        self.pipelines: dict[str, Pipeline] = {"acme": acme, "other": other}
        self.jobs: dict[str, dict[str, Job]] = {"acme": {}, "other": {}}  # by their ids
        self.invited: Counter[tuple[str, str]] = Counter()  # how often, by pipeline and staff number
        self.names = dict.fromkeys(_PEOPLE, "")
        self.edits = 0
        self.told: list[str] = []
        with self.backend():  # which makes the directory
            pass

    # -- the portal, as it is -------------------------------------------------------------------------------

    @contextmanager
    def backend(self) -> Iterator[UserBackend]:
        """The portal, as another program sees it."""
        if not self.is_directory:
            yield MemoryBackend(self.work.portal.store, read_only=False)
            return
        context = Context(instance="backend", fields=FieldSet([]), read_only=False)
        options = DirectoryOptions.model_validate({"path": self.work.folder / "users.db", "passwords": "none"})
        with closing(build(options, context)) as backend:
            yield backend

    def look(self) -> tuple[dict[str, Person], dict[str, str], dict[str, str]]:
        """The users by staff number, their ids, and the ids of groups."""
        with self.backend() as backend:
            groups = {group.ref: "|".join(group.path) for group in backend.groups()}
            users = list(backend.all_users())  # type: ignore[attr-defined]
        people, refs = {}, {}
        for one in users:
            fields = {name: text for name, text in one.fields.items() if text}
            staff = fields.pop("staff_number")
            assert staff not in people, "somebody was created twice"
            people[staff] = Person(one.username, fields, one.active, frozenset(groups[ref] for ref in one.groups))
            refs[staff] = one.ref
        return people, refs, {path: ref for ref, path in groups.items()}

    def check(self) -> None:
        """Compares the portal with the model, and who was invited."""
        people, _, groups = self.look()
        assert people == self.model.people, self.told
        assert groups.keys() == self.model.groups.keys(), self.told
        assert self.letters == self.wanted_letters, self.told

    @property
    def letters(self) -> Counter[str]:
        """How many letters went out, by staff number; one that was sent again because of a doubt is the same."""
        sent = {message.id: message.recipient for message in self.work.post.sent if message.recipient is not None}
        return Counter(str(recipient.fields["email"])[1] for recipient in sent.values())

    @property
    def wanted_letters(self) -> Counter[str]:
        """The same, as the model says."""
        wanted: Counter[str] = Counter()
        for (_, staff), times in self.invited.items():
            wanted[staff] += times
        return wanted

    # -- what happens ---------------------------------------------------------------------------------------

    def live(self, steps: int) -> None:
        """Lives some steps; each ends as the model says."""
        kinds = [self.run] * 5 + [self.edit] * 4 + [self.undo] * 3 + [self.apply, self.forget]
        for _ in range(steps):
            self.random.choice(kinds)()
            self.check()

    def rows(self) -> dict[str, Person]:
        """A random sheet."""
        staff = self.random.sample(_PEOPLE, self.random.randint(1, len(_PEOPLE)))
        for one in staff:
            if not self.names[one] or self.random.random() < 0.25:
                self.names[one] = f"p{one}.{self.random.choice('abc')}"
        rows = {}
        for one in staff:
            fields = {"email": f"p{one}@example.com", "forename": self.random.choice(["Ann", "Bo", "Cy"])}
            if self.random.random() < 0.4:
                fields["surname"] = self.random.choice(["Lee", "Ek"])
            if self.random.random() < 0.5:
                fields["boss"] = self.names[self.random.choice(staff)]
            groups = self.random.sample(_GROUPS, self.random.choice([0, 0, 1, 2]))
            rows[one] = Person(self.names[one], fields, True, frozenset(groups))
        return rows

    def sheet(self, rows: Mapping[str, Person]) -> Path:
        cells = (
            user(one.name, staff_number=staff, groups=";".join(sorted(one.groups)), **one.fields)
            for staff, one in rows.items()
        )
        return self.work.sheet(*cells, others=_OWN)

    def run(self) -> None:
        name, rows = self.a_pipeline, self.rows()
        pipeline, sheet = self.pipelines[name], self.sheet(rows)
        self.told.append(f"run {name} {rows}")
        done = self.survive(name, lambda: told(engine.run(pipeline, sheet)), may_give_up=True)
        self.was_run(name, rows, done)

    def was_run(self, name: str, rows: Mapping[str, Person], done: Told | None) -> None:
        if done is None:  # it was cut off, and taken back
            self.invited.update((name, staff) for staff in self.letters - self.wanted_letters)
            assert self.letters == self.wanted_letters, self.told
            return
        job, invited = self.model.run(name, rows)
        self.invited.update((name, staff) for staff in invited)
        assert done.job is not None
        assert done.rows == job.rows, self.told
        actions = Counter(_OUTCOMES[change.action] for change in done.changes)
        assert actions == job.rows, self.told
        for before, after in job.users.values():
            if before is not None:
                (change,) = (change for change in done.changes if change.new_username == after.name)
                was, made = before.values(), after.values()
                names = {name for name in {*was, *made} if was.get(name) != made.get(name)}
                assert change.fields == {name: (was.get(name), made.get(name)) for name in names}, self.told
                assert {"|".join(target.path) for target in change.add} == after.groups - before.groups, self.told
                assert {"|".join(target.path) for target in change.remove} == before.groups - after.groups, self.told
        self.jobs[name][done.job.id] = job

    def apply(self) -> None:
        """Plans, and applies that later: others may have written meanwhile."""
        name, rows = self.a_pipeline, self.rows()
        pipeline, path = self.pipelines[name], self.work.folder / "staff.plan"
        told(engine.plan(pipeline, self.sheet(rows), save_to=PlanTarget(path, replace=True)))
        edited = self.edit() if self.random.random() < 0.5 else None
        self.told.append(f"apply {name} {rows} after {edited}")

        def apply() -> Told:
            with SavedPlan(path) as saved:
                return told(engine.apply(pipeline, saved))

        if edited in rows:
            with pytest.raises(StalePlanError):
                apply()
        else:
            self.was_run(name, rows, self.survive(name, apply))

    def undo(self) -> None:
        name = self.a_pipeline
        if not self.jobs[name]:
            return
        id_, job = self.random.choice(list(self.jobs[name].items()))
        pipeline = self.pipelines[name]
        self.told.append(f"undo {name} {job}")
        if job.is_undone or not job.did_anything:
            with pytest.raises(RefusedError):
                told(engine.undo(pipeline, id_))
            return
        done = self.survive(name, lambda: told(engine.undo(pipeline, id_)))
        assert done is not None
        kept = self.model.undo(name, job)
        is_kept = any(code.startswith("undo.kept") for code in done.codes) or bool(done.failures)
        assert is_kept is bool(kept), self.told
        assert done.job is not None
        with pytest.raises(RefusedError, match="cannot be taken back"):
            told(engine.undo(pipeline, done.job.id))

    def edit(self) -> str | None:
        """Somebody changes something in the portal by hand; returns of whom."""
        people, refs, groups = self.look()
        if not people:
            return None
        staff = self.random.choice(list(people))
        one, who = people[staff], UserRef(refs[staff], people[staff].name)
        self.edits += 1
        inside, outside = sorted(one.groups), sorted(set(groups) - one.groups)
        choice = self.random.choice(["surname", "forename", "name", "active", "join", "leave", "delete"])
        known = self.model.people[staff]
        op: Op | None = None
        now: Person | None = None
        match choice:
            case "surname" | "forename":
                op = UpdateUser(id=f"hand-{self.edits}", user=who, changes={choice: f"Hand{self.edits}"})
                now = replace(known, fields={**known.fields, choice: f"Hand{self.edits}"})
            case "name":
                op = UpdateUser(id=f"hand-{self.edits}", user=who, changes={"username": f"p{staff}.{self.edits}"})
                now = replace(known, name=f"p{staff}.{self.edits}")
            case "active":
                op = (Deactivate if one.active else Reactivate)(id=f"hand-{self.edits}", user=who)
                now = replace(known, active=not one.active)
            case "join" if outside:
                group = GroupRef(groups[outside[0]], tuple(outside[0].split("|")))
                op = AddMembers(id=f"hand-{self.edits}", group=group, members=(who,))
                now = replace(known, groups=known.groups | {outside[0]})
            case "leave" if inside:
                group = GroupRef(groups[inside[0]], tuple(inside[0].split("|")))
                op = RemoveMembers(id=f"hand-{self.edits}", group=group, members=(who,))
                now = replace(known, groups=known.groups - {inside[0]})
            case "delete":
                op = DeleteUser(id=f"hand-{self.edits}", user=who)
        if op is None:
            return None
        self.told.append(f"edit {op}")
        with self.backend() as backend:
            assert [result.status for result in backend.execute(iter([op]))] == [Status.DONE]
        if now is None:
            del self.model.people[staff]
        else:
            self.model.people[staff] = now
        return staff

    def forget(self) -> None:
        name, staff = self.a_pipeline, self.random.choice(_PEOPLE)
        self.told.append(f"forget {name} {self.names[staff]}")
        journal = Journal.look(self.pipelines[name].state, name)
        if journal is None:
            return
        with closing(journal):
            names = find_person(journal, self.names[staff]).names
        with suppress(UsageError):
            engine.forget(self.pipelines[name], self.names[staff])
            self.model.forget(name, self.jobs[name].values(), staff, names)

    # -- what goes wrong ------------------------------------------------------------------------------------

    @property
    def a_pipeline(self) -> str:
        return self.random.choice(["acme", "acme", "other"])

    def survive(self, name: str, command: Callable[[], Told], *, may_give_up: bool = False) -> Told | None:
        """Carries a command out, in spite of what goes wrong on the way; None where it was given up and taken back."""
        pipeline = self.pipelines[name]
        mishap = self.random.choice(["", "", "faults", "kill", "kill"])
        newest = _newest(pipeline)
        done: Told | None = None
        if mishap == "faults" and not self.is_directory:
            self.told.append("faults")
            rate = self.random.choice([0.1, 0.5])
            draw = self.random
            self.work.portal.fault = lambda op: draw.choice(_FAULTS) if draw.random() < rate else None
            with suppress(MusterrollError):
                done = command()
            self.work.portal.fault = lambda op: None
        elif mishap == "kill":
            done = self.killed(command)
            if done is None and may_give_up and self.model.deletes and self.random.random() < 0.5:
                self.told.append("given up")
                if _newest(pipeline) != newest:
                    with suppress(RefusedError):  # nothing was written
                        undone = told(engine.undo(pipeline, "last"))
                        assert not undone.failures, self.told
                        kept = [one.message for one in undone.problems if one.code == "undo.kept"]
                        assert all("may have been created, or not" in message for message in kept), self.told
                return None
        for _ in range(4):
            if done is not None and done.state is JobState.COMPLETED:
                return done
            if done is not None and not done.failures and done.state is JobState.COMPLETED_WITH_ERRORS:
                return done
            if _newest(pipeline) == newest:  # nothing is left of it
                done = command()
            else:
                self.told.append("resume")
                try:
                    done = self.work.resume(pipeline)
                except RefusedError as error:  # an apply that was cut off early has to be repeated
                    if "apply its plan again" not in error.message:
                        raise
                    done = command()
                told(engine.release_invites(pipeline))
        assert done is not None
        return done

    def killed(self, command: Callable[[], Told]) -> Told | None:
        """Carries a command out until it dies at a random commit; only what is on the disk then is left of it."""
        state, kept = self.work.state, self.work.folder / "kept"
        commits, last, before = 0, self.random.randint(1, 12), self.random.random() < 0.5
        self.told.append(f"killed at commit {last}, {'before' if before else 'after'} it")
        commit = Journal.commit

        def dying(journal: Journal) -> None:
            nonlocal commits
            if journal.path is None or not journal._db.in_transaction:
                return commit(journal)
            commits += 1
            if commits != last:
                return commit(journal)
            if not before:
                commit(journal)
            shutil.copytree(state, kept, ignore=shutil.ignore_patterns("*-shm", "*.lock"))
            raise _Killed

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Journal, "commit", dying)
            done: Told | None = None
            with suppress(_Killed):
                done = command()
        if not kept.exists():
            return done
        shutil.rmtree(state)  # whatever it did to it after its death
        kept.rename(state)
        return None


def _newest(pipeline: Pipeline) -> str | None:
    jobs = engine.list_jobs(pipeline)
    return jobs[0].id if jobs else None


@pytest.mark.parametrize("portal", ["memory", "directory"])
@pytest.mark.parametrize("seed", range(5))
def test_whatever_happens_it_ends_as_the_model_says(seed: int, portal: str, tmp_path: Path) -> None:
    _Life(tmp_path, seed, directory=portal == "directory").live(5)


@pytest.mark.slow
@pytest.mark.parametrize("portal", ["memory", "directory"])
@pytest.mark.parametrize("first", range(100, 300, 20))
def test_so_it_does_in_long_histories(first: int, portal: str, tmp_path: Path) -> None:
    for seed in range(first, first + 20):
        folder = tmp_path / str(seed)
        folder.mkdir()
        _Life(folder, seed, directory=portal == "directory").live(12)
