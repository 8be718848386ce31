"""Images in the store: adding twice, finding by words and filters, ranks, positions, leaks."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import count

import pytest

from radtui.paths import DataDir
from radtui.records import JobKind, Study, Truth
from radtui.store import cases, jobs, ratings
from radtui.store.cases import CaseQuery, KeptCase, Probe
from radtui.store.database import connect
from tests.conftest import give_arms, kept_case
from tests.unit.test_store import rating, study_of

ODD_SEARCHES = [
    '"', '""', "'", "*", "-", "a*", "-lung", "lung-", "(", ")", "lung)", "NEAR(a b)", "AND", "OR", "NOT", "lung AND",
    "reference:lung", "^lung", "a:b", "\0", "lung\0", "{a b}", "+", "lung + nodule", ";", "%", "_", "\\", "é", "肺",
    "\ud800", "  ", "\t\n", "x" * 5000,
]  # fmt: skip


@pytest.fixture
def store(data: DataDir) -> sqlite3.Connection:
    """A data set "rays" with a few images whose words, splits, truths and troubles differ."""
    db = connect(data)
    cases.ensure_dataset(db, "rays", "drawn")
    cases.add(db, "rays", [
        row("train", "a", "Small nodule in the left upper lung.", "chest PA", [Truth("nodule", "left", "upper")]),
        row("train", "b", "Nodule, nodule and nodule.", "chest PA", [Truth("nodule"), Truth("mass")], width=2000),
        row("train", "c", "Broken file.", error="cut short"),
        row("test", "d", "Lung fields are clear; no pneumothorax in a long report with other words.", "chest AP",
            [Truth("normal")], sha256="same"),
        row("train", "e-17", 'Say "cheese" with 38° fever: 100% O2 (room-air).', "hand", sha256="same"),
    ])  # fmt: skip
    cases.mark_leaks(db, "rays")
    return db


def row(
    split: str, key: str, reference: str, examination: str = "", truth: Sequence[Truth] = (), *, error: str = "",
    sha256: str = "", width: int = 10,
) -> KeptCase:  # fmt: skip
    probe = Probe(sha256 or f"sha-{key}", "PNG", width, 10, "L", error)
    return kept_case(
        split, key, probe, reference=reference, examination=examination, facts={"k": key}, truth=tuple(truth)
    )


def keys(db: sqlite3.Connection, **query: object) -> str:
    """Keys of what a query finds, in order, as one word."""
    found = cases.find(db, CaseQuery("rays", **query))  # type: ignore[arg-type]
    return " ".join(image.source_key for image in cases.get_many(db, found))


def rated_study(db: sqlite3.Connection) -> Study:
    """A study of two arms over the data set."""
    job = jobs.create(db, JobKind.GENERATE, "g", "rays", {})
    give_arms(db, job, "base", "tuned")
    return study_of(db, job)


def test_every_word_must_occur_and_the_last_may_be_half_typed(store: sqlite3.Connection) -> None:
    assert keys(store, search="nodule") == "b a"  # ranked: three in four words before one in seven
    assert keys(store, search="nodule lung") == "a"
    assert keys(store, search="lung nod") == "a"
    assert keys(store, search="nod lung") == ""  # only the last word is taken as half typed
    assert keys(store, search="nodules") == "b a"  # stemmed
    assert keys(store, search="LUNG upp") == "a"


def test_keys_and_examinations_are_searched_too(store: sqlite3.Connection) -> None:
    assert keys(store, search="e-17") == "e-17"
    assert keys(store, search="hand") == "e-17"


def test_a_search_may_be_sorted_another_way(store: sqlite3.Connection) -> None:
    assert keys(store, search="nodule", sort="name") == "a b"
    assert keys(store, sort="size").split()[0] == "b"
    assert keys(store, sort="no such order") == keys(store) == "a b c e-17 d"


@pytest.mark.parametrize("search", ODD_SEARCHES)
def test_no_search_is_an_error(store: sqlite3.Connection, search: str) -> None:
    keys(store, search=search)
    assert keys(store, search="nodule") == "b a"


def test_odd_characters_still_find_the_words_beside_them(store: sqlite3.Connection) -> None:
    assert keys(store, search='"cheese"') == "e-17"
    assert keys(store, search="room-air") == "e-17"
    assert keys(store, search="(room") == "e-17"
    assert keys(store, search="upper -") == "a"  # a word without letters is no word
    assert keys(store, search="- upper") == "a"
    assert keys(store, search="lung) AND") == ""  # AND is a word like any other


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"split": "test"}, "d"), ({"examination": "chest PA"}, "a b"), ({"finding": "nodule"}, "a b"),
        ({"finding": "mass"}, "b"), ({"unreadable": True}, "c"), ({"unreadable": False}, "a b e-17 d"),
        ({"leaked": True}, "e-17 d"), ({"leaked": False}, "a b c"),
        ({"finding": "nodule", "search": "upper"}, "a"),
        ({"split": "train", "leaked": True, "search": "fever"}, "e-17"),
    ],
)  # fmt: skip
def test_filters_are_joined(store: sqlite3.Connection, query: dict[str, object], expected: str) -> None:
    assert keys(store, **query) == expected


def test_rated_images_are_told_from_others(store: sqlite3.Connection) -> None:
    (first, *_) = cases.find(store, CaseQuery("rays"))
    study = rated_study(store)
    given = ratings.add(store, rating(study.id, first, 1))
    assert keys(store, rated=True) == "a" and ratings.rated_cases(store) == {first}
    assert keys(store, rated=False) == "b c e-17 d"
    ratings.add(store, replace(given, preference=None, undoes=given.id))
    assert keys(store, rated=True) == "" and ratings.rated_cases(store) == set()  # taken back


def test_looking_for_what_is_not_rated_does_not_go_through_all_ratings_for_each_image(
    store: sqlite3.Connection,
) -> None:
    study = rated_study(store)
    cases.add(store, "rays", [row("train", f"n{n}", "text") for n in range(400)])
    ids = cases.find(store, CaseQuery("rays"))
    for case_id in ids[::2]:
        ratings.add(store, rating(study.id, case_id, 1))
    thousands = count()
    store.set_progress_handler(lambda: next(thousands) < 0, 1000)  # every thousand instructions of SQLite
    assert len(cases.find(store, CaseQuery("rays", rated=False))) == len(ids) // 2
    assert next(thousands) < 100  # at worst 400 x 200 rows, which are some 400 thousand


def test_adding_again_refreshes_and_keeps_id_and_place(store: sqlite3.Connection) -> None:
    before = cases.find(store, CaseQuery("rays"))
    changed = row("train", "a", "Now a fracture.", "hand", [Truth("fracture")])
    assert cases.add(store, "rays", [changed, row("train", "f", "new")]) == (1, 1)
    assert cases.find(store, CaseQuery("rays"))[:3] == before[:3]
    image = cases.get(store, before[0])
    assert image is not None
    assert (image.reference, image.truth, image.position) == ("Now a fracture.", (Truth("fracture"),), 0)
    assert keys(store, search="fracture") == "a" and keys(store, search="upper") == ""
    assert keys(store, finding="nodule") == "b"


def test_places_count_up_in_each_split(store: sqlite3.Connection) -> None:
    cases.add(store, "rays", [row("test", "x", ""), row("train", "y", ""), row("test", "z", "")])
    rows = cases.get_many(store, cases.find(store, CaseQuery("rays")))
    assert [(r.split, r.position) for r in rows] == [("train", n) for n in range(5)] + [
        ("test", n) for n in range(3)
    ]


def test_leaks_are_taken_back_when_they_are_gone(store: sqlite3.Connection) -> None:
    assert keys(store, leaked=True) == "e-17 d"
    cases.add(store, "rays", [row("test", "d", "", sha256="other")])
    assert cases.mark_leaks(store, "rays") == 0
    assert keys(store, leaked=True) == ""


def test_unreadable_images_and_other_data_sets_leak_nothing(store: sqlite3.Connection) -> None:
    cases.add(
        store, "rays", [row("train", "p", "", sha256="bad", error="x"), row("test", "q", "", sha256="bad")]
    )
    cases.ensure_dataset(store, "more", "drawn")
    cases.add(store, "more", [row("test", "a", "", sha256="sha-a")])
    assert cases.mark_leaks(store, "rays") == 2  # e-17 and d still
    assert cases.mark_leaks(store, "more") == 0


def test_counts_of_data_sets(store: sqlite3.Connection) -> None:
    (summary,) = cases.datasets(store)
    assert (summary.splits, summary.unreadable, summary.leaked, summary.total) == (
        {"train": 4, "test": 1},
        1,
        2,
        5,
    )
    assert list(summary.splits) == ["train", "test"]
    cases.ensure_dataset(store, "rays", "another source")
    assert cases.datasets(store)[0].source == "drawn"


def test_usable_images_are_readable_and_in_order(store: sqlite3.Connection) -> None:
    cases.add(store, "rays", [row("train", "blank", "  ")])
    assert [i.source_key for i in cases.get_many(store, cases.usable(store, "rays", "train"))] == [
        "a", "b", "e-17", "blank",
    ]  # fmt: skip
    with_text = cases.usable(store, "rays", "train", with_reference=True)
    assert len(with_text) == 3
    assert cases.usable(store, "rays", "train", limit=2) == with_text[:2]


def test_filters_offer_what_there_is(store: sqlite3.Connection) -> None:
    assert cases.distinct(store, "rays", "finding") == ["mass", "nodule", "normal"]
    assert cases.distinct(store, "rays", "examination") == ["chest AP", "chest PA", "hand"]
    assert cases.distinct(store, "rays", "split") == ["test", "train"]
    with pytest.raises(ValueError, match="no filter over sha256"):
        cases.distinct(store, "rays", "sha256")


def test_many_rows_come_back_in_the_order_asked_for(store: sqlite3.Connection) -> None:
    cases.add(store, "rays", [row("train", f"n{n}", "many", truth=[Truth("x")]) for n in range(1200)])
    wanted = cases.find(store, CaseQuery("rays"))[::-1]
    found = cases.get_many(store, [*wanted, 10**9])
    assert [image.id for image in found] == wanted
    assert cases.get(store, 10**9) is None


def test_a_search_that_finds_many_keeps_the_lists_order(
    store: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cases, "RANKED", 1)
    assert keys(store, search="n") == "a b d"  # "nodule" and "no"; by rank "b" would be first
    assert keys(store, search="n", split="test") == "d"
    assert keys(store, search="n", finding="nodule") == "a b"
    assert keys(store, search="e-17") == "e-17"  # one hit is ranked, even now
    assert keys(store, search="n", sort="name") == "a b d"
    assert keys(store, search="n", sort="size") == "b a d"


def test_searching_many_captions_is_quick(store: sqlite3.Connection) -> None:
    words = ("nodule", "effusion", "lung", "rib", "clear", "opacity", "left", "right", "apex")
    batch = [
        row("train", f"n{n}", " ".join(words[(n * k) % 9] for k in (1, 2, 4, 5)) + f" case {n}")
        for n in range(20_000)
    ]
    cases.add(store, "rays", batch)
    started_s = time.process_time()
    found = cases.find(store, CaseQuery("rays", search="case 1999"))
    took_s = time.process_time() - started_s
    assert len(found) == 11  # 1999 and 19990 to 19999
    assert took_s < 0.5


def test_equal_pictures_with_different_texts_are_found(store: sqlite3.Connection) -> None:
    """Not one file with several captions, not equal texts, not answers to several questions."""
    cases.add(store, "rays", [
        row("train", "x1", "Clear.", sha256="two"), row("test", "x2", "Left effusion.", sha256="two"),
        row("train", "y1", "Clear.", sha256="alike"), row("train", "y2", "Clear.", sha256="alike"),
        row("train", "z", "Clear.", sha256="five"),
        replaced(row("train", "z#2", "Lungs clear.", sha256="five"), name="z"),
        replaced(row("train", "q1", "Left.", sha256="asked"), question="Side?"),
        replaced(row("train", "q2", "CR.", sha256="asked"), question="Modality?"),
    ])  # fmt: skip
    assert cases.contradictions(store, "rays") == [("d", "e-17"), ("x1", "x2")]


def replaced(kept: KeptCase, name: str = "", question: str = "") -> KeptCase:
    (image,) = kept.case.images
    case = replace(kept.case, images=(replace(image, name=name or image.name),), question=question)
    return replace(kept, case=case)
