"""The wording lint over every sentence of the house, wherever it stands: pages, refusals, mails, rules."""

import re

import pytest

from tests import words

SCOLDING = re.compile(
    r"\b(failed to|failure to attend|no-?showed|DNA'?d|non-?compliant|unreliable|excuse|fault|blame|poor attender"
    r"|chronic|resistant|difficult client|offender|should have|risk score|will improve|warning)\b|!",
    re.IGNORECASE,
)
SUBJECT_IS_CLIENT = re.compile(r"(^|[.:] )(The client|Client) (missed|failed|refused|forgot|did not)", re.IGNORECASE)
FROM_THE_LITERATURE = frozenset({"service/domain/signals"})
"""What the rules quote as evidence keeps the words of its sources."""


def every_sentence() -> list[str]:
    return sorted(
        text
        for one, places in words.found().items()
        if not set(places) <= FROM_THE_LITERATURE
        for text in ([one] if isinstance(one, str) else one)
    )


def test_no_sentence_scolds_or_shouts() -> None:
    said = every_sentence()
    assert len(said) > 800
    assert [one for one in said if SCOLDING.search(one) or SUBJECT_IS_CLIENT.search(one)] == []


@pytest.mark.parametrize("bad", ["The client failed to come.", "Act now!", "Warning: poor attender", "Client missed 2"])
def test_control_what_scolds_is_found(bad: str) -> None:
    assert SCOLDING.search(bad) or SUBJECT_IS_CLIENT.search(bad)
