"""`samehour assess COURSE.json|-`: one course in, its index and signals out, as JSON.

It needs no database and no server: it is how a clinician checks a rule, and how a bug is reported without client data.
"""

import json
import sys
from typing import BinaryIO

import click

from service.domain.limits import Limits
from service.domain.refusals import Malformed
from service.files import course_file

REFUSED = 2


@click.command()
@click.argument("course", type=click.File("rb"), required=False)
@click.option("--lines", is_flag=True, help="Read one course a line and answer one line each, in order.")
@click.option("--schema", is_flag=True, help="Print the form of a course file as JSON Schema.")
def assess(course: BinaryIO | None, lines: bool, schema: bool) -> None:
    """Read one course file (- for standard input) and print its index and signals as of its `now`."""
    if schema:
        click.echo(schema_text(), nl=False)
    elif course is None:
        raise click.UsageError("Name a course file, or - for standard input.")
    elif lines:
        _answer_lines(course)
    else:
        _answer_one(course.read())


def schema_text() -> str:
    """What docs/course.schema.json holds."""
    return json.dumps(course_file.schema(), indent=2, ensure_ascii=False) + "\n"


def _answer_one(data: bytes) -> None:
    try:
        answer = _judge(data)
    except Malformed as refusal:
        click.echo(_in_words(refusal), err=True)
        sys.exit(REFUSED)
    click.echo(json.dumps(answer, indent=2, ensure_ascii=False))


def _answer_lines(lines: BinaryIO) -> None:
    for line in lines:
        try:
            answer = _judge(line)
        except Malformed as refusal:
            answer = {"error": _in_words(refusal)}
        click.echo(json.dumps(answer, ensure_ascii=False))


def _judge(data: bytes) -> dict[str, object]:
    return course_file.judge(course_file.parse(data), limits=Limits())


def _in_words(refusal: Malformed) -> str:
    return f"{refusal.where}: {refusal}" if refusal.where else str(refusal)
