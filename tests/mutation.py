"""Would anybody notice? Each comparison and number of the rules is changed, one at a time, and the tests must fail.

`python -m tests.mutation [module …]` makes the mutants of every module in TARGETS (or of those named), runs the tests
that call what was changed, and prints what survived. A mutant changes one comparison operator to its neighbour, one
number by one up or down, one `and` to `or` or back, or takes one `not` away. What can't make a difference stands in
tests/mutation_equivalents.py with its reason, and is not run.

The tests are collected once. Each mutant then has a process of its own, forked from there, in which the functions of
the module get the mutant's code. It is no part of `make test`: `make mutants`.
"""

import argparse
import ast
import inspect
import os
import pickle
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib import import_module
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import TypeVar

import hypothesis
import pytest

from tests.mutation_equivalents import EQUIVALENT

Found = TypeVar("Found")

ROOT = Path(__file__).parent.parent
DOMAIN = ROOT / "service" / "domain"
GOAL = 0.95
SECONDS = 60
"""A mutant that runs for so long has lost its way, which somebody would notice."""
TARGETS = (
    *sorted(f"signals.{file.stem}" for file in (DOMAIN / "signals").glob("*.py")),
    "index",
    "metrics",
    "cadence",
)
TESTS = (
    *sorted(str(file) for file in (ROOT / "tests" / "domain").glob("test_signals_*.py")),
    *(
        str(ROOT / "tests" / "domain" / f"test_{name}.py")
        for name in ("index", "course", "index_edges", "course", "ranking")
    ),
)
COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


