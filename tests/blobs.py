"""Bytes of images in a data folder, as an import leaves them."""

from __future__ import annotations

import hashlib

from radtui.paths import DataDir


def keep(data: DataDir, content: bytes) -> str:
    """Keep bytes where a worker, the app and exports look for them; returns their SHA-256."""
    sha256 = hashlib.sha256(content).hexdigest()
    data.blob(sha256).parent.mkdir(parents=True, exist_ok=True)
    data.blob(sha256).write_bytes(content)
    return sha256
