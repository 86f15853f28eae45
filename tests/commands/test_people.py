"""`samehour people`, run as a person would."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import samehour


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    samehour("init", data_dir=tmp_path)
    return tmp_path


def test_the_first_admin_gets_a_way_in(installation: Path) -> None:
    printed = samehour(
        "people", "add", "--name", "Kim", "--email", "Kim@clinic.example", "--role", "admin", data_dir=installation
    )
    assert "http://127.0.0.1:8000/sign-in/" in printed
    assert "kim@clinic.example" in samehour("people", "list", data_dir=installation)
    assert "/sign-in/" in samehour("people", "link", "kim@clinic.example", data_dir=installation)
    samehour("people", "disable", "kim@clinic.example", data_dir=installation)
    assert "(disabled)" in samehour("people", "list", data_dir=installation)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["link", "nobody@clinic.example"], "no such user"),
        (["disable", "nobody@clinic.example"], "no user with that address"),
        (["add", "--name", "Kim", "--email", "kim", "--role", "admin"], "not an e-mail address"),
        (["add", "--name", "Kim", "--email", "k@c.example", "--role", "therapist", "--therapist", "X"], "no therapist"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(installation: Path, arguments: list[str], words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "service.commands", "people", *arguments],
        env={"SAMEHOUR_DATA": str(installation), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