# --- making


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """One module with one thing in it changed."""

    module: str
    line: int
    was: str
    now: str
    function: str | None
    """The outermost function or method that it is in, `Class.method`; None where it is in none."""
    tree: ast.Module = field(repr=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """What stays the same when lines move."""
        return self.module, self.was, self.now


def mutants_of(module: str) -> Iterator[Mutant]:
    source = path_of(module).read_text(encoding="utf-8")
    tree = ast.parse(source)
    for place, (node, function) in enumerate(_expressions(tree)):
        for number in range(_ways(node)):
            changed = deepcopy(tree)
            target = list(_expressions(changed))[place][0]
            new = _change(target, number)
            if new is not target:
                _put(changed, target, new)
            was, now = _lines(source, node, ast.unparse(new))
            yield Mutant(
                module=module,
                line=node.lineno,
                was=was,
                now=now,
                function=function,
                tree=ast.fix_missing_locations(changed),
            )


def unchanged(module: str) -> Mutant:
    tree = ast.parse(path_of(module).read_text(encoding="utf-8"))
    return Mutant(module=module, line=0, was="", now="", function=None, tree=tree)


def path_of(module: str) -> Path:
    return DOMAIN / f"{module.replace('.', '/')}.py"


def _expressions(node: ast.AST, inside: str = "", function: str | None = None) -> Iterator[tuple[ast.expr, str | None]]:
    """Every expression with its function, in order of source; annotations are none."""
    if isinstance(node, ast.expr):
        yield node, function
    if isinstance(node, ast.ClassDef) and function is None:
        inside = f"{inside}{node.name}."
    if isinstance(node, ast.FunctionDef) and function is None:
        function = f"{inside}{node.name}"
    for name, value in ast.iter_fields(node):
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and name not in {"annotation", "returns"}:
                yield from _expressions(child, inside, function)


def _ways(node: ast.expr) -> int:
    match node:
        case ast.Compare():
            return len(node.ops)
        case ast.Constant(value=int() | float() as value):
            return 0 if isinstance(value, bool) else 2
        case ast.BoolOp() | ast.UnaryOp(op=ast.Not()):
            return 1
    return 0


def _change(node: ast.expr, number: int) -> ast.expr:
    """The node, changed in place, or what stands there instead."""
    match node:
        case ast.Compare():
            node.ops[number] = COMPARISONS[type(node.ops[number])]()
        case ast.Constant(value=int() | float() as value):
            node.value = value + (1 if number == 0 else -1)
        case ast.BoolOp():
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        case ast.UnaryOp():
            return node.operand
    return node


def _put(tree: ast.Module, old: ast.expr, new: ast.expr) -> None:
    for node in ast.walk(tree):
        for name, value in ast.iter_fields(node):
            if value is old:
                setattr(node, name, new)
            elif isinstance(value, list):
                value[:] = [new if one is old else one for one in value]


def _lines(source: str, node: ast.expr, new: str) -> tuple[str, str]:
    """The line on which it stands, and how it then reads."""
    lines = source.encode().splitlines()  # positions count bytes
    first, last = lines[node.lineno - 1], lines[(node.end_lineno or node.lineno) - 1]
    changed = first[: node.col_offset] + new.encode() + last[node.end_col_offset :]
    return first.decode().strip(), changed.decode().strip()


# --- taking the module's place


def take_the_place(mutant: Mutant) -> bool:
    """Give the loaded module the mutant's code, wherever its functions are already known."""
    module = import_module(f"service.domain.{mutant.module}".removesuffix(".__init__"))
    other = ModuleType(module.__name__)
    other.__dict__.update(__file__=module.__file__, __package__=module.__package__)
    exec(compile(mutant.tree, str(path_of(mutant.module)), "exec"), other.__dict__)
    changed = dict(_functions(other))
    for name, function in _functions(module):
        function.__code__ = changed[name].__code__
        function.__defaults__, function.__kwdefaults__ = changed[name].__defaults__, changed[name].__kwdefaults__
    for name, value in vars(other).items():
        if not name.startswith("__") and not callable(value) and not isinstance(value, ModuleType):
            _set_everywhere(name, vars(module).get(name), value)
    return True


def _set_everywhere(name: str, was: object, now: object) -> None:
    """A number that others have imported by name is theirs too."""
    for module in list(sys.modules.values()):
        if getattr(module, "__name__", "").startswith("service.domain") and vars(module).get(name) == was != now:
            setattr(module, name, now)


def _functions(module: ModuleType) -> Iterator[tuple[str, FunctionType]]:
    """Every function and method that the module defines, by `name` or `Class.name`."""
    for name, value in vars(module).items():
        if getattr(value, "__module__", None) != module.__name__:
            continue
        members = vars(value).items() if inspect.isclass(value) else [("", value)]
        for member, one in members:
            plain = _plain(one)
            if plain is not None and plain.__code__.co_filename == module.__file__:
                yield f"{name}.{member}".rstrip("."), plain


def _plain(one: object) -> FunctionType | None:
    if isinstance(one, property):
        one = one.fget
    elif isinstance(one, cached_property):
        one = one.func
    one = inspect.unwrap(one) if callable(one) else one
    return one if isinstance(one, FunctionType) else None


# --- running


@dataclass(kw_only=True)
class Hunt:
    """A pytest plug-in that runs the collected tests once for each mutant, in place of running them."""

    modules: Sequence[str]
    made: int = 0
    left_out: set[tuple[str, str, str]] = field(default_factory=set)
    survivors: list[Mutant] = field(default_factory=list)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        callers = in_a_child(lambda: _callers(session))
        if callers is None:
            raise SystemExit("The tests fail without any mutant.")
        for module in self.modules:
            if not in_a_child(partial(take_the_place, unchanged(module))):
                raise SystemExit(f"{module} can't be replaced; was it changed in the meantime?")
            all_of_them = list(mutants_of(module))
            self.left_out |= {one.key for one in all_of_them if one.key in EQUIVALENT}
            mutants = [one for one in all_of_them if one.key not in EQUIVALENT]
            alive = [one for one in mutants if not is_killed(one, session, callers)]
            self.made += len(mutants)
            self.survivors += alive
            print(f"{module:<20} {len(mutants) - len(alive):>4} of {len(mutants):>4} killed", flush=True)
            for one in alive:
                print(f"    {one.line:>4}  {one.was}\n          → {one.now}", flush=True)
        return True


Callers = Mapping[tuple[str, str], list[int]]
"""(file, function) → the places of the tests that call it."""


def _callers(session: pytest.Session) -> Callers:
    """Run all tests as they are, and see what each calls; the quickest come first."""
    found: dict[tuple[str, str], list[int]] = {}
    seconds: dict[int, float] = {}
    files = {str(path_of(module)) for module in TARGETS}
    for place, item in enumerate(session.items):
        called: set[CodeType] = set()

        def note(frame: FrameType, what: str, _: object, called: set[CodeType] = called) -> None:
            if what == "call" and frame.f_code.co_filename in files:
                called.add(frame.f_code)

        begun = time.perf_counter()
        sys.setprofile(note)
        try:
            _run(session, item)
        finally:
            sys.setprofile(None)
        seconds[place] = time.perf_counter() - begun
        for code in called:
            found.setdefault((code.co_filename, _outermost(code)), []).append(place)
    return {key: sorted(places, key=lambda place: seconds[place]) for key, places in found.items()}


def _outermost(code: CodeType) -> str:
    return code.co_qualname.split(".<locals>")[0]


def _run(session: pytest.Session, item: pytest.Item) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    if session.testsfailed:
        raise AssertionError(item.nodeid)


def is_killed(mutant: Mutant, session: pytest.Session, callers: Callers) -> bool:
    """True where one of the tests that call it fails on it."""
    everywhere = mutant.function is None
    key = str(path_of(mutant.module)), mutant.function or ""
    places = range(len(session.items)) if everywhere else callers.get(key, ())

    def run_all() -> bool:
        take_the_place(mutant)
        for place in places:
            _run(session, session.items[place])
        return True

    return in_a_child(run_all) is None


def in_a_child(work: Callable[[], Found]) -> Found | None:
    """What it finds in a process of its own; None where it breaks, or does not end."""
    mouth, ear = os.pipe()[::-1]
    child = os.fork()
    if child == 0:
        signal.alarm(SECONDS)
        status = 1
        try:
            with Path(os.devnull).open("w") as nowhere:
                os.dup2(nowhere.fileno(), 1)
                os.dup2(nowhere.fileno(), 2)
            told = pickle.dumps(work())
            with os.fdopen(mouth, "wb") as pipe:
                pipe.write(told)
            status = 0
        finally:
            os._exit(status)
    os.close(mouth)
    with os.fdopen(ear, "rb") as pipe:
        told = pipe.read()
    _, status = os.waitpid(child, 0)
    return pickle.loads(told) if status == 0 else None


def main(modules: Sequence[str]) -> int:
    os.chdir(ROOT)
    # Few examples, and always the same ones.
    os.environ.setdefault("EXAMPLES", "10")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    hypothesis.settings.register_profile("mutants", derandomize=True, database=None, deadline=None)
    hypothesis.settings.load_profile("mutants")
    begun = time.perf_counter()
    hunt = Hunt(modules=modules)
    plain = ["-q", "-s", "-c", os.devnull, f"--rootdir={ROOT}", "--import-mode=importlib", "--noconftest"]
    if pytest.main([*plain, "-p", "no:cacheprovider", "--no-summary", *TESTS], plugins=[hunt]) not in (0, 5):
        return 1
    killed = hunt.made - len(hunt.survivors)
    share = killed / hunt.made if hunt.made else 1
    seconds = time.perf_counter() - begun
    print(f"{killed} of {hunt.made} killed ({share:.1%}); {len(hunt.left_out)} equivalent; {seconds:.0f} s")
    stale = [key for key in EQUIVALENT if key[0] in modules and key not in hunt.left_out]
    for module, was, now in stale:
        print(f"No longer there, so to be struck from the list: {module}: {was} → {now}")
    return 0 if share >= GOAL and not stale else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("modules", nargs="*", metavar="module", help=", ".join(TARGETS))
    sys.exit(main(parser.parse_args().modules or TARGETS))
