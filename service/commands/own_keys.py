"""The secrets of a clinic that runs on one machine: made once, mode 600, beside the database but not in its backups."""

import base64
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path


def make_missing(data_dir: Path, env: Mapping[str, str]) -> list[Path]:
    """Make the data folder (mode 700) and whichever of the two files neither exists nor is replaced by a variable.

    Returns what was made. A file that exists is never touched: a new key could not open what the old one sealed.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = []
    if not env.get("SAMEHOUR_SECRET_KEY"):
        made += _make(Path(env.get("SAMEHOUR_SECRET_FILE") or data_dir / "secret.key"), secrets.token_urlsafe(48))
    if not env.get("SAMEHOUR_KEYS"):
        key = base64.b64encode(secrets.token_bytes(32)).decode("ascii")
        made += _make(Path(env.get("SAMEHOUR_KEY_FILE") or data_dir / "field.keys"), f"k1:{key}")
    return made


def _make(path: Path, text: str) -> list[Path]:
    with suppress(FileExistsError):
        # Exclusive and private from its first byte; two first starts at once can't overwrite each other's key.
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        return [path]
    return []
