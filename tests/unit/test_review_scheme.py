"""Schemes: the default is what the design says, a short one inherits, and mistakes are named."""

import dataclasses
from dataclasses import replace

import pytest

from radtui.measures.scheme import (
    MODES,
    acceptability_answer,
    accepted_answer,
    checked_answer,
    error_answer,
    modes_of,
    parse_answer,
    parse_error_answer,
    toward_later,
)
from radtui.records import UserError
from radtui.study.scheme_file import default_scheme, load_scheme, normalise_key, parse_scheme
from tests.unit.review_ratings import rating

WARD = """
id = "my-ward"
version = 3
[[dimensions]]
id = "urgency"
label = "Urgency"
question = "Which text lets you triage better?"
[keys]
skip = "S"
note = "ctrl+n"
"""


def test_default_asks_the_questions_of_the_design():
    scheme = default_scheme()
    assert [level.value for level in scheme.preference] == [-2, -1, 0, 1, 2]
    assert [level.value for level in scheme.acceptability] == [1, 2, 3, 4, 5]
    assert [error.id for error in scheme.errors] == list("1234567")
    assert scheme.errors[0].slug == "false_finding" and scheme.errors[6].slug == "inarticulate"
    assert [dimension.id for dimension in scheme.dimensions] == [
        "correctness",
        "specificity",
        "clinical_focus",
        "conciseness",
        "terminology",
    ]
    assert [scheme.key_of(f"preference.{i}") for i in range(1, 6)] == list("12345")
    assert (scheme.key_of("both_bad"), scheme.key_of("note"), scheme.key_of("flag")) == ("0", "w", "m")
    assert (scheme.key_of("skip"), scheme.key_of("undo"), scheme.key_of("reveal")) == (
        "space",
        "u",
        "exclamation_mark",
    )
    assert scheme.protocol.repeat_share == 0.10 and scheme.protocol.idle_cutoff_s == 60


MEANING_OF_DIGITS = {
    "main": "preference", "acceptability": "acceptability", "errors": "error", "dimensions": "dimension",
}  # fmt: skip


def test_every_key_of_a_mode_does_one_thing():
    scheme = default_scheme()
    for mode in MODES:
        live = [key for action, key in scheme.keys.items() if mode in modes_of(action)]
        assert len(set(live)) == len(live)
        on_one = {action for action, key in scheme.keys.items() if key == "1" and mode in modes_of(action)}
        assert on_one == {f"{MEANING_OF_DIGITS[mode]}.1"}
        assert mode in modes_of("note")


def test_ten_lines_make_a_scheme_that_inherits_the_rest():
    assert len(WARD.strip().splitlines()) <= 10
    scheme = parse_scheme(WARD)
    assert [dimension.id for dimension in scheme.dimensions] == ["urgency"]
    assert scheme.errors == default_scheme().errors
    assert scheme.key_of("skip") == "S" and scheme.key_of("note") == "ctrl+n" and scheme.key_of("flag") == "m"
    assert scheme.title == "my-ward" and scheme.version == 3


def test_a_left_out_question_loses_its_keys():
    scheme = parse_scheme('id="x"\nversion=1\nerrors=[]\ndimensions=[]\nacceptability=[]')
    assert scheme.errors == () and scheme.dimensions == () and scheme.acceptability == ()
    assert not any(action.startswith(("error.", "dimension.", "acceptability.")) for action in scheme.keys)


def test_three_levels_use_the_first_three_keys():
    levels = "".join(f'[[preference]]\nvalue={v}\nlabel="l{v}"\n' for v in (-1, 0, 1))
    scheme = parse_scheme(f'id="x"\nversion=1\n{levels}')
    assert [scheme.key_of(f"preference.{i}") for i in range(1, 5)] == ["1", "2", "3", ""]
    assert scheme.key_of("dimension.3") == "3" and scheme.key_of("dimension.4") == ""


