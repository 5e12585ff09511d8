"""Typed options: the base class of every plugin's options, secret references, and paths."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from musterroll.contract.fields import FieldSet, no_field
from musterroll.contract.messages import Purpose
from musterroll.contract.secret import MASK, Secret
from musterroll.errors import Mistake, PipelineError

REFERENCES = '{ env = "NAME" }, { file = "PATH" } or { command = ["PROGRAM", …] }'
"""How a secret is referred to, for messages."""

REFERENCE_KEYS = frozenset({"env", "file", "command"})
"""The keys of a table that refers to a secret; it has one of them."""
_MOST_CHARACTERS = 1_000_000  # of a secret; a device may have no end


class Options(BaseModel):
    """The base of a plugin's options: frozen, and an unknown key is a mistake."""

    # The schema is made when options are checked: most of the installed plugins are not used.
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, defer_build=True)

    def remarks(self) -> Iterable[str]:
        """What a person who checks the pipeline should know of these options, though nothing is wrong with them."""
        return ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The pydantic validation context: what a check of options can go by besides the options themselves.

    Attributes:
        folder_of: which folder a relative path refers to, by the option's name and the path.
        fields: the fields of the pipeline; None where they are not known.
        on: what a notifier is told.
    """

    folder_of: Callable[[str, Path], Path]
    fields: FieldSet | None = None
    on: frozenset[Purpose] = frozenset()


def _from_its_file(path: Path, info: ValidationInfo) -> Path:
    if isinstance(info.context, Surroundings):
        return info.context.folder_of(info.field_name or "", path) / path.expanduser()
    return path


def _not_empty(path: object) -> object:
    if path == "":  # the folder itself, as pathlib has it
        raise ValueError("must not be empty")
    return path


FilePath = Annotated[Path, BeforeValidator(_not_empty), AfterValidator(_from_its_file)]
"""A path option; a relative one is relative to the file that holds it."""


def known_field(name: str, info: ValidationInfo) -> str:
    """Returns the name of a field, for a validator of options that name one within something else.

    Raises:
        ValueError: the pipeline has no such field; which one may be meant.
    """
    around = info.context
    if isinstance(around, Surroundings) and around.fields is not None and name not in around.fields:
        raise ValueError(no_field(name, around.fields))
    return name


FieldName = Annotated[str, AfterValidator(known_field)]
"""An option that names a field of the pipeline. Defaults go without `validate_default`: a pipeline that has no phone
column can keep the standard `phone` validator."""


class SecretRef:
    """A secret option: a reference to a variable, a file or a program, or a literal (which draws a warning).

    `{ env = "NAME" }`, `{ file = "PATH" }`, `{ command = ["pass", "show", "portal"] }`: what the program prints.
    Nothing is read until `Context.secret` resolves it, so checking a pipeline needs no secrets.
    """

    __slots__ = ("_literal", "_printed", "command", "env", "file")

    def __init__(
        self,
        *,
        env: str | None = None,
        file: Path | None = None,
        command: Sequence[str] = (),
        literal: str | None = None,
    ) -> None:
        self.env, self.file, self.command = env, file, tuple(command)
        self._literal = None if literal is None else Secret(literal)
        self._printed: Secret | None = None

    @property
    def is_literal(self) -> bool:
        """Whether the secret itself stands in the pipeline file."""
        return self._literal is not None

    def resolve(self) -> Secret:
        """Reads the secret.

        Raises:
            PipelineError: the variable is not set, the file cannot be read, or the program gives none.
        """
        if self._literal is not None:
            return self._literal
        if self.command:
            return self._from_program()
        if self.env is not None:
            text, missing = os.environ.get(self.env), f"the environment variable {self.env} is not set"
        else:
            assert self.file is not None
            missing = f"the secret's file {self.file} is empty"
            try:
                with self.file.open(encoding="utf-8") as file:
                    text = file.read(_MOST_CHARACTERS).rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                reason = getattr(error, "strerror", None) or "not UTF-8 text"
                text, missing = None, f"the secret's file {self.file} cannot be read: {reason}"
        if not text:
            raise PipelineError([Mistake("", missing, "secret")], code="secret.missing")
        return Secret(text)

    def _from_program(self) -> Secret:
        """Asks the program once: it may want a person to touch a key."""
        from musterroll.contract.secret_program import ProgramError, secret_of  # noqa: PLC0415 -- quick start-up

        if self._printed is None:
            try:
                self._printed = Secret(secret_of(self.command, _MOST_CHARACTERS))
            except ProgramError as error:
                raise PipelineError([Mistake("", str(error), "secret")], code="secret.missing") from None
        return self._printed

    def __repr__(self) -> str:
        if self.env is not None:
            return f"{{ env = {self.env!r} }}"
        if self.command:
            return f"{{ command = {list(self.command)!r} }}"
        return f"{{ file = {str(self.file)!r} }}" if self.file is not None else MASK

    __str__ = __repr__

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Accepts a reference table or a text."""
        return core_schema.with_info_plain_validator_function(
            cls._validate, serialization=core_schema.plain_serializer_function_ser_schema(repr)
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: Any) -> dict[str, Any]:
        """Describes the spellings for editors."""
        words = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        references = [
            {"type": "object", "properties": {key: value}, "required": [key], "additionalProperties": False}
            for key, value in (("env", {"type": "string"}), ("file", {"type": "string"}), ("command", words))
        ]
        return {"anyOf": [*references, {"type": "string", "description": "a literal secret; draws a warning"}]}

    @classmethod
    def _validate(cls, value: object, info: ValidationInfo) -> SecretRef:
        if isinstance(value, SecretRef):
            return value
        if isinstance(value, str):
            return cls(literal=value)
        if isinstance(value, dict) and len(value) == 1:
            ((kind, text),) = value.items()
            if kind == "env" and isinstance(text, str) and text:
                return cls(env=text)
            if kind == "file" and isinstance(text, str) and text:
                return cls(file=_from_its_file(Path(text), info))
            if kind == "command" and _is_command(text):
                program = text[0]
                if Path(program).name != program:  # a path, not a name to be looked for
                    program = str(_from_its_file(Path(program), info))
                return cls(command=(program, *text[1:]))
        raise ValueError(f"write {REFERENCES}")


def _is_command(value: object) -> bool:
    return isinstance(value, list | tuple) and bool(value) and bool(value[0]) and all(isinstance(w, str) for w in value)
