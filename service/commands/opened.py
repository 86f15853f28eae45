"""The app as the environment describes it, for commands that need the database."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from flask import Flask

from service.app import create_app
from service.config import Settings, WrongSettings
from service.domain.refusals import Refusal


def opened_app() -> Flask:
    """:raises click.ClickException: says every setting that is missing or senseless."""
    try:
        return create_app(Settings.from_env())
    except WrongSettings as reason:
        raise click.ClickException(str(reason)) from None


@contextmanager
def at_hand() -> Iterator[Flask]:
    """The app, and the place to call its use-cases from; a refusal ends the command with its sentence."""
    app = opened_app()
    with app.app_context():
        try:
            yield app
        except Refusal as refusal:
            raise click.ClickException(str(refusal)) from None
