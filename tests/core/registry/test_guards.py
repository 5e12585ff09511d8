"""What plugins make and answer is looked at, and the culprit has a name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import pytest

from musterroll import (
    Block,
    BoolCell,
    Capabilities,
    CellColumns,
    Confidence,
    CreateUser,
    Desired,
    Existing,
    Group,
    Message,
    Purpose,
    ReadsBlocks,
    Recipient,
    Result,
    Sent,
    SentStatus,
    SheetInfo,
    SheetRow,
    Source,
    Status,
    UserKey,
)
from musterroll.contract.frozen import FrozenDict
from musterroll.errors import Label, PluginError
from musterroll.portal.portal import Portal
from musterroll.registry.guards.built import BACKEND, NOTIFIER, VALIDATOR, look_at_built
from musterroll.registry.guards.post import Post
from musterroll.registry.guards.reader import WatchedReader
from musterroll.registry.plugin_errors import AnswerError
from musterroll.registry.watch import Watch
from musterroll.testing import MemoryBackend

KEY = UserKey.of("username", "ana")
ANA = Existing(ref="u1", username="ana", fields={})
OPS = [CreateUser(id=f"job-{name}", user=Desired(username=name, fields={})) for name in ("ana", "bo")]
WHO = r"^backend \(plugin acme 1\.0\) broke while "


def untyped(value: object) -> Any:
    """What a type checker would have refused."""
    return value


def existing(**changes: Any) -> Existing:
    return Existing(**{"ref": "u1", "username": "ana", "fields": {}} | changes)


def portal(**methods: Any) -> Portal:
    inner = MemoryBackend()
    for name, answer in methods.items():
        setattr(inner, name, answer if callable(answer) else lambda *_, answer=answer: answer)
    return Portal(inner, Label("backend", "acme 1.0"), Watch())


def go_through(backend: Portal) -> None:
    backend.identity(), backend.capabilities(), backend.count_users()
    backend.lookup([KEY])
    list(backend.groups())
    backend.canonical(Desired(username="ana", fields={}))
    list(backend.execute(iter(OPS)))
    list(backend.resolve(OPS))
    backend.close()


def test_a_backend_that_does_as_it_should() -> None:
    go_through(portal())


def raises(*_: object) -> Iterator[Any]:
    yield Result(OPS[0].id, Status.DONE, "u1")
    raise ZeroDivisionError("halfway")


@pytest.mark.parametrize(
    ("method", "answer", "said"),
    [
        ("identity", None, "saying which portal it is: identity() must return a text that names the portal, not None"),
        ("identity", "", "not an empty one"),
        ("identity", "a\nb", "one line of text"),
        ("capabilities", None, "saying what it can do: capabilities() must return Capabilities(…), not None"),
        ("capabilities", Capabilities(groups="yes"), "capabilities().groups must be True or False, not a str"),  # type: ignore[arg-type]
        ("capabilities", Capabilities(fields=["email"]), "capabilities().fields must be a set"),  # type: ignore[arg-type]
        ("capabilities", Capabilities(matching="exactly"), "capabilities().matching must be one of"),  # type: ignore[arg-type]
        ("capabilities", Capabilities(chunk=0), "capabilities().chunk must be a number from 1 to 10,000, not 0"),
        ("count_users", "many", "counting its users: count_users() must return how many users there are, or None"),
        ("count_users", -1, "not -1"),
        ("lookup", None, "looking users up: lookup() must return a mapping of keys to users, not None"),
        ("lookup", {KEY: ANA}, "must return the users (Existing) of each key, not an Existing"),
        ("lookup", {KEY: ["ana"]}, 'must return users (Existing), not a str, as for "ana"'),
        ("lookup", {KEY: [existing(ref=7)]}, 'the ref of the user "ana" must be a text, not an int'),
        ("lookup", {KEY: [existing(username=None)]}, 'of the ref "u1" must be a text, not None'),
        ("lookup", {KEY: [existing(fields={"phone": 7712})]}, 'the field "phone" of the user "ana" must be a text or'),
        ("lookup", {KEY: [existing(fields=None)]}, 'the fields of the user "ana" must be a mapping'),
        ("lookup", {KEY: [existing(groups="g1")]}, 'the groups of the user "ana" must be a set'),
        ("lookup", {KEY: [existing(active="yes")]}, 'whether the user "ana" is active must be True or False'),
        ("groups", None, "reading its groups: groups() must yield its answers or return an iterable of them, not None"),
        ("groups", [("A",)], "groups() must yield groups (Group), not a tuple"),
        ("groups", [Group(ref="g", path="A")], "must be a tuple of the names of its levels, not 'A'"),  # type: ignore[arg-type]
        ("groups", [Group(ref="g", path=("A", ""))], "must be a tuple of the names of its levels"),
        ("groups", [Group(ref="", path=("A",))], "the ref of the group A must be a text, not an empty one"),
        ("canonical", None, "saying how it stores a user: canonical() must return the user (Desired)"),
        ("canonical", Desired(username="", fields={}), "canonical() must keep the username a text, not an empty one"),
        ("canonical", Desired(username="ana", fields={"phone": 7}), 'the field "phone" of the user "ana"'),  # type: ignore[dict-item]
        ("execute", None, "writing: execute() must yield its answers"),
        ("execute", lambda ops: [next(ops) and "done"], "writing: execute() must yield results (Result), not a str"),
        (
            "execute",
            lambda ops: [Result(next(ops).id, untyped("fine"), "u1")],
            "an unknown status 'fine' of creating the user \"ana\"",
        ),
        ("execute", lambda ops: [Result(next(ops).id, Status.DONE)], 'creating the user "ana" is done, but not its id'),
        (
            "execute",
            lambda ops: [Result(next(ops).id, Status.FAILED, detail=untyped(5))],
            "the detail of the result of creating",
        ),
        ("execute", lambda ops: [Result("job-x", Status.DONE, "u1")], 'it answered to "job-x", which it was not given'),
        (
            "execute",
            lambda ops: [Result(untyped(7), Status.DONE, "u1")],
            "must say the id of what it is to, not an int",
        ),
        (
            "execute",
            lambda ops: [Result(next(ops).id, Status.DONE, "u1")] * 2,
            'it answered twice to creating the user "ana"; each has one answer',
        ),
        ("execute", lambda ops: (next(ops), *raises()), "writing: ZeroDivisionError: halfway"),
        ("resolve", [Result("job-x", Status.DONE)], "asking what became of operations: it answered to"),
        ("resolve", [None], "resolve() must yield results (Result), not None"),
        ("close", lambda: 1 / 0, "closing: ZeroDivisionError"),
    ],
)
def test_what_a_backend_answers(method: str, answer: Any, said: str) -> None:
    with pytest.raises(PluginError, match=WHO) as caught:
        go_through(portal(**{method: answer}))
    assert said in caught.value.message
    assert caught.value.plugin == "backend"


def test_a_known_status_as_plain_text_counts() -> None:
    (result,) = portal(execute=lambda ops: [Result(next(ops).id, untyped("done"), "u1")]).execute(iter(OPS))
    assert result.status is Status.DONE


def test_groups_that_come_again_and_again_come_to_an_end() -> None:
    def endless() -> Iterator[Group]:
        while True:
            yield Group(ref="g1", path=("A",))

    with pytest.raises(PluginError, match=r"shows the same groups again and again, e\.g\. A"):
        list(portal(groups=endless).groups())


def test_what_a_backend_is_handed_cannot_be_changed() -> None:
    def canonical(desired: Desired) -> Desired:
        desired.fields["email"] = "evil@example.com"  # type: ignore[index]
        return desired

    with pytest.raises(PluginError, match="this mapping cannot be changed"):
        portal(canonical=canonical).canonical(Desired(username="ana", fields={"email": "ana@example.com"}))


@pytest.mark.parametrize("change", ["clear", "popitem"])
def test_a_frozen_mapping(change: str) -> None:
    import copy
    import json

    frozen = FrozenDict(a=1)
    with pytest.raises(TypeError):
        getattr(frozen, change)()
    with pytest.raises(TypeError):
        frozen |= {"b": 2}
    assert json.loads(json.dumps(frozen)) == copy.deepcopy(frozen) == {**frozen} == {"a": 1}


def message(number: int) -> Message:
    return Message(id=f"m{number}", purpose=Purpose.INVITE, recipient=Recipient(username=f"u{number}", fields={}))


class Sms:
    channel: Any = "sms"

    def can_reach(self, user: Recipient) -> Any:
        return True

    def send(self, messages: Iterator[Message]) -> Any:
        for one in messages:
            yield Sent(one.id, SentStatus.SENT)

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("name", "answer", "said"),
    [
        ("channel", None, "saying what it sends by: channel must be a text, e.g. email, not None"),
        ("can_reach", lambda _: None, "saying whom it can reach: can_reach() must return True or False, not None"),
        ("can_reach", lambda _: "ana@example.com", "can_reach() must return True or False, not a str"),
        ("send", lambda _: None, "sending: send() must yield its answers"),
        ("send", lambda ms: [next(ms) and None], "sending: send() must yield what became of messages (Sent), not None"),
        (
            "send",
            lambda ms: [Sent(next(ms).id, untyped("gone"))],
            "an unknown status 'gone' of inviting the user \"u0\"",
        ),
        ("send", lambda ms: [Sent(next(ms).id, SentStatus.SENT)] * 2, 'it answered twice to inviting the user "u0"'),
        ("send", lambda _: [Sent("m9", SentStatus.SENT)], 'it answered to "m9", which it was not given'),
    ],
)
def test_what_a_notifier_answers(name: str, answer: Any, said: str) -> None:
    inner = Sms()
    setattr(inner, name, answer)
    post = Post(inner, Label("notifiers[sms]", "acme 1.0"), Watch())
    with pytest.raises(PluginError, match=r"^notifiers\[sms\] \(plugin acme 1\.0\) broke while ") as caught:
        _use(post)
    assert said in caught.value.message


def _use(post: Post) -> None:
    assert post.channel
    post.can_reach(Recipient(username="ana", fields={}))
    list(post.send(map(message, range(2))))


class Rows:
    info: Any = SheetInfo("fake")

    def __init__(self, rows: Any) -> None:
        self._rows = rows

    def rows(self) -> Any:
        return self._rows


class Fake:
    def __init__(self, sheet: Any) -> None:
        self._sheet = sheet

    def sniff(self, source: Source) -> Any:
        return "surely"

    @contextmanager
    def open(self, source: Source, worksheet: str | None = None) -> Iterator[Any]:
        yield self._sheet


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        (None, "what open() gives must be a sheet"),
        (Rows([("a", "b")]), "broke while reading: rows() must yield rows (SheetRow), not a tuple"),
        (
            Rows([SheetRow(3, ("a",)), SheetRow(3, ("b",))]),
            "row 3: the numbers of rows must be whole and rise; after row 3",
        ),
        (Rows([SheetRow(5, ("a",)), SheetRow(4, ("b",))]), "after row 5 comes 4"),
        (Rows([SheetRow("1", ("a",))]), "comes '1'"),  # type: ignore[arg-type]
        (Rows([SheetRow(1, ["a"])]), "the cells of row 1 must be a tuple, not a list"),  # type: ignore[arg-type]
        (Rows([SheetRow(1, ("a", 4.5))]), "cell 2 of row 1 is a float; a cell is a text (str), None, or a record"),  # type: ignore[arg-type]
        (Rows(None), "rows() must yield its answers"),
    ],
)
def test_what_a_reader_hands_on(tmp_path: Path, sheet: Any, said: str) -> None:
    (tmp_path / "x").write_bytes(b"x")
    reader = WatchedReader(Fake(sheet), Label("readers[fake]", "acme 1.0"), Watch())
    with pytest.raises((PluginError, AnswerError)) as caught, reader.open(Source(tmp_path / "x")) as opened:
        list(opened.rows())
    assert said in str(caught.value)


def test_what_a_reader_says_of_rows_is_asked_for_behind_them(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    sheet = Rows([SheetRow(1, ("a",))])
    reader = WatchedReader(Fake(sheet), Label("readers[fake]", "acme 1.0"), Watch())
    with reader.open(Source(tmp_path / "x")) as opened:
        assert not opened.info.notes
        list(opened.rows())
        sheet.info = SheetInfo("fake", notes=("row 1 is hidden",))
        assert opened.info.notes == ("row 1 is hidden",)
        sheet.info = None
        with pytest.raises(PluginError, match=r"^readers\[fake\] .* broke while reading: .*SheetInfo"):
            assert opened.info


class Blocks(Rows):
    def blocks(self) -> Any:
        return self._rows


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        ([SheetRow(1, ("a",))], "broke while reading: blocks() must yield blocks (Block), not a SheetRow"),
        ([Block(range(1, 3), [("a",)])], "a block has 1 rows and 2 numbers of rows"),
        ([Block([3, 3], [("a",), ("b",)])], "the numbers of rows must be whole and rise; after row 3 comes 3"),
        ([Block([3], [["a"]]), Block([2], [["b"]])], "row 3: the numbers of rows must be whole and rise; after row 3"),
        ([Block(["1"], [["a"]])], "comes '1'"),  # type: ignore[list-item]
        ([Block([1], ["ab"])], "the cells of row 1 must be a tuple, not a str"),
        ([Block([1, 2], CellColumns([["a", "b"], ["c"]]))], "the columns of a block must be lists of one length"),
        ([Block([1], CellColumns([]))], "the columns of a block must be lists of one length"),
        ([Block([1], CellColumns([["a"], [4.5]]))], "cell 2 of row 1 is a float"),  # type: ignore[list-item]
        ([Block([1], "a")], "the rows of a block must be a list, not a str"),
        ([Block([1, 2], [["a"], ["b", 4.5]])], "cell 2 of row 2 is a float; a cell is a text (str), None, or a record"),  # type: ignore[list-item]
        (None, "blocks() must yield its answers"),
    ],
)
def test_what_a_reader_hands_on_in_blocks(tmp_path: Path, blocks: Any, said: str) -> None:
    (tmp_path / "x").write_bytes(b"x")
    reader = WatchedReader(Fake(Blocks(blocks)), Label("readers[fake]", "acme 1.0"), Watch())
    opening = reader.open(Source(tmp_path / "x"))
    with pytest.raises((PluginError, AnswerError)) as caught, opening as opened:
        list(cast("ReadsBlocks", opened).blocks())
    assert said in str(caught.value)


def test_good_blocks_come_through(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    good = [Block([], []), Block(range(2, 4), [["a", None], []]), Block([7], [(BoolCell(value=True),)])]
    watch = Watch()
    with WatchedReader(Fake(Blocks(good)), "readers[fake]", watch).open(Source(tmp_path / "x")) as opened:
        assert isinstance(opened, ReadsBlocks)
        assert list(opened.blocks()) == good
    assert watch.current is None


def test_what_a_reader_says_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"x")
    reader = WatchedReader(Fake(None), Label("readers[fake]", "acme 1.0"), Watch())
    with pytest.raises(
        PluginError, match=r"readers\[fake\] \(plugin acme 1.0\) broke while looking at the file: sniff"
    ):
        reader.sniff(Source(tmp_path / "x"))
    assert Confidence.NO.name == "NO"


class Misspelt:
    def chek(self, row: object) -> None: ...


class Asynchronous:
    async def check(self, row: object) -> None: ...


class Forgetful:
    def check(self, row: Any) -> Iterator[Any]:
        if row["email"]:
            yield row.problem("email", "x.y", "Correct it")
        row.problem("email", "x.z", "Correct it")


@pytest.mark.parametrize(
    ("build", "role", "said"),
    [
        (lambda: None, VALIDATOR, "build must return a validator, which has check(row); it returned None"),
        (lambda: Misspelt, VALIDATOR, "it returned the class Misspelt itself"),
        (Misspelt, VALIDATOR, 'a Misspelt has no check(row), did you mean "chek"?'),
        (Asynchronous, VALIDATOR, "check() is asynchronous"),
        (Forgetful, VALIDATOR, "test_guards.py makes a problem and drops it; write: yield row.problem(…)"),
        (lambda: 5, BACKEND, "an int has no identity(), capabilities(), count_users(), lookup(keys)"),
        (Misspelt, NOTIFIER, "a Misspelt has no can_reach(user), send(messages) and close()"),
    ],
)
def test_what_build_makes(build: Callable[[], object], role: Any, said: str) -> None:
    with pytest.raises(AnswerError) as caught:
        look_at_built(build(), role)
    assert said in str(caught.value)