def test_hash_follows_the_questions_and_not_the_keyboard():
    base = parse_scheme('id="x"\nversion=1')
    assert base.sha256 != default_scheme().sha256
    assert parse_scheme('version=1\nid="x"\n[keys]\nskip="S"').sha256 == base.sha256
    assert parse_scheme('id="x"\nversion=2').sha256 != base.sha256
    assert parse_scheme('id="x"\nversion=1\n[protocol]\nreference="never"').sha256 != base.sha256
    relabelled = dataclasses.replace(base, preference=base.preference[::-1])
    assert relabelled.sha256 != base.sha256
    assert len(base.sha256) == 64


def test_hash_of_the_default_is_pinned():
    # Ratings already stored carry this digest: a change of the questions needs a new version, and this line.
    assert default_scheme().version == 1
    assert default_scheme().sha256 == "d934dc7f64f43e55f3979a18891bffdfd02b4c0fd04d443430732bc66428eb2c"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('id="x"\nversion=1\n[keys]\nskip="m"', ("m", "`flag`", "`skip`")),
        ('id="x"\nversion=1\n[keys]\nundo="1"', ("preference.1", "`undo`")),
        ('id="x"\nversion=1\n[keys]\nerror_significance="4"', ("error.4", "`error_significance`")),
        ('id="x"\nversion=1\n[keys]\nskip="?"', ("question_mark", "`help`", "`skip`")),
        ('id="x"\nversion=1\n[keys]\nskipp="x"', ("skipp", "`skip`")),
        ('id="x"\nversion=1\n[keys]\nskip="ctrl+q"', ("ctrl+q", "quits")),
        ('id="x"\nversion=1\n[keys]\nskip=""', ("`skip`",)),
        ('id="x"\nversion=1\n[keys]\nskip="a b"', ("'a b'",)),
        ('id="x"', ("`version`",)),
        ("version=1", ("`id`",)),
        ('id="X y"\nversion=1', ("'X y'",)),
        ('id="x"\nversion="1"', ("version",)),
        ('id="x"\nversion=true', ("version",)),
        ('id="radtui-default"\nversion=1', ("radtui-default",)),
        ('id="x"\nversion=1\ndimension=[]', ("`dimension`", "`dimensions`")),
        ('id="x"\nversion=1\n[protocol]\nrepeat_share=0.9', ("repeat_share", "0.5")),
        ('id="x"\nversion=1\n[protocol]\nrepeat_gap=1.5', ("repeat_gap", "whole")),
        ('id="x"\nversion=1\n[protocol]\nreference="later"', ("before", "'later'")),
        ('id="x"\nversion=1\nkeys=3', ("[keys]",)),
        ('id="x"\nversion=1\n[[preference]]\nvalue=1\nlabel="B"', ("symmetric",)),
        (
            'id="x"\nversion=1\n[[preference]]\nvalue=1\nlabel="B"\n[[preference]]\nvalue=1\nlabel="A"',
            ("same",),
        ),
        ('id="x"\nversion=1\n[[acceptability]]\nvalue="1"\nlabel="B"', ("[[acceptability]]",)),
        ('id="x"\nversion=1\n[[errors]]\nid="1"\nslug="A B"', ("'A B'",)),
        ('id="x"\nversion=1\n[[dimensions]]\nid="a"\n[[dimensions]]\nid="a"', ("twice",)),
        ('id="x"\nversion=1\n[[dimensions]]\nid="a"\nweight=2', ("weight",)),
        ("id=", ("TOML",)),
    ],
)
def test_mistakes_are_named(text, words):
    with pytest.raises(UserError) as caught:
        parse_scheme(text, "ward.toml")
    for word in ("ward.toml", *words):
        assert word in str(caught.value)


def test_ten_categories_need_a_tenth_key():
    rows = "".join(f'[[errors]]\nslug="e{i}"\n' for i in range(10))
    with pytest.raises(UserError, match=r"error\.10"):
        parse_scheme(f'id="x"\nversion=1\n{rows}')
    assert parse_scheme(f'id="x"\nversion=1\n{rows}[keys]\n"error.10"="0"').key_of("error.10") == "0"


