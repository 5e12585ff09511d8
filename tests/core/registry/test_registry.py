"""The registry finds plugins, names those that are broken, and looks components up."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from musterroll import MusterrollError
from musterroll.registry.collector import Collector
from musterroll.registry.registry import KINDS, Listing, PluginStatus, Registry

IMPORTS = "from musterroll import *\nimport functools\n"


def reader(name: str, summary: str = "") -> str:
    """The text of a plugin that brings one reader."""
    return IMPORTS + dedent(
        f"""
        @hookimpl
        def musterroll_readers():
            yield ReaderType(name={name!r}, summary={summary!r}, options=Options, build=print)
        """
    )


class Site:
    """A folder on `sys.path` with distributions as pip would install them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def install(self, distribution: str, version: str = "1.0", *, metadata: str | None = None, **plugins: str) -> None:
        """Installs a distribution with one module for each plugin: entry point's name = the module's text."""
        stem = distribution.replace("-", "_")
        info = self.folder / f"{stem}-{version}.dist-info"
        info.mkdir()
        if metadata is None:
            metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        (info / "METADATA").write_text(metadata, encoding="utf-8")
        lines = ["[musterroll]"]
        for name, text in plugins.items():
            (self.folder / f"{stem}_{name}.py").write_text(text, encoding="utf-8")
            lines.append(f"{name} = {stem}_{name}")
        (info / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")

    def entry_points(self, distribution: str, text: str) -> None:
        """Changes what an installed distribution declares."""
        (info,) = self.folder.glob(f"{distribution.replace('-', '_')}-*.dist-info")
        (info / "entry_points.txt").write_text(text, encoding="utf-8")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    modules = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield Site(tmp_path)
    for name in set(sys.modules) - modules:
        if name.startswith(("acme", "other", "musterroll_local_")):
            del sys.modules[name]


@pytest.fixture
def local(tmp_path: Path) -> Callable[[str, str], Path]:
    def local(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return local


def load(*local_files: Path, external: bool = True, disable: tuple[str, ...] = ()) -> Registry:
    return Registry.load(external=external, local_files=local_files, disable=("musterroll", *disable))


def error_of(registry: Registry, use: str) -> MusterrollError:
    with pytest.raises(MusterrollError) as caught:
        registry.find("reader", use)
    return caught.value


def line_of(registry: Registry, plugin: str) -> Listing:
    (line,) = (line for line in registry.listing() if line.plugin == plugin)
    return line


def test_installed_plugins_are_found_and_listed(site: Site) -> None:
    site.install("acme-plugins", "2.1", tables=reader("acme-table", "Tables of Acme"))
    registry = load()
    assert registry.find("reader", "acme-table").summary == "Tables of Acme"
    assert line_of(registry, "tables") == Listing(
        kind="reader",
        name="acme-table",
        summary="Tables of Acme",
        plugin="tables",
        distribution="acme-plugins",
        version="2.1",
        status=PluginStatus.OK,
    )


def test_the_built_in_plugins_are_found_as_a_strangers_would_be() -> None:
    registry = Registry.load()
    built_in = [line for line in registry.listing() if line.distribution == "musterroll"]
    assert {line.kind for line in built_in} >= {"reader", "validator", "group_resolver", "user_backend"}
    assert [name for name in (p.component.name for p in registry.components("validator")) if name == "email"]


def test_the_order_of_installation_makes_no_difference(site: Site) -> None:
    site.install("other", b=reader("b"), a=reader("a"))
    site.install("acme", z=reader("z"))
    lines = [line.name for line in load().listing() if line.kind]
    assert lines == ["a", "b", "z"]
    assert [plugin.name for plugin in load().plugins] == ["z", "a", "b"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def :", "line 1 is not Python: invalid syntax"),
        ("import no_such_module", 'it needs the module "no_such_module", which is not installed'),
        ("raise ValueError('two\\nlines')", "ValueError: two lines"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        (
            IMPORTS + "@hookimpl\ndef musterroll_readers(config): yield",
            "its hooks must take no argument: Argument(s) {'config'} are declared",
        ),
        (
            IMPORTS + "@hookimpl\ndef musterroll_readers():\n    yield 1\n    raise KeyError('x')",
            "musterroll_readers should yield records, and did not: KeyError: 'x'",
        ),
        (IMPORTS + "@hookimpl\ndef musterroll_readers(): pass", "musterroll_readers should yield records, and did not"),
        (
            IMPORTS + "@hookimpl\ndef musterroll_readers(): yield 'csv'",
            "musterroll_readers: a ReaderType was expected, not str",
        ),
        (
            IMPORTS + "@hookimpl\ndef musterroll_readers(): yield ReaderType",
            "musterroll_readers: a ReaderType was expected, not type",
        ),
        (
            reader("x").replace("musterroll_readers", "musterroll_notifiers"),
            "musterroll_notifiers: a NotifierType was expected, not ReaderType",
        ),
        (reader("Big Name"), "musterroll_readers: the name 'Big Name' should be lower-case letters"),
        (reader("x").replace("options=Options", "options=dict"), "should be a subclass of musterroll.Options"),
        (
            reader("x")
            .replace("@hookimpl", "class Of(Options):\n    x: object()\n\n@hookimpl")
            .replace("=Options", "=Of"),
            'musterroll_readers: the options of "x" cannot be checked: ',
        ),
        (reader("x").replace("build=print", "build=None"), 'the `build` of "x" cannot be called'),
        (reader("x").replace("@hookimpl\n", ""), "musterroll_readers lacks the decorator @hookimpl"),
    ],
)
def test_a_broken_plugin_is_named_and_harms_no_other(site: Site, text: str, said: str) -> None:
    site.install("acme", bad=text)
    site.install("other", good=reader("good"))
    registry = load()
    bad = line_of(registry, "bad")
    assert (bad.kind, bad.name, bad.distribution, bad.version, bad.status) == (None, None, "acme", "1.0", "broken")
    assert said in (bad.detail or "")
    assert "\n" not in (bad.detail or "")
    assert registry.find("reader", "good")


def test_a_misspelt_hook_is_named_with_the_nearest(site: Site) -> None:
    site.install("acme", odd=reader("x") + "\n@hookimpl\ndef musterroll_validatorz():\n    yield\n")
    registry = load()
    assert registry.find("reader", "x")
    (fault,) = (fault for fault in registry.faults if fault.status is PluginStatus.MISSPELT)
    assert str(fault) == (
        'the plugin "odd" (acme 1.0) has a misspelt hook: '
        'there is no hook musterroll_validatorz, did you mean "musterroll_validators"?'
    )


def test_one_module_under_two_names_counts_once(site: Site) -> None:
    site.install("acme", one=reader("x"))
    site.entry_points("acme", "[musterroll]\none = acme_one\ntwo = acme_one")
    registry = load()
    assert registry.find("reader", "x")
    assert line_of(registry, "two").detail == "the same module is a plugin under another name already"


class TestDamagedDistributions:
    def test_entry_points_that_cannot_be_read(self, site: Site) -> None:
        site.install("acme")
        site.entry_points("acme", "[musterroll]\nno equals sign")
        site.install("other", good=reader("good"))
        registry = load()
        assert registry.find("reader", "good")
        assert line_of(registry, "acme").status == "broken"

    def test_metadata_without_a_name(self, site: Site) -> None:
        site.install("acme", metadata="Metadata-Version: 2.1\n", bad=reader("bad"))
        site.install("other", good=reader("good"))
        registry = load()
        assert registry.find("reader", "good")
        assert line_of(registry, "?").detail == "its metadata is damaged"

    def test_an_entry_point_to_nowhere(self, site: Site) -> None:
        site.install("acme", good=reader("good"))
        site.entry_points("acme", "[musterroll]\ngood = acme_good\nbad = acme_good:nothing\nworse = a b c")
        registry = load()
        assert registry.find("reader", "good")
        assert [line_of(registry, name).status for name in ("bad", "worse")] == ["broken", "broken"]

    def test_the_first_of_two_copies_counts(self, site: Site, tmp_path: Path) -> None:
        site.install("acme", "2.0", one=reader("x"))
        behind = tmp_path / "behind"
        behind.mkdir()
        sys.path.append(str(behind))
        try:
            Site(behind).install("Acme", "1.0", one=reader("x"))
            assert line_of(load(), "one").version == "2.0"
        finally:
            sys.path.remove(str(behind))


class TestLocalFiles:
    def test_their_content_is_hashed(self, local: Callable[[str, str], Path]) -> None:
        path = local("own.py", reader("own"))
        (first,) = load(path).plugins
        assert (first.name, first.path, first.distribution) == ("own", path, None)
        assert load(path).plugins == (first,)
        local("own.py", reader("own") + "# changed")
        assert load(path).plugins[0].sha256 != first.sha256

    def test_they_are_modules_while_they_run(self, local: Callable[[str, str], Path]) -> None:
        text = "import sys, dataclasses\nassert sys.modules[__name__].__file__ == __file__\n"
        text += "@dataclasses.dataclass\nclass Part:\n    number: 'int'\n"
        path = local("own.py", text + reader("own"))
        assert load(path).find("reader", "own")
        assert not [entry for entry in path.parent.iterdir() if entry.name == "__pycache__"]

    def test_two_of_one_name_are_two(self, local: Callable[[str, str], Path]) -> None:
        registry = load(local("a/own.py", reader("a")), local("b/own.py", reader("b")))
        assert [p.component.name for p in registry.components("reader")] == ["a", "b"]

    def test_the_same_twice_is_one(self, local: Callable[[str, str], Path]) -> None:
        path = local("a/own.py", reader("a"))
        assert load(path, path.parent / ".." / "a" / "own.py").find("reader", "a")

    @pytest.mark.parametrize("neighbour", ["beside.py", "beside/__init__.py"])
    def test_one_that_imports_its_neighbour_is_told_what_to_do(
        self, neighbour: str, local: Callable[[str, str], Path]
    ) -> None:
        local(neighbour, "")
        (fault,) = (one for one in load(local("own.py", "import beside")).faults if one.status is PluginStatus.BROKEN)
        assert 'it needs "beside" beside it, and a plugin file cannot import its neighbours; make' in str(fault)

    def test_a_broken_one_leaves_no_module_behind(self, local: Callable[[str, str], Path]) -> None:
        before = set(sys.modules)
        load(local("own.py", "1 / 0"))
        assert set(sys.modules) == before

    def test_they_stay_without_external_plugins(self, site: Site, local: Callable[[str, str], Path]) -> None:
        site.install("acme", theirs="raise SystemExit")
        registry = Registry.load(external=False, local_files=[local("own.py", reader("own"))])
        assert registry.find("reader", "own")
        assert registry.find("validator", "email")
        theirs = line_of(registry, "theirs")
        assert (theirs.status, theirs.detail) == ("disabled", "by --no-external-plugins")


class TestConflicts:
    @pytest.fixture
    def registry(self, site: Site, local: Callable[[str, str], Path]) -> Registry:
        site.install("acme-plugins", "2.1", one=reader("csv", "of Acme"))
        site.install("other", "0.3", two=reader("csv", "of others"), three=reader("tsv"))
        return load(local("own.py", reader("csv", "own")))

    def test_the_bare_name_names_every_provider(self, registry: Registry) -> None:
        error = error_of(registry, "csv")
        assert error.code == "plugin.conflict"
        assert '"one" (acme-plugins 2.1), "two" (other 0.3), "own" (the file ' in error.message
        assert 'write "acme-plugins:csv" or "other:csv" or "own:csv"' in error.message
        assert [line.status for line in registry.listing() if line.name == "csv"] == ["conflict"] * 3
        assert [p.component.name for p in registry.components("reader")] == ["tsv"]

    @pytest.mark.parametrize(
        ("use", "summary"),
        [
            ("acme-plugins:csv", "of Acme"),
            ("Acme_Plugins:csv", "of Acme"),
            ("one:csv", "of Acme"),
            ("other:csv", "of others"),
            ("own:csv", "own"),
        ],
    )
    def test_distribution_or_plugin_settle_it(self, registry: Registry, use: str, summary: str) -> None:
        assert registry.find("reader", use).summary == summary

    def test_a_wrong_qualifier_is_told_who_brings_it(self, registry: Registry) -> None:
        assert '"three" brings no reader "csv"; it comes from "one" (acme-plugins 2.1)' in str(
            error_of(registry, "three:csv")
        )

    def test_disabling_settles_it_too(self, site: Site) -> None:
        site.install("acme-plugins", "2.1", one=reader("csv", "of Acme"))
        site.install("other", "0.3", two=reader("csv", "of others"))
        assert load(disable=("acme_plugins",)).find("reader", "csv").summary == "of others"
        assert load(disable=("two",)).find("reader", "csv").summary == "of Acme"


class TestUnknown:
    def test_a_near_name_is_suggested(self, site: Site) -> None:
        site.install("acme", one=reader("acme-table"))
        error = error_of(load(), "acme-tabel")
        assert (error.code, error.message) == (
            "plugin.unknown",
            'unknown reader "acme-tabel", did you mean "acme-table"?',
        )

    def test_a_disabled_plugin_of_that_name_is_mentioned(self, site: Site) -> None:
        site.install("acme", table="raise SystemExit")
        message = str(error_of(load(disable=("table",)), "table"))
        assert 'perhaps because the plugin "table" (acme 1.0) is disabled: by the pipeline\'s `disable`' in message

    def test_a_broken_plugin_that_might_have_brought_it_is_mentioned(self, site: Site) -> None:
        site.install("acme", one="1 / 0", two=reader("x").replace("readers", "notifiers"))
        message = str(error_of(load(), "table"))
        assert message == 'unknown reader "table", or it belongs to a plugin that is broken: "one" (acme 1.0)'

    def test_another_kind_of_that_name_is_mentioned(self) -> None:
        assert str(error_of(Registry.load(), "email")).startswith('unknown reader "email", it is a validator')

    def test_otherwise_the_known_ones_are_listed(self, site: Site) -> None:
        site.install("acme", one=reader("a-table"), two=reader("b-table"))
        collector = Collector()
        collector.providers += load().components("reader")
        assert str(error_of(Registry(collector), "zzz")) == 'unknown reader "zzz", known ones: a-table, b-table'


class TestLatePlugins:
    """Plugins whose entry points say what they bring."""

    def test_they_are_imported_when_it_is_used(self, site: Site) -> None:
        site.install("acme", table=reader("table"), sheet=reader("sheet"))
        site.entry_points("acme", "[musterroll.readers]\ntable = acme_table\nsheet = acme_sheet")
        registry = load()
        assert not {"acme_table", "acme_sheet"} & set(sys.modules)
        assert registry.is_known("table")
        assert registry.find("reader", "table").name == "table"
        assert {"acme_table", "acme_sheet"} & set(sys.modules) == {"acme_table"}
        with pytest.raises(MusterrollError, match=r'unknown notifier "sheet", it is a reader'):
            registry.find("notifier", "sheet")
        assert [one.component.name for one in load().components("reader")] == ["sheet", "table"]

    def test_one_name_that_several_bring_is_a_conflict_all_the_same(self, site: Site) -> None:
        site.install("acme", one=reader("table"))
        site.install("other", table=reader("table"))
        site.entry_points("other", "[musterroll.readers]\ntable = other_table")
        message = 'several plugins bring the reader "table": "one" (acme 1.0), "table" (other 1.0)'
        assert str(error_of(load(), "table")).startswith(message)

    def test_one_module_may_bring_several(self, site: Site) -> None:
        another = "    yield ReaderType(name='sheet', summary='', options=Options, build=print)\n"
        site.install("acme", both=reader("table") + another)
        site.entry_points("acme", "[musterroll.readers]\ntable = acme_both\nsheet = acme_both")
        listed = [(line.name, line.status) for line in load().listing() if line.distribution == "acme"]
        assert listed == [("sheet", PluginStatus.OK), ("table", PluginStatus.OK)]

    def test_one_that_brings_something_else_is_broken(self, site: Site) -> None:
        site.install("acme", table=reader("sheet"))
        site.entry_points("acme", "[musterroll.readers]\ntable = acme_table")
        registry = load()
        assert all(fault.status is PluginStatus.DISABLED for fault in registry.faults)
        expected = 'its entry point says that it brings the reader "table", and it does not'
        assert expected in str(error_of(registry, "table"))
        assert [fault.detail for fault in registry.faults if fault.status is PluginStatus.BROKEN] == [expected]

    def test_one_that_cannot_be_imported_is_named_when_it_is_asked_for(self, site: Site) -> None:
        site.install("acme", table="1 / 0")
        site.entry_points("acme", "[musterroll.readers]\ntable = acme_table")
        registry = load()
        assert "division by zero" in str(error_of(registry, "table"))
        assert [line.status for line in load().listing() if line.plugin == "table"] == [PluginStatus.BROKEN]

    def test_one_that_is_left_out_stays_out(self, site: Site) -> None:
        site.install("acme", table=reader("table"))
        site.entry_points("acme", "[musterroll.readers]\ntable = acme_table")
        registry = Registry.load(disable=["table"])
        assert "disabled" in str(error_of(registry, "table"))
        assert "acme_table" not in sys.modules


def test_every_kind_can_be_looked_up() -> None:
    registry = load()
    for kind in KINDS:
        with pytest.raises(MusterrollError, match="unknown"):
            registry.find(kind, "no-such-thing")
