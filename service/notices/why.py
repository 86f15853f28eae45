"""Why somebody is told: the rule's numbers and its steps, in one sentence."""

from collections.abc import Mapping
from datetime import datetime

from service.domain.phrase import Listing, Moment, Number, Phrase, Value, say

Numbers = Mapping[str, object]


def sentence(signal: str, value: Numbers, threshold: Numbers) -> Phrase:
    """The sentence for that rule; for one that has no words of its own, the plain numbers."""
    words = _SENTENCES.get(signal, _plain)
    return words(value, threshold)


def _gap(value: Numbers, threshold: Numbers) -> Phrase:
    steps = {"watch": _times(threshold["watch"]), "act": _times(threshold["act"])}
    if announced := value.get("m_a"):
        return say(
            "That is {times} the usual interval, without {announced} announced. It is shown from {watch}, and asks for "
            "a person from {act}.",
            times=_times(value["rho"]),
            announced=Number(_as_number(announced), 0),
            **steps,
        )
    return say(
        "That is {times} the usual interval. It is shown from {watch}, and asks for a person from {act}.",
        times=_times(value["rho"]),
        **steps,
    )


def _early(value: Numbers, threshold: Numbers) -> Phrase:
    return say("{gap} In the first sessions the steps are lower.", gap=_gap(value, threshold))


def _next(_value: Numbers, threshold: Numbers) -> Phrase:
    watch = _at(threshold["watch"])
    if act := threshold.get("act"):
        return say(
            "Nothing is booked after the last session. It is shown from {watch}, and asks for a person from {act}.",
            watch=watch,
            act=_at(act),
        )
    return say("Nothing is booked after the last session. It is shown from {watch}.", watch=watch)


def _churn(value: Numbers, threshold: Numbers) -> Phrase:
    return say(
        "Of the last {n} sessions {moved} moved, {clinic} of them by the clinic. It is shown from {any} moves, or "
        "{fewer} by the clinic.",
        n=_plainly(value["n"]),
        moved=_plainly(value["M"]),
        clinic=_plainly(value["M_c"]),
        any=_plainly(threshold["any"]),
        fewer=_plainly(threshold["clinic"]),
    )


def _untold(value: Numbers, threshold: Numbers) -> Phrase:
    return say(
        "The first session concerned is {days} days away. It is shown from {watch} days before, and asks for a person "
        "from {act}.",
        days=Number(_as_number(value["D"])),
        watch=Number(_as_number(threshold["watch"])),
        act=Number(_as_number(threshold["act"])),
    )


def _plain(value: Numbers, threshold: Numbers) -> Phrase:
    return say("The numbers: {numbers}. The steps: {steps}.", numbers=_pairs(value), steps=_pairs(threshold))


_SENTENCES = {
    "gap.open": _gap,
    "gap.ahead": _gap,
    "gap.early": _early,
    "next.none": _next,
    "churn": _churn,
    "break.unannounced": _untold,
}


def _pairs(numbers: Numbers) -> Listing:
    return Listing(tuple(f"{key.replace('_', ' ')} {one}" for key, one in numbers.items() if one is not None))


def _times(factor: object) -> Phrase:
    return say("{n} times", n=Number(_as_number(factor), 2))


def _plainly(value: object) -> Value:
    return str(value)


def _as_number(value: object) -> float:
    return float(str(value))


def _at(iso: object) -> Moment:
    return Moment(datetime.fromisoformat(str(iso)))
