"""The shape of the house, as tables and tests.

Read `MAY_IMPORT` top to bottom: data flows down it and never back up.
"""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ("cluster", "hub", "matchmaking", "window")
# A library with slices keeps the same rules as a service; the services named may build on it.
SLICED = {"agency": {"window", "cluster"}}
HOUSES = (*SERVICES, *SLICED)
PACKAGES = [
    ROOT / "libs/common/common",
    ROOT / "libs/reference/reference",
    ROOT / "libs/conformance/conformance",
    ROOT / "libs/hsds/hsds",
    *(ROOT / f"libs/{name}/{name}" for name in SLICED),
    *(ROOT / f"services/{name}/{name}" for name in SERVICES),
]

# role -> what it may import from its own slice. A file with any other name is pure, like domain.
MAY_IMPORT = {
    "router": {"service", "repository", "schemas", "domain"},
    "consumers": {"service", "domain"},
    "service": {"repository", "domain"},
    "repository": {"tables", "domain"},
    "tables": {"domain"},
    "schemas": {"domain"},
    "domain": {"domain"},
}
# role -> what it may import from another slice of the same service.
MAY_BORROW = {"service": {"service", "domain"}} | {
    role: {"domain"} for role in MAY_IMPORT if role != "service"
}
# role -> the service-level modules it may import; the others are the composition root's.
MAY_REACH_UP = {"router": {"deps"}, "tables": {"db"}}

PURE_COMMON = {"contracts", "digests", "errors", "fields", "ids", "node", "rules"}
IMPURE_STDLIB = {"asyncio", "os", "random", "secrets", "socket", "subprocess", "time", "urllib"}
PURE_LIBS = (sys.stdlib_module_names - IMPURE_STDLIB) | {
    "hsds",
    "numpy",
    "pydantic",
    "pydantic_core",
    "python_calamine",
    "reference",
    "rjieba",
    "scipy",
    "tantivy",
    "usearch",
    "xlsxwriter",
}
TRANSPORT = {"fastapi", "starlette", "nats"}
BANNED = {"base", "constants", "core", "helpers", "manager", "misc", "models", "types", "util", "utils"}


def house(name):
    return ROOT / (f"services/{name}/{name}" if name in SERVICES else f"libs/{name}/{name}")


MODULES = [
    pytest.param(path, dotted, id=dotted)
    for package in PACKAGES
    for path in sorted(package.rglob("*.py"))
    if "migrations" not in path.parts
    for dotted in [".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")]
]


def imports(path):
    """Every import as (line, full dotted name), however deep in the file it hides."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: relative import; write the full name"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def place(dotted):
    """'window.demands.service.submit' -> ('window', 'demands', 'service'); '' where not in a slice."""
    top, name, role = (*dotted.split("."), "", "")[:3]
    if top not in HOUSES or not (house(top) / name).is_dir() or not name:
        return top, "", ""
    return top, name, role if role in MAY_IMPORT else "domain"


def objection(here, there, name):
    """Why the module at `here` may not import `name`, which lives at `there`, or None."""
    (top, slice_, role), (to, to_slice, to_role) = here, there
    if to in HOUSES and top in ("common", "reference", "hsds", "conformance"):
        return f"{top} knows no service"
    if to in HOUSES and to != top:
        if top not in SLICED.get(to, ()):
            return "services meet only as facts in common.contracts"
        if slice_ and to_slice and to_role not in MAY_BORROW[role]:
            return f"{role} may import only {sorted(MAY_BORROW[role])} of the library"
        return None
    if not slice_:
        return None  # app.py, deps.py, slices.py: the composition root sees everything below it
    if to == top:
        if not to_slice:
            return (
                None
                if name.split(".")[1] in MAY_REACH_UP.get(role, ())
                else "nothing imports the composition root"
            )
        allowed = (MAY_IMPORT if to_slice == slice_ else MAY_BORROW)[role]
        return None if to_role in allowed else f"{role} may import only {sorted(allowed)} there"
    if role == "domain":
        if to == "common":
            return (
                None
                if name.split(".")[1] in PURE_COMMON
                else f"pure code uses only common.{sorted(PURE_COMMON)}"
            )
        return None if to in PURE_LIBS else "pure code does no IO and reads no clock"
    if role not in {"router", "consumers"} and to in TRANSPORT:
        return "only router and consumers know how a call arrived"
    return None


@pytest.mark.parametrize(("path", "dotted"), MODULES)
def test_imports_flow_one_way(path, dotted):
    here = place(dotted)
    found = [(line, name, objection(here, place(name), name)) for line, name in imports(path)]
    wrong = [f"{path.relative_to(ROOT)}:{line}: {name}: {why}" for line, name, why in found if why]
    assert not wrong, "\n" + "\n".join(wrong)


@pytest.mark.parametrize("service", HOUSES)
def test_slices_form_no_cycle(service):
    graph: dict[str, set[str]] = {}
    for path, dotted in (param.values for param in MODULES):
        top, slice_, _ = place(dotted)
        if top == service and slice_:
            targets = {place(name) for _, name in imports(path)}
            graph.setdefault(slice_, set()).update(
                s for t, s, _ in targets if t == service and s not in ("", slice_)
            )
    assert graph, f"{service} has no slices"
    TopologicalSorter(graph).prepare()  # raises CycleError naming the slices


@pytest.mark.parametrize(("path", "dotted"), MODULES)
def test_no_junk_drawer_and_no_long_file(path, dotted):
    assert path.stem not in BANNED, f"{dotted}: name the thing, not the drawer"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400, (
        f"{dotted}: split the noun, not the layer"
    )


def test_the_rules_object_to_what_they_should():
    """The tables above would also pass if `objection` always said None."""
    assert objection(("window", "demands", "domain"), ("asyncio", "", ""), "asyncio")
    assert objection(
        ("window", "demands", "router"), ("window", "demands", "tables"), "window.demands.tables"
    )
    assert objection(("window", "demands", "service"), ("hub", "cases", "service"), "hub.cases.service")
    assert objection(("common", "", ""), ("hub", "", ""), "hub.app")
    assert objection(
        ("hub", "cases", "service"), ("agency", "providers", "service"), "agency.providers.service"
    )
    assert objection(("window", "demands", "domain"), ("common", "", ""), "common.db")
    assert objection(("window", "demands", "service"), ("fastapi", "", ""), "fastapi.Request")
