"""`samehour openapi`: what the JSON API can be asked, for whoever writes a program against it."""

import base64

import click

from service.api.document import as_text
from service.app import create_app
from service.config import Settings


@click.command("openapi")
def openapi() -> None:
    """Print the OpenAPI document. It is the same for every clinic, so no settings and no database are needed."""
    click.echo(as_text(create_app(_any_settings())), nl=False)


def _any_settings() -> Settings:
    nothing = bytes(32)
    return Settings.from_env(
        {
            "SAMEHOUR_DATABASE_URL": "sqlite://",
            "SAMEHOUR_SECRET_KEY": nothing.hex(),
            "SAMEHOUR_KEYS": f"none:{base64.b64encode(nothing).decode()}",
        }
    )
