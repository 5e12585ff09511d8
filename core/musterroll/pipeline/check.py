"""Collects the mistakes of a pipeline, with the dotted path and the file of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError

from musterroll.contract.fields import FieldSet
from musterroll.contract.late_patterns import late_pattern
from musterroll.contract.messages import Purpose
from musterroll.contract.options import Surroundings
from musterroll.contract.text import nearest
from musterroll.errors import Mistake
from musterroll.pipeline.files import STANDARD
from musterroll.pipeline.key_types import is_plain
from musterroll.pipeline.layers import NAMED
from musterroll.pipeline.masks import sounds_secret
from musterroll.pipeline.messages import faults_in, joined, message_for
from musterroll.pipeline.origins import (
    Items,
    Joined,
    KeyPath,
    Leaf,
    Node,
    Place,
    TomlTable,
    at,
    keys_of,
    located,
    path_text,
    place_of,
    plain,
    with_own_indexes,
)
from musterroll.pipeline.settings import Settings
from musterroll.registry.strict_options import checked

if TYPE_CHECKING:
    from musterroll.contract.conditions import Conditions

M = TypeVar("M", bound=BaseModel)
_MEANT = late_pattern(r'unknown option, did you mean "(.*)"\?')


class Check:
    """One go through a merged pipeline. Everything that is wrong is collected; nothing is raised.

    Attributes:
        tree: the merged pipeline.
        folder: what the paths of the built-in pipeline and of plugins' defaults refer to.
        types: says which types a key has, as far as that is known.
        mistakes: what stops the pipeline.
        warnings: what does not.
        masked: the paths of secrets that stand in the files themselves.
        fields: the fields of a user, without what is mistaken of them; None as long as nobody knows which there are.
    """

    def __init__(self, tree: TomlTable, folder: Path, types: Callable[[KeyPath], tuple[Any, ...]]) -> None:
        self.tree, self.folder, self.types = tree, folder, types
        self.mistakes: list[Mistake] = []
        self.warnings: list[Mistake] = []
        self.masked: set[KeyPath] = set()
        self.fields: FieldSet | None = None
        self._unsound: list[KeyPath] = []

    def complain(self, path: KeyPath, message: str, place: Place | None = None) -> None:
        """Adds a mistake; its place is that of the path, unless somebody else asked for it."""
        self.mistakes.append(self.mistake(path, message, place))
        self._unsound.append(path)

    def warn(self, path: KeyPath, message: str) -> None:
        """Adds a warning."""
        self.warnings.append(self.mistake(path, message))

    def is_sound(self, *path: str | int) -> bool:
        """Whether nothing at, above or below a path was complained about."""
        return not any(wrong[: len(path)] == path or path[: len(wrong)] == wrong for wrong in self._unsound)

    def is_from_standard(self, path: KeyPath) -> bool:
        """Whether a value is the built-in pipeline's: then nobody who writes a file is to blame for it."""
        return place_of(self.tree, path).label == STANDARD

    def settings(self) -> Settings | None:
        """Checks what is not a plugin's option; None where there are mistakes."""
        return self.checked(Settings, self.tree, lambda path: path, reword=self._reword)

    def checked(
        self,
        model: type[M],
        node: Node,
        full: Callable[[KeyPath], KeyPath],
        *,
        asker: Place | None = None,
        on: frozenset[Purpose] = frozenset(),
        reword: Callable[[KeyPath, str], str] = lambda path, text: text,
    ) -> M | None:
        """Checks a part of the tree by a model.

        Args:
            model: what the part must be.
            node: the part.
            full: makes a path inside the part one of the tree.
            asker: the place to name for what is missing at the top of the part.
            on: which messages a notifier sends, for its options.
            reword: changes a message, by its path.
        """
        try:
            return checked(model, plain(node), self.surroundings(model, node, on))
        except ValidationError as error:
            found: dict[KeyPath, list[tuple[str, str]]] = {}
            for detail in faults_in(error):
                path = located(node, detail["loc"], missing=detail["type"] == "missing")
                inner, text = _option_in(at(node, path), message_for(detail, model))
                found.setdefault((*path, *inner), []).append((detail["type"], text))
            texts = {path: joined(said) for path, said in found.items() if not _is_of_another_branch(path, found)}
            _drop_misspelt(texts)
            for path, text in texts.items():
                place = asker if len(path) < 2 and at(node, path[:1]) is None else None
                self.complain(full(path), reword(path, text), place)
        except Exception as error:  # a plugin's own check may raise anything; its text may quote a secret
            self.complain(full(()), f"the plugin broke while checking this: {type(error).__name__}", asker)
        return None

    def surroundings(self, model: type[BaseModel], node: Node, on: frozenset[Purpose] = frozenset()) -> Surroundings:
        """What a part of the tree is checked with. Relative paths refer to the folders of the files that hold them."""
        return Surroundings(lambda name, path: self._folder(model, node, name, path), self.fields, on)

    def mistake(self, path: KeyPath, message: str, place: Place | None = None) -> Mistake:
        """Makes a mistake with its place, which is that of the path unless another one is given."""
        place = place or place_of(self.tree, path)
        if place.written is None:
            return Mistake(path_text(self.tree, path), message, place.label)
        own = (*place.prefix, *with_own_indexes(self.tree, path))
        shown = not sounds_secret(path) and all(map(is_plain, self.types(path) or [None]))
        spot = place.written.spot(own, with_value=shown)
        line, excerpt = spot if spot is not None else (None, ())
        return Mistake(path_text(self.tree, path), message, place.label, line, excerpt)

    def _reword(self, path: KeyPath, text: str) -> str:
        if path in NAMED and text.startswith("should be a list"):
            return f"write each as a table: [[{path_text(self.tree, path)}]]"
        array = at(self.tree, path[:-2])
        if path[:-2] in NAMED and path[-1] == "use" and text == "is needed" and isinstance(array, Items):
            others = [name for name, table in array.entries.items() if "use" in table.entries]
            near = nearest(str(path[-2]), others)
            return f'{text}; or is the inherited "{near}" meant?' if near else text
        return text

    def _folder(self, model: type[BaseModel], node: Node, field: str, path: Path) -> Path:
        info = model.model_fields.get(field)
        names = {field, info.alias if info else None}
        found: list[Node] = []
        for name, child in _below(node):
            if name in names:
                found += [grandchild for key, grandchild in _below(child) if key == "file"] or [child]
        # Several tables, of several files, may have an option of this name: pydantic does not say which one it is at.
        same = [leaf for leaf in found if isinstance(leaf, Leaf) and _is_path(leaf.value, path)]
        return (same or found)[0].place.folder if found else self.folder


