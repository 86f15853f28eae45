"""What was imported from an old book, so that importing it again changes nothing."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from service.store.base import BigId, Model, PublicId, UtcTime, new_public_id


class ImportRow(Model):
    __tablename__ = "imports"
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    public_id: Mapped[str] = mapped_column(PublicId, unique=True, default=new_public_id)
    source: Mapped[str] = mapped_column(String(120))
    """The file's name, without folders."""
    digest: Mapped[str] = mapped_column(String(64))
    made_by: Mapped[str] = mapped_column(String(120))
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    entries: Mapped[int] = mapped_column(Integer)
    rejected: Mapped[int] = mapped_column(Integer)


class ImportedRow(Model):
    """One entry of the old book, by its key there, and what it became here."""

    __tablename__ = "imported"
    __table_args__ = (Index("uq_imported_key", "key", unique=True),)
    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id"), index=True)
    key: Mapped[str] = mapped_column(String(200))
    standing_id: Mapped[int | None] = mapped_column(ForeignKey("standings.id"))
    appointment_id: Mapped[int | None] = mapped_column(ForeignKey("appointments.id"))
