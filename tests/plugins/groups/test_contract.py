"""Every built-in group resolver keeps the published contract."""

from __future__ import annotations

from typing import ClassVar

from musterroll import Field, GroupResolver
from musterroll.testing import GroupResolverContract, build_group_resolver, make_context
from musterroll_plugins.groups import mapping, paths


class TestPaths(GroupResolverContract):
    row: ClassVar = {"groups": "Region|North;Sales \\; Marketing"}
    groups = frozenset({("Region", "North"), ("Sales ; Marketing",)})

    def resolver(self) -> GroupResolver:
        return build_group_resolver(paths, "paths")


class TestMapping(GroupResolverContract):
    row: ClassVar = {"site": "north"}
    groups = frozenset({("Region", "North"), ("Staff",)})

    def resolver(self) -> GroupResolver:
        site = make_context(Field(name="site", heading="Site"))
        return build_group_resolver(mapping, "mapping", site, field="site", groups={"North": "Region|North;Staff"})
