"""Medians of interleaved runs, and the figure that comes of them."""

import gc
import json
import os
import platform
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

RUNS = 7
LATEST = Path(__file__).with_name("latest.json")

Work = Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One goal of the speed table: what we reach, what the peer or floor reaches, and whether that is enough.

    With a peer, the goal is about `ours / peer`; without, about `ours` itself.
    """

    id: str
    what: str
    ours: float
    unit: str
    peer: float | None = None
    peer_name: str = ""
    at_least: float | None = None
    at_most: float | None = None

    @property
    def value(self) -> float:
        return self.ours if self.peer is None else self.ours / self.peer

    @property
    def goal(self) -> str:
        sign, bound = ("≥", self.at_least) if self.at_least is not None else ("≤", self.at_most)
        return f"{sign} {bound:g} {'×' if self.peer is not None else self.unit}"

    @property
    def is_reached(self) -> bool:
        enough = self.at_least is None or self.value >= self.at_least
        return enough and (self.at_most is None or self.value <= self.at_most)

    def as_row(self) -> dict[str, object]:
        ratio = None if self.peer is None else round(self.value, 3)
        return {**asdict(self), "ratio": ratio, "goal": self.goal, "reached": self.is_reached}


def seconds_of(*works: Work, runs: int = RUNS) -> tuple[float, ...]:
    """The median time of each, in seconds.

    They take turns, so that a busy moment of the machine slows them alike, and each runs once unmeasured.
    """
    for work in works:
        work()
    rounds = [[_seconds(work) for work in works] for _ in range(runs)]
    return tuple(median(times) for times in zip(*rounds, strict=True))


def _seconds(work: Work) -> float:
    gc.collect()
    begun = perf_counter()
    work()
    return perf_counter() - begun


def show(figures: Iterable[Figure]) -> None:
    """One line a figure."""
    for figure in figures:
        peer = "" if figure.peer is None else f"{figure.peer_name} {figure.peer:,.3g}, ratio {figure.value:.2f}"
        verdict = "reached" if figure.is_reached else "MISSED"
        ours = f"{figure.ours:,.3g} {figure.unit}"
        print(f"{figure.id:<6} {verdict:<8} goal {figure.goal:<12} ours {ours:<14} {peer:<44} {figure.what}")


def keep(figures: Sequence[Figure], latest: Path = LATEST) -> None:
    """Write the rows into `latest.json`, in the place of rows of the same id."""
    kept = json.loads(latest.read_text(encoding="utf-8"))["figures"] if latest.exists() else []
    measured = {"measured_at": datetime.now(UTC).isoformat(timespec="seconds")}
    rows = {row["id"]: row for row in kept} | {figure.id: figure.as_row() | measured for figure in figures}
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
    page = {"machine": machine, "figures": [rows[key] for key in sorted(rows)]}
    latest.write_text(json.dumps(page, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
