"""The `samehour` command: one module per thing it can be asked, loaded only when it is.

`samehour assess FILE` must stay light, so nothing here imports Flask, SQLAlchemy or another command.
"""

from importlib import import_module

import click

COMMANDS = {
    "up": ("up", "Start everything on this machine: Redis, web, worker, sweeper."),
    "init": ("init", "Make the keys if they are missing and bring the database to the newest schema."),
    "demo": ("demo", "Fill an empty database with an invented clinic."),
    "import": ("import_", "Take over a calendar (.ics) or a list of appointments (.csv)."),
    "assess": ("assess", "Read one course file and say where its consistency is at risk."),
    "scan": ("scan", "Look at the courses whose time has come, or at all of them, now."),
    "doctor": ("doctor", "Check the whole database against the rules it must keep."),
    "backup": ("backup", "Copy the database while it is in use."),
    "restore": ("restore", "Put a backup in the place of the database."),
    "outbox": ("outbox", "Show messages that wait or failed, and try them again."),
    "people": ("people", "Add people, change their roles, and make sign-in links."),
    "links": ("links", "Print one sign-in link per role."),
    "openapi": ("openapi", "Print the OpenAPI document of the JSON API."),
    "timezones": ("timezones", "Put the hours to come where a new time-zone law says; their local times stay."),
    "feeds": ("feeds", "List, make and revoke calendar feeds."),
    "outside": ("outside", "List the calendars that therapists live by elsewhere, and have them read."),
}


class _OnDemand(click.Group):
    """A group that imports a command's module when the command is called, and not to list it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"service.commands.{COMMANDS[cmd_name][0]}")
        return next(it for it in vars(module).values() if isinstance(it, click.Command) and it.name == cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in COMMANDS.items()])


@click.command(cls=_OnDemand)
@click.version_option(package_name="samehour")
def main() -> None:
    """Standing appointments, kept at the same hour, with the same person, in the same place."""
