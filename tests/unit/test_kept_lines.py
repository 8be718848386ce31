"""A file of kept answers ends with a whole line before the next is appended, at the same cost however long it is."""

from __future__ import annotations

import io

import pytest

from radtui.study.kept_lines import LOOK_BACK_BYTES, end_of_lines

LINE = b'{"row": 1}\n'
LONG = b'{"row": "' + b"x" * 3 * LOOK_BACK_BYTES


class Counting(io.BytesIO):
    """Bytes that count how many of them are read."""

    n_read = 0

    def read(self, size: int | None = -1) -> bytes:
        content = super().read(size)
        self.n_read += len(content)
        return content


@pytest.mark.parametrize(
    ("last", "left"),
    [
        (b"", b""),
        (LINE, LINE),
        (LINE[:-1], LINE),
        (LINE[:-3], b""),
        (LONG, b""),
        (LONG + b'"}', LONG + b'"}\n'),
        (LONG + b'"}\n', LONG + b'"}\n'),
    ],
    ids=("nothing", "whole", "without its end", "cut", "long and cut", "long without its end", "long"),
)
@pytest.mark.parametrize("lines", [0, 1, 100_000])
def test_only_the_last_line_is_read_and_is_whole_afterwards(lines: int, last: bytes, left: bytes) -> None:
    file = Counting(LINE * lines + last)
    assert end_of_lines(file) == len(LINE) * lines + len(last)
    assert file.getvalue() == LINE * lines + left
    assert file.n_read <= len(last) + LOOK_BACK_BYTES
