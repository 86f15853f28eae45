"""The walls stand: each test plants one fault in a copy of the house and sees the tool refuse it by name.

The control is the copy without the fault, which the same tool passes.
"""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
LEFT_OUT = shutil.ignore_patterns("__pycache__", "node_modules", "vendor", "static")

FLOORS = "The house, floor by floor"
PLAIN_DOMAIN = "The domain is plain Python"
STORE_BEHIND_USECASES = "Only use-cases (and the app, to plug it in) see the store"
WORKERS_ON_TOP = "Workers stand above the house"

NOT_YOURS_TO_READ = [
    ("from datetime import datetime\n\nstarted = datetime.now()\n", "`datetime.datetime.now` is banned: Take `now`"),
    ("import datetime as dt\n\nstarted = dt.datetime.now(dt.UTC)\n", "`datetime.datetime.now` is banned: Take `now`"),
    ("from datetime import datetime\n\nstarted = datetime.utcnow()\n", "`datetime.datetime.utcnow` is banned"),
    ("from datetime import date\n\ntoday = date.today()\n", "`datetime.date.today` is banned: Take `now`"),
    ("from time import time\n\nstarted = time()\n", "`time.time` is banned: Take `now`"),
    ("from flask import current_app\n\nname = current_app.name\n", "`flask.current_app` is banned: Take what you need"),
    ("from datetime import datetime\n\nat = datetime.fromtimestamp(0)\n", "DTZ006"),
    ("from datetime import datetime\n\nat = datetime.now()\n", "DTZ005"),
]

THROUGH_THE_WALL = [
    ("service/domain/planted.py", "import flask\n", PLAIN_DOMAIN, "service.domain is not allowed to import flask"),
    ("service/domain/planted.py", "import logging\n", PLAIN_DOMAIN, "service.domain is not allowed to import logging"),
    ("service/domain/planted.py", "import service.store\n", FLOORS, "service.domain.planted -> service.store"),
    ("service/usecases/planted.py", "import service.clock\n", FLOORS, "service.usecases.planted -> service.clock"),
    ("service/web/planted.py", "import service.store\n", STORE_BEHIND_USECASES, "service.web.planted -> service.store"),
    ("service/api/planted.py", "import service.web\n", FLOORS, "service.api.planted -> service.web"),
    ("service/usecases/planted.py", "import workers\n", WORKERS_ON_TOP, "service.usecases.planted -> workers"),
    ("service/utils.py", "", FLOORS, "service.utils"),
]


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A copy of what the walls enclose, to plant faults in."""
    for room in ("service", "workers"):
        shutil.copytree(HOUSE / room, tmp_path / room, ignore=LEFT_OUT)
    shutil.copy(HOUSE / "pyproject.toml", tmp_path)
    return tmp_path


def run(house: Path, *command: str) -> subprocess.CompletedProcess[str]:
    tool, *arguments = command
    return subprocess.run([str(BIN / tool), *arguments], cwd=house, capture_output=True, text=True, check=False)


def clock_readings(house: Path) -> list[str]:
    """What ruff, as it is configured, says about clocks and banned names: `path:line:column: rule words`."""
    checked = run(house, "ruff", "check", "--no-cache", "--output-format=concise", "service", "workers")
    assert checked.returncode in (0, 1), checked.stderr
    return [line for line in checked.stdout.splitlines() if " TID251 " in line or " DTZ" in line]


def lint_imports(house: Path) -> subprocess.CompletedProcess[str]:
    return run(house, "lint-imports", "--no-cache", "--no-logo")


def test_as_it_stands_nothing_reads_the_clock(house: Path) -> None:
    assert clock_readings(house) == []


@pytest.mark.parametrize(("fault", "words"), NOT_YOURS_TO_READ)
def test_a_usecase_that_reads_the_clock_or_the_app_is_refused(house: Path, fault: str, words: str) -> None:
    (house / "service/usecases/planted.py").write_text(fault, encoding="utf-8")
    refused = [line for line in clock_readings(house) if line.startswith("service/usecases/planted.py:")]
    assert any(words in line for line in refused), refused


def test_the_clock_itself_may(house: Path) -> None:
    """The same line, in the one file where it belongs and next door."""
    for name in ("clock.py", "config.py"):
        reads = "from datetime import UTC, datetime\n\nstarted = datetime.now(UTC)\n"
        (house / "service" / name).write_text(reads, encoding="utf-8")
    readings = clock_readings(house)
    assert not [line for line in readings if line.startswith("service/clock.py:")]
    assert [line for line in readings if line.startswith("service/config.py:")]


def test_as_it_stands_every_wall_is_kept(house: Path) -> None:
    checked = lint_imports(house)
    assert checked.returncode == 0, checked.stdout
    for wall in (FLOORS, PLAIN_DOMAIN, STORE_BEHIND_USECASES, WORKERS_ON_TOP):
        assert f"{wall} KEPT" in checked.stdout


@pytest.mark.parametrize(("where", "fault", "wall", "words"), THROUGH_THE_WALL)
def test_an_import_through_a_wall_is_refused(house: Path, where: str, fault: str, wall: str, words: str) -> None:
    (house / where).write_text(fault, encoding="utf-8")
    checked = lint_imports(house)
    assert checked.returncode == 1
    assert f"{wall} BROKEN" in checked.stdout
    assert words in checked.stdout


def test_the_package_itself_imports_nothing() -> None:
    tree = ast.parse((HOUSE / "service/__init__.py").read_text(encoding="utf-8"))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def loaded_by(program: str) -> set[str]:
    """Which of the heavy libraries a fresh Python has loaded after the program."""
    shows = "; import sys; print(*({'flask', 'sqlalchemy', 'redis', 'numpy'} & set(sys.modules)))"
    shown = subprocess.run(
        [sys.executable, "-c", program + shows], cwd=HOUSE, capture_output=True, text=True, check=True
    )
    return set(shown.stdout.split())


def test_the_whole_domain_loads_without_web_framework_or_database() -> None:
    every_module = (
        "import pkgutil, importlib, service.domain as d;"
        "[importlib.import_module(m.name) for m in pkgutil.walk_packages(d.__path__, 'service.domain.')]"
    )
    assert not loaded_by(every_module) & {"flask", "sqlalchemy", "redis"}
    assert loaded_by("import flask, sqlalchemy") >= {"flask", "sqlalchemy"}