def conditions_at(check: Check, path: KeyPath) -> Conditions | None:
    """The conditions that stand at a path; None where there are none, or mistakes."""
    node = at(check.tree, path)
    if node is None or not check.is_sound(*path) or not plain(node):
        return None
    from musterroll.contract.conditions import About  # noqa: PLC0415 -- most pipelines have none

    found = check.checked(About, TomlTable({"when": node}, node.place), lambda inner: (*path, *inner[1:]))
    return None if found is None else found.when


def _option_in(node: Any, text: str) -> tuple[KeyPath, str]:
    """The option that a message is about, where it begins with its name: `pattern: …`; and the rest of it.

    pydantic knows no place for what a check of several options together finds.
    """
    name, colon, rest = text.partition(": ")
    path = keys_of(name)
    return (path, rest) if colon and path and at(node, path) is not None else ((), text)


def _is_of_another_branch(path: KeyPath, found: Mapping[KeyPath, Sequence[tuple[str, str]]]) -> bool:
    """Whether a value is of another kind than a branch of a union takes, and the branch that was meant says more."""
    is_another_kind = all(kind == "literal_error" or kind.endswith("_type") for kind, _ in found[path])
    return is_another_kind and any(len(other) > len(path) and other[: len(path)] == path for other in found)


def has_transforms(check: Check) -> bool:
    """Whether a transform may fill what has no column: which fields one fills, only it knows."""
    items = at(check.tree, ("transforms",))
    elements = items.entries.values() if isinstance(items, Items) else ()
    return any((on := one.entries.get("enabled")) is None or plain(on) is not False for one in elements)


def _drop_misspelt(found: dict[KeyPath, str]) -> None:
    """One fault, one mistake: an option that was misspelt is not missing as well."""
    for path, text in list(found.items()):
        meant = _MEANT.fullmatch(text)
        if meant and found.get((*path[:-1], meant[1])) == "is needed":
            del found[(*path[:-1], meant[1])]


def _is_path(value: object, path: Path) -> bool:
    return isinstance(value, str) and Path(value) == path


def _below(node: Node) -> Iterator[tuple[str, Node]]:
    """Yields every key below a node with what it holds, the nearest first."""
    level = [node]
    while level:
        entries = [entry for table in level if isinstance(table, TomlTable | Items) for entry in table.entries.items()]
        yield from entries
        level = [child for _, child in entries]


def texts(node: object) -> Iterator[tuple[int, str, Place]]:
    """Yields index, text and place of the texts in an array; of what is none, nothing."""
    match node:
        case Joined(parts):
            yield from ((i, leaf.value, leaf.place) for i, (_, leaf) in enumerate(parts) if isinstance(leaf.value, str))
        case Leaf(list() as values, place):
            yield from ((i, value, place) for i, value in enumerate(values) if isinstance(value, str))
