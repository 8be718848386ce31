"""Schemes: the default is what the design says, a short one inherits, and mistakes are named."""

import dataclasses

import pytest

from radtui.measures.scheme import (
    MODES,
    dimension_answer,
    error_answer,
    modes_of,
    parse_error_answer,
    toward_later,
)
from radtui.records import UserError, Variant
from radtui.study.scheme_file import default_scheme, load_scheme, normalise_key, parse_scheme

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
    assert (scheme.key_of("both_bad"), scheme.key_of("note"), scheme.key_of("flag")) == ("0", "n", "f")
    assert (scheme.key_of("skip"), scheme.key_of("undo"), scheme.key_of("reveal")) == ("space", "u", "g")
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
    assert scheme.key_of("skip") == "S" and scheme.key_of("note") == "ctrl+n" and scheme.key_of("flag") == "f"
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
        ('id="x"\nversion=1\n[keys]\nskip="f"', ("f", "`flag`", "`skip`")),
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


def test_values_are_turned_towards_the_later_variant():
    assert toward_later(2, Variant.BASE, Variant.TUNED) == 2  # B is the tuned text
    assert toward_later(2, Variant.TUNED, Variant.BASE) == -2
    assert toward_later(0, Variant.TUNED, Variant.BASE) == 0
    assert toward_later(1, Variant.DPO, Variant.TUNED) == -1


def test_answer_keys_round_trip():
    key = error_answer(Variant.TUNED, "4", significant=False)
    assert key == "error.tuned.4.insignificant"
    assert parse_error_answer(key) == (Variant.TUNED, "4", False)
    assert parse_error_answer(dimension_answer("correctness")) is None
