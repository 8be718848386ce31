"""Times in words."""

import pytest

from radtui.durations import clock_text, estimate_text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (44.6, "45 s"), (119.4, "119 s"), (119.8, "2 min"), (124, "2 min"), (203, "3 min 20 s"),
     (596, "10 min"), (1437, "24 min"), (5699, "95 min"), (7190, "2 h"), (9530, "2 h 40 min"), (68_500, "19 h")],
)  # fmt: skip
def test_an_estimate_is_rounded_as_a_person_would(seconds, text):
    assert estimate_text(seconds) == text


def test_a_measured_time_is_exact():
    assert [clock_text(s) for s in (45, 1437, 9530)] == ["45 s", "23 min 57 s", "2 h 38 min"]
