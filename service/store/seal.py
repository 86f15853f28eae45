"""Field encryption: AES-256-GCM, bound to the row and column it belongs to.

A sealed value is `v1.<key id>.<nonce + ciphertext, base64>`. Moved to another row or column it can't be opened, so
swapping two clients' names in the database shows.
"""

import base64
import os
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE = 12


class CannotOpen(Exception):
    """The value was sealed with a key that is not here, or was changed, or belongs elsewhere."""


class Seal:
    """Opens with every key it was given, seals with the newest."""

    def __init__(self, keys: Mapping[str, bytes]) -> None:
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._newest = list(keys)[-1]

    def close(self, text: str, *, row: str, column: str) -> str:
        nonce = os.urandom(_NONCE)
        sealed = self._ciphers[self._newest].encrypt(nonce, text.encode(), _bound_to(row, column))
        return f"v1.{self._newest}.{base64.b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *, row: str, column: str) -> str:
        """:raises CannotOpen: see there."""
        try:
            _version, key_id, encoded = sealed.split(".", 2)
            raw = base64.b64decode(encoded)
            return self._ciphers[key_id].decrypt(raw[:_NONCE], raw[_NONCE:], _bound_to(row, column)).decode()
        except (KeyError, ValueError, InvalidTag):
            raise CannotOpen(f"{column} of {row}") from None


def _bound_to(row: str, column: str) -> bytes:
    return f"{column}:{row}".encode()


_seals: list[Seal] = []


def use_keys(keys: Mapping[str, bytes]) -> None:
    """Plug in the clinic's keys; the app does so at its start."""
    _seals[:] = [Seal(keys)]


def seal() -> Seal:
    return _seals[0]
