"""What the hours of a calendar are called and where they are, as its owner chose to have it said."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from service.domain.privacy import VIDEO, Privacy, summary_for, summary_for_client, summary_with
from service.domain.standing import Modality
from service.domain.subscription import Options, Shows
from service.language import speaker
from service.store import feed_queries
from service.store.clients import initials
from service.store.seal import seal

Ask = Callable[..., list[Any]]
"""Asks a query with its parameters by name; rows whose columns are read by name."""


@dataclass(kw_only=True)
class Names:
    """Each course, therapist and room is asked for once, most of them by `know` all together."""

    shows: Shows
    options: Options
    ask: Ask
    courses: dict[int, str] = field(default_factory=dict)
    therapists: dict[int, str] = field(default_factory=dict)
    rooms: dict[int, str] = field(default_factory=dict)

    def know(self, rows: Iterable[Any]) -> None:
        """Read what these standings and hours will be called by."""
        found = list(rows)
        if self.shows is not Shows.CLIENT:
            self._know_courses({row.course_id for row in found})
        if self.shows is not Shows.THERAPIST and self.options.privacy is not Privacy.BUSY:
            self._know_therapists({row.therapist_id for row in found})
        self._know_rooms({row.room_id for row in found if row.room_id is not None})

    def summary(self, row: Any) -> str:
        """What a standing, or an hour, is called."""
        if self.shows is Shows.CLIENT:
            return summary_for_client(self.options.privacy, therapist=self.therapist(row), speaker=self.speaker)
        if row.course_id not in self.courses:
            self._know_courses({row.course_id})
        said = self.courses[row.course_id]
        if self.shows is Shows.THERAPIST:
            return said
        return summary_with(self.options.privacy, said, therapist=self.therapist(row))

    def place(self, row: Any) -> str:
        """Where it is; in a client's calendar that says “busy”, nowhere."""
        if self.shows is Shows.CLIENT and self.options.privacy is Privacy.BUSY:
            return ""
        if row.modality == Modality.VIDEO:
            return VIDEO.said(self.speaker)
        return "" if row.room_id is None else self.room(row.room_id)

    def therapist(self, row: Any) -> str:
        if self.options.privacy is Privacy.BUSY:
            return ""
        if row.therapist_id not in self.therapists:  # of an exception: few
            self._know_therapists({row.therapist_id})
        return self.therapists[row.therapist_id]

    def room(self, room: int) -> str:
        if room not in self.rooms:  # of an exception: few
            self._know_rooms({room})
        return self.rooms[room]

    @property
    def speaker(self) -> Any:
        return speaker(self.options.locale)

    def _know_courses(self, courses: set[int]) -> None:
        new = sorted(courses - self.courses.keys())
        clients: dict[int, list[tuple[str, str]]] = {}
        if self.options.privacy is not Privacy.BUSY:
            for course, public_id, reference, sealed in self.ask(feed_queries.CLIENTS, ids=new):
                clients.setdefault(course, []).append((reference, self._name(public_id, sealed)))
        self.courses |= {course: self._called(clients.get(course, [])) for course in new}

    def _name(self, public_id: str, sealed: str) -> str:
        if self.options.privacy is Privacy.REFERENCE:
            return ""
        return seal().open(sealed, row=public_id, column="clients:name")

    def _called(self, clients: Sequence[tuple[str, str]]) -> str:
        return summary_for(
            self.options.privacy,
            initials=" + ".join(filter(None, (initials(name) for _, name in clients))),
            reference=" + ".join(reference for reference, _ in clients),
            name=" + ".join(filter(None, (name for _, name in clients))),
            speaker=self.speaker,
        )

    def _know_therapists(self, therapists: set[int]) -> None:
        new = sorted(therapists - self.therapists.keys())
        self.therapists |= {row.id: row.name for row in self.ask(feed_queries.THERAPISTS, ids=new)}

    def _know_rooms(self, rooms: set[int]) -> None:
        new = sorted(rooms - self.rooms.keys())
        self.rooms |= {room: f"{name}, {site}" for room, name, site in self.ask(feed_queries.PLACES, ids=new)}
