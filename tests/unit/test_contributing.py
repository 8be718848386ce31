"""The developer's door leads somewhere: every file it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_file_that_is_named_is_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`((?:radtui|tests|tools|db|assets)/[\w./-]*)`", text))
    assert len(named) > 25
    assert not [path for path in sorted(named) if not (ROOT / path).exists()]
