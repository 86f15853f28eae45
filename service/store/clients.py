"""Clients. What names or reaches a person is sealed; the database alone tells nobody who comes here."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Boolean, Integer, String, Text, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from service.domain.phrase import say
from service.domain.refusals import NotFound
from service.store.base import BigId, Model, PublicId, UtcTime, new_public_id
from service.store.seal import seal


class ClientRow(Model):
    __tablename__ = "clients"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    reference: Mapped[str] = mapped_column(String(40), unique=True)
    """What the clinic files them under; names nobody."""
    name_sealed: Mapped[str] = mapped_column(Text)
    email_sealed: Mapped[str | None] = mapped_column(Text)
    phone_sealed: Mapped[str | None] = mapped_column(Text)
    is_safe_to_contact: Mapped[bool] = mapped_column(Boolean, default=True)
    may_be_mailed: Mapped[bool] = mapped_column(Boolean, default=False)
    """They agreed to mails about their hours. Not safe to contact: nothing is sent all the same."""
    locale: Mapped[str | None] = mapped_column(String(10))
    """How they are written to, `de_AT`; None: as the clinic speaks."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)
    version: Mapped[int] = mapped_column(Integer, default=1, index=True)
    """Rises with every change; the sum over all tells whether any name may have changed."""
    calendar_version: Mapped[int] = mapped_column(Integer, default=1)
    """Rises with every change of what this client's own calendar may show."""

    @property
    def name(self) -> str:
        return seal().open(self.name_sealed, row=self.public_id, column="clients:name")

    @name.setter
    def name(self, name: str) -> None:
        self.name_sealed = seal().close(name, row=self.public_id, column="clients:name")

    @property
    def email(self) -> str | None:
        return self.email_sealed and seal().open(self.email_sealed, row=self.public_id, column="clients:email")

    @email.setter
    def email(self, email: str | None) -> None:
        self.email_sealed = seal().close(email, row=self.public_id, column="clients:email") if email else None

    @property
    def phone(self) -> str | None:
        return self.phone_sealed and seal().open(self.phone_sealed, row=self.public_id, column="clients:phone")

    @phone.setter
    def phone(self, phone: str | None) -> None:
        self.phone_sealed = seal().close(phone, row=self.public_id, column="clients:phone") if phone else None


def get(session: Session, public_id: str) -> ClientRow:
    """:raises NotFound: no such client."""
    row = session.scalar(select(ClientRow).where(ClientRow.public_id == public_id))
    if row is None:
        raise NotFound(say("There is no such client."))
    return row


def by_ids(session: Session, ids: Iterable[int]) -> dict[int, ClientRow]:
    wanted = sorted(set(ids))
    return {row.id: row for row in session.scalars(select(ClientRow).where(ClientRow.id.in_(wanted)))}


_names: dict[str, tuple[object, dict[int, str]]] = {}


def names(session: Session) -> dict[int, str]:
    """Every client's name by inner id: opened once in this process and again when any client changes; never written."""
    # Sums, not the newest time: a change that was made earlier may be committed later.
    version = session.execute(select(func.count(ClientRow.id), func.sum(ClientRow.version))).one()
    place = str(session.get_bind().engine.url)
    known = _names.get(place)
    if known is None or known[0] != tuple(version):
        opened = {row.id: row.name for row in session.scalars(select(ClientRow))}
        known = _names[place] = (tuple(version), opened)
    return known[1]


def initials(name: str) -> str:
    """At most three letters: "Client One" → "CO"."""
    return "".join(part[0] for part in name.split() if part)[:3].upper()


def initials_of(names: Iterable[str]) -> str:
    """Of all who come together: "CO + CT"."""
    return " + ".join(map(initials, names))


def new_row(*, name: str, now: datetime) -> ClientRow:
    """A client with a name; the reference follows once the row has its number."""
    public_id = new_public_id()
    row = ClientRow(public_id=public_id, reference=public_id, created_at=now, updated_at=now, version=1)
    row.name = name
    return row
