"""The doctor: does the whole database keep the rules it must keep?"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from service.domain import access
from service.domain.access import Actor, Role
from service.store import examination
from service.store.examination import Finding as Finding
from service.store.transaction import reading


@dataclass(frozen=True, kw_only=True)
class Report:
    """What was looked at, and what of it is not as it must be."""

    findings: tuple[Finding, ...]
    counted: Mapping[str, int]

    @property
    def is_sound(self) -> bool:
        return not self.findings


@reading
def examine(db: Session, *, by: Actor, now: datetime) -> Report:
    """Look at everything as of one moment, also while people work. Changes nothing.

    :raises Forbidden: admins and the command line do that.
    """
    access.require(by, Role.ADMIN, to_change=False)
    if db.get_bind().dialect.name == "postgresql":
        # Else each query sees another moment, and a booking made in between looks like a fault.
        db.connection(execution_options={"isolation_level": "REPEATABLE READ"})
    findings = tuple(examination.examine(db, now=now))
    counted = {} if any(one.rule.startswith("schema") for one in findings) else examination.counted(db)
    return Report(findings=findings, counted=counted)
