"""Why somebody is told: the rule's numbers and its steps, in one sentence."""

from collections.abc import Mapping
from datetime import datetime

from service.domain.signals.wording import moment, number

Numbers = Mapping[str, object]


def sentence(signal: str, value: Numbers, threshold: Numbers) -> str:
    """The sentence for that rule; for one that has no words of its own, the plain numbers."""
    say = _SENTENCES.get(signal, _plain)
    return say(value, threshold)


def _gap(value: Numbers, threshold: Numbers) -> str:
    told = f", without {number(_as_number(value['m_a']), 0)} announced" if value.get("m_a") else ""
    return (
        f"That is {_times(value['rho'])} the usual interval{told}. It is shown from {_times(threshold['watch'])}, and "
        f"asks for a person from {_times(threshold['act'])}."
    )


def _early(value: Numbers, threshold: Numbers) -> str:
    return f"{_gap(value, threshold)} In the first sessions the steps are lower."


def _next(_value: Numbers, threshold: Numbers) -> str:
    act = f", and asks for a person from {_at(threshold['act'])}" if threshold.get("act") else ""
    return f"Nothing is booked after the last session. It is shown from {_at(threshold['watch'])}{act}."


def _churn(value: Numbers, threshold: Numbers) -> str:
    return (
        f"Of the last {value['n']} sessions {value['M']} moved, {value['M_c']} of them by the clinic. It is shown from "
        f"{threshold['any']} moves, or {threshold['clinic']} by the clinic."
    )


def _untold(value: Numbers, threshold: Numbers) -> str:
    return (
        f"The first session concerned is {number(_as_number(value['D']))} days away. It is shown from "
        f"{number(_as_number(threshold['watch']))} days before, and asks for a person from "
        f"{number(_as_number(threshold['act']))}."
    )


def _plain(value: Numbers, threshold: Numbers) -> str:
    return f"The numbers: {_pairs(value)}. The steps: {_pairs(threshold)}."


_SENTENCES = {
    "gap.open": _gap,
    "gap.ahead": _gap,
    "gap.early": _early,
    "next.none": _next,
    "churn": _churn,
    "break.unannounced": _untold,
}


def _pairs(numbers: Numbers) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {one}" for key, one in numbers.items() if one is not None)


def _times(factor: object) -> str:
    return f"{number(_as_number(factor), 2)} times"


def _as_number(value: object) -> float:
    return float(str(value))


def _at(iso: object) -> str:
    return moment(datetime.fromisoformat(str(iso)))
