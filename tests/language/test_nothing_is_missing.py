"""Whatever the code can say, each language can say. A text that is missing would be English on a page in German."""

import pytest

from tests import words
from tests.language.test_catalogs import missing


@pytest.mark.parametrize("language", words.languages())
def test_every_sentence_is_translated(language: str) -> None:
    assert sorted(map(str, missing(words.catalog_of(language), set(words.found())))) == []
