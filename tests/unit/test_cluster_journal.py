"""Event files: what is torn is waited for, what is cut does not count, and everything is read once and in order."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from radtui.cluster import journal, reading
from radtui.cluster.journal import Entry, Writer


def writer(folder: Path, attempt: str, who: str = journal.MAIN, launch: int = 0) -> Writer:
    return Writer(folder / journal.file_name(attempt, launch, who))


def entry(number: int, **order: dict[str, int]) -> Entry:
    return Entry("event", {"number": number, "text": "é\n\ud800"}, float(number), **order)


def numbers(folder: Path, place: reading.JournalPlace) -> list[int]:
    return [each.facts["number"] for each in reading.entries(folder, place)]


def test_what_was_written_is_read_once(tmp_path: Path) -> None:
    main, place = writer(tmp_path, "1"), reading.JournalPlace()
    main.append(entry(1))
    main.append(entry(2))
    assert numbers(tmp_path, place) == [1, 2]
    assert numbers(tmp_path, place) == []
    main.append(entry(3))
    assert numbers(tmp_path, reading.JournalPlace.from_dict(place.to_dict())) == [3]
    (read,) = [line.entry for line in journal.read(main.path) if line.entry.facts["number"] == 3]
    assert read == entry(3)


@pytest.mark.parametrize("damage", ["torn", "zeros", "changed", "without its end"])
def test_a_line_that_is_not_sound_is_waited_for(tmp_path: Path, damage: str) -> None:
    main, place = writer(tmp_path, "1"), reading.JournalPlace()
    main.append(entry(1))
    whole_before = main.path.read_bytes()
    main.append(entry(2))
    whole = main.path.read_bytes()
    line = whole[len(whole_before) :]
    damaged = {
        "torn": line[:20],
        "zeros": b"\0" * len(line),
        "changed": line.replace(b"number", b"numbed"),
        "without its end": line[:-1],
    }[damage]
    main.path.write_bytes(whole_before + damaged)
    assert numbers(tmp_path, place) == [1]
    assert f"{len(damaged):,} bytes behind byte {len(whole_before):,}" in reading.missing(tmp_path, place)
    main.path.write_bytes(whole)
    assert numbers(tmp_path, place) == [2] and not reading.missing(tmp_path, place)


def test_a_line_of_another_place_is_not_sound(tmp_path: Path) -> None:
    main = writer(tmp_path, "1")
    for number in (1, 2, 3):
        main.append(entry(number))
    first, _, third = main.path.read_bytes().splitlines(keepends=True)
    main.path.write_bytes(first + third)  # each is whole, and one between them is missing
    assert numbers(tmp_path, reading.JournalPlace()) == [1]


def test_a_file_belongs_to_one_process(tmp_path: Path) -> None:
    writer(tmp_path, "1")
    with pytest.raises(FileExistsError):
        writer(tmp_path, "1")


def test_what_must_come_before_is_read_before(tmp_path: Path) -> None:
    main, rank = writer(tmp_path, "1"), writer(tmp_path, "1", "rank-0")
    main.append(entry(1))
    rank.append(entry(2, after={main.path.name: main.length}))
    main.append(entry(4, cuts={rank.path.name: rank.length}))
    rank.append(entry(3))  # behind the cut: a process that nobody could reach
    place = reading.JournalPlace()
    assert numbers(tmp_path, place) == [1, 2, 4]
    assert numbers(tmp_path, place) == [] and not reading.missing(tmp_path, place)


def test_a_later_attempt_says_how_far_an_earlier_one_counts(tmp_path: Path) -> None:
    first, second = writer(tmp_path, "1"), writer(tmp_path, "2")
    first.append(entry(1))
    length = first.length
    first.append(entry(99))
    second.append(entry(2, cuts={first.path.name: length}))
    place = reading.JournalPlace()
    assert numbers(tmp_path, place) == [1, 2]
    first.append(entry(100))
    second.append(entry(3))
    assert numbers(tmp_path, place) == [3]
    assert place.attempt == "2" and set(place.cursors) == {second.path.name}


def test_a_rank_is_not_read_before_its_attempt_has_begun(tmp_path: Path) -> None:
    first, rank, place = writer(tmp_path, "1"), writer(tmp_path, "2", "rank-0"), reading.JournalPlace()
    first.append(entry(1))
    rank.append(entry(3))
    assert numbers(tmp_path, place) == [1]
    second = writer(tmp_path, "2")
    second.append(entry(2, cuts={first.path.name: first.length}))
    assert numbers(tmp_path, place) == [2, 3]


def test_a_journal_read_in_pieces_is_the_journal(tmp_path: Path) -> None:
    files = [writer(tmp_path, "1"), writer(tmp_path, "1", "rank-0"), writer(tmp_path, "1", "rank-1")]
    for number in range(30):
        files[number % 3].append(entry(number))
    whole = numbers(tmp_path, reading.JournalPlace())
    pieces, place = [], reading.JournalPlace()
    while True:  # as many collectors as entries, each killed after one
        one = next(iter(reading.entries(tmp_path, place)), None)
        if one is None:
            break
        pieces.append(one.facts["number"])
        place = reading.JournalPlace.from_dict(place.to_dict())
    assert sorted(pieces) == list(range(30)) and [n for n in pieces if n % 3 == 0] == [
        n for n in whole if n % 3 == 0
    ]


def test_half_a_line_that_found_no_room_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    main = writer(tmp_path, "1")
    main.append(entry(1))
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda file, data: write(file, data[:10]) if len(data) > 60 else _no_room())
        for _ in range(2):
            with pytest.raises(OSError, match="quota"):
                main.append(entry(2))
    main.append(entry(3))  # there is room again: how the job ended is read
    assert numbers(tmp_path, reading.JournalPlace()) == [1, 3]


def _no_room() -> int:
    raise OSError(errno.EDQUOT, "Disk quota exceeded")
