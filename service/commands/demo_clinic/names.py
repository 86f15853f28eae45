"""Names that nobody has. First names are ordinary, so that a list reads like one; last names are plainly made up."""

from collections.abc import Iterator
from itertools import count


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST = _words(
    """
    Ada Alma Amos Anouk Arlo Astrid Basil Bea Bruno Cato Cleo Cyrus Dara Dora Edda Elias Emil Enid Esme Ezra Fern
    Fergus Freya Gilda Greta Hana Hugo Ida Imre Iris Ivo Jonas Juna Kaia Kasper Lena Levi Linus Lotte Magnus Maja Milo
    Mira Nadia Nico Nora Odin Olga Orla Oskar Petra Quinn Rafael Remy Rosa Runa Selma Silas Sofia Stella Tariq Tilda
    Tomas Ulla Uma Vera Viktor Wanda Wim Xenia Yara Yusuf Zelda Zeno
    """
)
_BEGINNINGS = _words(
    """
    Alder Amber Apple Bramble Brindle Butter Candle Clover Copper Cricket Dapple Ember Feather Fiddle Gingle Honey
    Juniper Kettle Lantern Marrow Merry Nettle Nutmeg Pepper Pickle Plum Quill Ripple Saffron Snow Thimble Thistle
    Tumble Velvet Waffle Whisper Willow Winter
    """
)
_ENDINGS = _words("berry bottom brook bury combe ford field gate ham hollow moor pocket wick wood worth thorpe")
_ROOMS = _words("Elm Oak Fern Moss Ivy Sage Reed Hazel Birch Alder Willow Rowan Pine")


def clients() -> Iterator[str]:
    """Full names without end, no two alike."""
    for turn in count(1):
        suffix = f" {turn}" if turn > 1 else ""
        for shift in range(len(_BEGINNINGS) * len(_ENDINGS)):
            for place, first in enumerate(FIRST):
                beginning = _BEGINNINGS[(place * 7 + shift) % len(_BEGINNINGS)]
                yield f"{first} {beginning}{_ENDINGS[(place + shift // len(_BEGINNINGS)) % len(_ENDINGS)]}{suffix}"


def therapists() -> Iterator[str]:
    """In the order of the alphabet as far as first names reach; no client is called Evenhour."""
    for turn in count(1):
        yield from (f"{first} Evenhour{f' {turn}' if turn > 1 else ''}" for first in FIRST[::5])


def rooms() -> Iterator[str]:
    for turn in count(1):
        yield from (f"{name} room{f' {turn}' if turn > 1 else ''}" for name in _ROOMS)
