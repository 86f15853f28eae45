"""A clinic and its readers, for tests of pages."""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from itsdangerous import Signer

from service import clock
from service.app import create_app
from service.config import Settings
from service.domain.access import Role
from service.store.base import db
from service.usecases import people
from tests.clinic import Clinic, small_clinic, way_in
from tests.conftest import variables

if TYPE_CHECKING:
    from flask import Flask
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse


@pytest.fixture(scope="module")
def now() -> datetime:
    return clock.now()


@pytest.fixture(scope="module")
def filled(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory, now: datetime) -> tuple[Path, Clinic]:
    """A database file with the small clinic in it, to copy from: filling one takes longer than most tests."""
    folder = tmp_path_factory.mktemp("filled")
    file = folder / "samehour.sqlite"
    shutil.copyfile(migrated_sqlite, file)
    app = create_app(Settings.from_env(variables(f"sqlite:///{file}", folder)))
    clinic = small_clinic(app, now=now)
    with app.app_context():
        db.engine.dispose()
    return file, clinic


@pytest.fixture
def database_url(filled: tuple[Path, Clinic], tmp_path: Path) -> str:
    """Pages are the same on both engines; the use-cases behind them are tested on both."""
    file = tmp_path / "samehour.sqlite"
    shutil.copyfile(filled[0], file)
    return f"sqlite:///{file}"


@pytest.fixture
def clinic(filled: tuple[Path, Clinic]) -> Clinic:
    return filled[1]


class Reader:
    """A browser of somebody signed in, that sends the page's token with every form."""

    def __init__(self, app: "Flask", settings: Settings, role: Role, now: datetime) -> None:
        self.browser: FlaskClient = app.test_client()
        with app.app_context():
            secret = people.sign_in_by_link(secret=way_in(app, role, now=now), now=now)
        self.browser.set_cookie("samehour", secret)
        self.settings = settings
        self.secret = secret

    def get(self, path: str) -> "TestResponse":
        return self.browser.get(path)

    def post(self, path: str, **form: object) -> "TestResponse":
        token = Signer(self.settings.secret_key, salt="csrf").get_signature(self.secret).decode()
        return self.browser.post(path, data={"csrf_token": token, **form})


@pytest.fixture
def reader(app: "Flask", settings: Settings, clinic: Clinic, now: datetime) -> Callable[[Role], Reader]:
    return lambda role: Reader(app, settings, role, now)
