"""Shown text: no format gives a model away, nothing in it steers the terminal, and no clinical sign is lost."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radtui.harmless import visible
from radtui.measures.text import normalise, sentences, without_format, word_count


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("**Findings:** _no_ effusion.", "Findings: no effusion."),
        ("***Impression***", "Impression"),
        ("# Impression\nNo fracture", "Impression. No fracture"),
        ("- Mild edema\n- Small effusion.\n* Cardiomegaly", "Mild edema. Small effusion. Cardiomegaly."),
        ("1. Nodule\n2. Mass\n\n3) Effusion", "Nodule. Mass. Effusion."),
        ("```text\nNo effusion\n```", "No effusion"),
        ("See `apex` and [guide](https://x.org/a).", "See apex and guide."),
        ("| Side | Finding |\n|---|---|\n| Left | Effusion |", "Side, Finding. Left, Effusion."),
        ("> Quoted text", "Quoted text"),
        ("First line\n\n\n  second\tline\u00a0here ", "First line second line here"),
        ("<b>No</b> effusion<br/>Clear", "No effusion Clear"),
        ("a\n---\nb", "a b"),
        ("a\r\nb\rc\u2028d", "a b c d"),
    ],
)
def test_format_is_stripped(text, shown):
    assert normalise(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "T2*-weighted image, T2* signal loss",
        "A 2 * 3 * 4 cm mass",
        "nodule < 5 mm and > 3 mm, <6 mm",
        "field_of_view and __init",
        "4. rib fracture",
        "Grade II/III; 10 cm²; 37.5 °C; α-fetoprotein",
        '=HYPERLINK("http://x")',
        "[bold]red[/bold] and [1, 2]",
        "L5/S1 (left), 50-60 %",
        "التهاب رئوي",
        "-5 HU",
        "snake_case_word",
    ],
)
def test_clinical_text_is_left_alone(text):
    assert normalise(text) == text


def test_a_measure_at_the_start_of_a_broken_line_is_no_list():
    assert (
        normalise("The mass measures\n3. It is solid\n7. Other")
        == "The mass measures 3. It is solid 7. Other"
    )


def test_controls_are_shown_and_obeyed_by_nobody():
    assert visible("\x1b[31mred\x07\x00\x7f\x9b2J") == "␛[31mred␇␀␡⟨U+009B⟩2J"
    assert visible("a\u202egpj.exe\u202c") == "a⟨U+202E⟩gpj.exe⟨U+202C⟩"
    assert visible("\u2066x\u2069 \ud800") == "⟨U+2066⟩x⟨U+2069⟩ ⟨U+D800⟩"
    assert visible("zero\u200bwidth\ufeff\u00ad\u200e") == "zerowidth"
    assert visible("می\u200cخواهم\n\t") == "می\u200cخواهم\n\t"


@given(st.text())
def test_nothing_that_steers_a_terminal_is_left(text):
    shown = normalise(text)
    assert "\n" not in shown and shown == shown.strip() and "  " not in shown
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in shown)
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
    shown.encode("utf-8")


@given(st.text(alphabet="ab.,1 \n", max_size=60))
def test_plain_text_keeps_its_words(text):
    assert word_count(normalise(text)) <= word_count(text) + 1
    assert [c for c in normalise(text) if c.isalpha()] == [c for c in text if c.isalpha()]


@pytest.mark.parametrize(
    "unit", ["_", "*a", "*a ", "`", "` ", "| a ", "[", "[a](", "-", "**", "<b", "1. \n", "\x1b", "e\u0301"]
)
def test_long_and_odd_text_is_quick(unit):
    started = time.process_time()
    normalise(unit * (10_000 // len(unit)) + "x")
    assert time.process_time() - started < 0.5


def test_words_are_counted_as_a_reader_would():
    assert word_count("T2-weighted axial image, 1.5 cm (patient's left).") == 7
    assert word_count("") == 0 and word_count(" — … ") == 0


def test_sentences_survive_numbers_and_abbreviations():
    assert sentences("A 1.5 cm nodule. No effusion! Is it? Yes") == [
        "A 1.5 cm nodule.",
        "No effusion!",
        "Is it?",
        "Yes",
    ]
    assert sentences("See Fig. 2 for details. Seen by Dr. A. Smith.") == [
        "See Fig. 2 for details.",
        "Seen by Dr. A. Smith.",
    ]
    assert sentences("e.g. Pneumonia vs. Edema.") == ["e.g. Pneumonia vs. Edema."]
    assert sentences("Line one\nline two\n\n") == ["Line one", "line two"]
    assert sentences("") == []


@given(st.text("aB1 .-:)#>=+('\"*_`<[|~\n", max_size=40).map(lambda rest: f"a{rest}"))
def test_a_plain_text_takes_the_short_way_to_the_same_words(text: str) -> None:
    assert normalise(text) == without_format(text)
