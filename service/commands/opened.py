"""The app as the environment describes it, for commands that need the database."""

import click
from flask import Flask

from service.app import create_app
from service.config import Settings, WrongSettings


def opened_app() -> Flask:
    """:raises click.ClickException: says every setting that is missing or senseless."""
    try:
        return create_app(Settings.from_env())
    except WrongSettings as reason:
        raise click.ClickException(str(reason)) from None
