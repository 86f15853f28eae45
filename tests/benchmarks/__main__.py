"""`python -m tests.benchmarks [p1 p2 …]`: run the benchmarks, print the figures, keep them in `latest.json`."""

import sys
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from tests.benchmarks.measure import Figure, keep, show


def main(asked_for: Iterable[str]) -> None:
    names = sorted(path.stem for path in Path(__file__).parent.glob("p[0-9]*.py"))
    wanted = set(asked_for)
    for name in names:
        if not wanted or name.split("_")[0] in wanted or name in wanted:
            figures = _figures_of(name)
            show(figures)
            keep(figures)


def _figures_of(name: str) -> list[Figure]:
    made = import_module(f"tests.benchmarks.{name}").run()
    return [made] if isinstance(made, Figure) else list(made)


if __name__ == "__main__":
    main(sys.argv[1:])
