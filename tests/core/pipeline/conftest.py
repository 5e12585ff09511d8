"""Plugins in the place of the built-in ones, so that these tests hold whatever those look like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any, Protocol

import pytest

from musterroll.errors import PipelineError
from musterroll.pipeline.loader import load_pipeline
from musterroll.pipeline.pipeline import Pipeline
from musterroll.registry.loader import Found, Plugin, local_file

KIT = """
from typing import Annotated, Literal
from pydantic import Field
from musterroll import (
    BackendError, FilePath, GroupResolverType, NotifierType,
    Options, ReaderType, SecretRef, UserBackendType, ValidatorType, hookimpl,
)

class Plain(Options):
    pass

class Delimited(Options):
    delimiter: str = ","
    quote: str = '"'

class Demanding(Options):
    licence: str

class Login(Options):
    user: str = "admin"
    password: SecretRef | None = None

class Domains(Options):
    domains: tuple[str, ...]
    limit: Annotated[int, Field(ge=1)] = 3
    mode: Literal["strict", "lenient"] = "strict"
    word_list: FilePath | None = None

class Portal(Options):
    path: FilePath = "users.db"
    url: str = ""
    token: SecretRef | None = None
    pin: SecretRef | None = None
    api_key: str = ""
    login: Login = Login()
    rules: tuple[dict[str, str], ...] = ()

class Built:
    channel = "post"

    def __init__(self, options, context):
        self.options, self.context = options, context

    def nothing(self, *args):
        raise NotImplementedError

    sniff = open = check = resolve = nothing
    identity = capabilities = count_users = lookup = groups = canonical = execute = close = nothing
    can_reach = send = nothing

def faulty(options, context):
    raise ZeroDivisionError("no luck")

def unwilling(options, context):
    raise BackendError("the word list is empty")

@hookimpl
def musterroll_readers():
    yield ReaderType(name="texty", summary="Text", options=Delimited, build=Built)
    yield ReaderType(name="booky", summary="Workbooks", options=Plain, build=Built)
    yield ReaderType(name="licensed", summary="Needs an option", options=Demanding, build=Built)

@hookimpl
def musterroll_validators():
    for name in ("required", "length", "characters", "choices", "email", "phone", "password", "unique"):
        yield ValidatorType(name=name, summary="", options=Plain, build=Built)
    yield ValidatorType(name="email-domain", summary="", options=Domains, build=Built)
    yield ValidatorType(name="faulty", summary="", options=Plain, build=faulty)
    yield ValidatorType(name="unwilling", summary="", options=Plain, build=unwilling)

@hookimpl
def musterroll_group_resolvers():
    yield GroupResolverType(name="paths", summary="", options=Plain, build=Built)

@hookimpl
def musterroll_user_backends():
    yield UserBackendType(name="directory", summary="", options=Portal, build=Built)
    yield UserBackendType(name="scim", summary="", options=Portal, build=Built)

@hookimpl
def musterroll_notifiers():
    yield NotifierType(name="outbox", summary="", options=Plain, build=Built)
    yield NotifierType(name="smtp", summary="", options=Portal, build=Built)
"""

HEAD = 'name = "acme"\n'


class Load(Protocol):
    """Writes a pipeline file, after a head with its name, and loads it."""

    def __call__(
        self, text: str = "", *, head: str = HEAD, profile: str | None = None, sets: Sequence[str] = (), **more: Any
    ) -> Pipeline: ...


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the plugin file, which stands for all that is built in."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "kit.py"
    path.write_text(KIT, encoding="utf-8")
    found = Found(Plugin(name="kit", distribution="musterroll", version="0"), lambda: local_file(path).load())
    monkeypatch.setattr("musterroll.registry.registry.entry_points", lambda: iter([found]))
    return tmp_path


@pytest.fixture
def load(folder: Path) -> Load:
    def load(
        text: str = "", *, head: str = HEAD, profile: str | None = None, sets: Sequence[str] = (), **more: Any
    ) -> Pipeline:
        (folder / "acme.toml").write_text(head + dedent(text), encoding="utf-8")
        return load_pipeline(Path("acme.toml"), profile=profile, sets=sets, external_plugins=False, **more)

    return load


@pytest.fixture
def mistakes(load: Load) -> Callable[..., list[str]]:
    """Loads a pipeline that has mistakes, and returns them as the person sees them."""

    def mistakes(*args: Any, **more: Any) -> list[str]:
        with pytest.raises(PipelineError) as caught:
            load(*args, **more)
        return str(caught.value).splitlines()

    return mistakes