def test_a_scheme_from_before_keeps_its_keys_and_checked_none_takes_another():
    own = parse_scheme('id="x"\nversion=1\n[keys]\nflag="0"\nboth_bad="b"')
    assert own.key_of("flag") == "0" and own.key_of("checked_none") == "x"
    assert default_scheme().key_of("checked_none") == "0"


def test_load_by_id_by_path_and_missing(tmp_path):
    file = tmp_path / "ward.toml"
    file.write_text(WARD)
    assert load_scheme(file).id == "my-ward"
    assert load_scheme("radtui-default") is default_scheme()
    with pytest.raises(UserError, match=r"nowhere\.toml"):
        load_scheme("nowhere.toml")
    with pytest.raises(UserError, match="cannot be read"):
        load_scheme(tmp_path)


def test_keys_are_named_as_textual_names_them():
    from textual.keys import _character_to_key

    for character in "?/:;-_+=[]{}\\ !@#$%^&*()'\"`~<>,.|aZ5":
        assert normalise_key(character) == _character_to_key(character)
    assert normalise_key("shift+g") == "G" and normalise_key("Ctrl+N") == "ctrl+n"
    assert normalise_key("ctrl+?") == "ctrl+question_mark" and normalise_key("F2") == "f2"


def test_values_are_turned_towards_the_later_arm():
    assert toward_later(2, later_left=False) == 2  # B is the later arm's text
    assert toward_later(2, later_left=True) == -2
    assert toward_later(0, later_left=True) == 0
    assert toward_later(toward_later(1, later_left=True), later_left=True) == 1


ARMS = ["tuned", "gpt.csv", "my model v1.2", "error.1.significant", "checked", "a..b", ".significant"]


@pytest.mark.parametrize("arm", ARMS)
def test_answer_keys_round_trip_whatever_the_arm_is_called(arm):
    key = error_answer(arm, "4", significant=False)
    assert key == f"error.{arm}.4.insignificant"
    assert parse_error_answer(key) == (arm, "4", False)
    assert parse_answer(acceptability_answer(arm)) == ("acceptability", arm, "", False)
    assert parse_answer(checked_answer(arm)) == ("checked", arm, "", False)
    assert parse_answer(accepted_answer(arm)) == ("accepted", arm, "", False)


@pytest.mark.parametrize(
    "key", ["dim.correctness", "error.1.significant", "error..1.significant", "error.a.1", "checked."]
)
def test_other_keys_are_about_no_arm(key):
    assert parse_answer(key) is None and parse_error_answer(key) is None


def test_a_scheme_holds_answers_about_any_arm_to_its_own_questions():
    scheme = default_scheme()
    plain = {
        "acceptability.gpt.csv": 5,
        "error.gpt.csv.7.significant": 2,
        "checked.reference": 1,
        "dim.correctness": -1,
    }
    assert scheme.holds(rating(1, 1, answers=plain))
    for key, value in (
        ("acceptability.base", 6),
        ("error.base.8.significant", 1),
        ("dim.tone", 1),
        ("tone", 1),
    ):
        assert not scheme.holds(rating(1, 1, answers={key: value}))
    without = parse_scheme('id="x"\nversion=1\nerrors=[]')
    assert not without.holds(rating(1, 1, scheme="x", answers={"checked.base": 1}))


def test_a_rating_knows_its_sides_and_whether_anything_was_judged():
    row = rating(1, later_left=True, earlier_arm="base", later_arm="gpt.csv")
    assert (row.shown, row.left_arm, row.right_arm) == (("base", "gpt.csv"), "gpt.csv", "base")
    assert replace(row, later_left=False).left_arm == "base"
    assert row.empty and row.acceptability("gpt.csv") is None
    half = replace(row, answers={"acceptability.gpt.csv": 2, "checked.base": 1}, flagged=True, note="x")
    assert half.empty and half.acceptability("gpt.csv") == 2
    for fields in ({"preference": 0}, {"both_bad": True}, {"skipped": True}, {"corrections": {"base": "t"}},
                   {"answers": {accepted_answer("base"): 1}}):  # fmt: skip
        assert not replace(row, **fields).empty
