"""CSV in any dialect and encoding, and lines that are damaged: rejoined where certain, else named and left out."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from radtui.records import Problem
from radtui.sources.readers import Row
from radtui.sources.readers.delimited import Delimited

WORDS = st.sampled_from(
    ["No pneumothorax", "effusion", "5 cm", "links, rechts", "a;b", "tab\there", 'said "no"', "it's", "line\nbreak",
     "Größe 0,5", "肺野清晰", "back\\slash", "end.", "x|y", "crlf\r\nline"]
)  # fmt: skip
TEXTS = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
ROWS = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=8)


def table(data: bytes | str, **said: str) -> Delimited:
    raw = data if isinstance(data, bytes) else data.encode()
    return Delimited("t.csv", lambda: io.BytesIO(raw), **said)


def read(data: bytes | str, **said: str) -> tuple[list[dict[str, object]], list[Problem]]:
    rows = list(table(data, **said).rows())
    return [row.cells for row in rows if isinstance(row, Row)], [
        row for row in rows if isinstance(row, Problem)
    ]


@settings(max_examples=150, deadline=None)
@given(
    rows=ROWS, delimiter=st.sampled_from([",", ";", "\t", "|", "^"]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n"]), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)  # fmt: skip
def test_what_csv_writes_comes_back_text_for_text(
    rows: list[tuple[str, str]], delimiter: str, quoting: int, end: str, encoding: str
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=end)
    writer.writerow(["file_name", "text", "note"])
    for number, (text, note) in enumerate(rows):
        writer.writerow([f"{number}.png", text, note])
    cells, problems = read(out.getvalue().encode(encoding))
    assert not problems
    assert [(row["text"], row["note"]) for row in cells] == rows


@settings(max_examples=100, deadline=None)
@given(
    rows=ROWS, delimiter=st.sampled_from([",", ";", "\t", "|", "^"]), quotechar=st.sampled_from(['"', "'"]),
    quoting=st.sampled_from([csv.QUOTE_NONE, csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), end=st.sampled_from(["\n", "\r\n"]),
)  # fmt: skip
def test_what_csv_escapes_comes_back_text_for_text(
    rows: list[tuple[str, str]], delimiter: str, quotechar: str, quoting: int, end: str
) -> None:
    out = io.StringIO(newline="")
    # Without quotes, csv escapes only the signs that end its lines: a bare return in a text would end the row.
    end = "\r\n" if quoting == csv.QUOTE_NONE else end
    writer = csv.writer(
        out, delimiter=delimiter, quotechar=quotechar, quoting=quoting, lineterminator=end, doublequote=False,
        escapechar="\\",
    )  # fmt: skip
    writer.writerow(["file_name", "text", "note"])
    # Without an escaped sign, nothing tells that a backslash is more than itself.
    rows = [*rows, (f"a {quotechar} b {delimiter}", f"c {delimiter} {quotechar}")]
    for number, (text, note) in enumerate(rows):
        writer.writerow([f"{number}.png", text, note])
    cells, problems = read(out.getvalue())
    assert not problems
    assert [(row["text"], row["note"]) for row in cells] == rows


@settings(max_examples=60, deadline=None)
@given(
    rows=ROWS, sep=st.sampled_from([",", ";", "\t"]), quotechar=st.sampled_from(['"', "'"]),
    escaped=st.booleans(),
)  # fmt: skip
def test_what_pandas_writes_comes_back_text_for_text(
    rows: list[tuple[str, str]], sep: str, quotechar: str, escaped: bool
) -> None:
    pandas = pytest.importorskip("pandas")
    # Without an escaped quote, nothing tells that a backslash is more than itself.
    rows = [*rows, (f"a {quotechar} b", "")] if escaped else rows
    frame = pandas.DataFrame(
        {"file_name": [f"{n}.png" for n in range(len(rows))], "text": [text for text, _ in rows]}
    )
    options = {"doublequote": False, "escapechar": "\\"} if escaped else {}
    written = frame.to_csv(index=False, sep=sep, quotechar=quotechar, quoting=csv.QUOTE_ALL, **options)
    cells, problems = read(written)
    assert not problems
    assert [row["text"] for row in cells] == [text for text, _ in rows]


def test_unquoted_commas_are_rejoined_where_only_one_column_can_be_text() -> None:
    cells, problems = read("file_name,text\n0.png,No pneumothorax, but large effusion.\n1.png,Normal.\n")
    assert [row["text"] for row in cells] == ["No pneumothorax, but large effusion.", "Normal."]
    assert not problems


def test_unquoted_commas_are_named_where_two_columns_could_be_text() -> None:
    text = "file_name,findings,impression\n0.png,Clear lungs seen.,No disease seen.\n"
    text += "1.png,No effusion, no mass,Normal chest.\n"
    cells, problems = read(text)
    assert [row["file_name"] for row in cells] == ["0.png"]
    assert [problem.where for problem in problems] == ["t.csv, line 3"]
    assert "4 cells, more than the 3" in problems[0].reason


def test_a_quote_that_is_not_closed_swallows_no_row() -> None:
    lines = 'file_name,text\n0.png,Normal.\n1.png,"Tube tip 5 cm\n2.png,No effusion.\n3.png,"Clear lungs"\n'
    cells, problems = read(lines)
    assert [row["file_name"] for row in cells] == ["0.png", "2.png", "3.png"]
    assert [(problem.where, "quote" in problem.reason) for problem in problems] == [("t.csv, line 3", True)]


def test_quotes_inside_and_backslashes() -> None:
    lines = 'file_name,text\n0.png,"He said \\"no pain\\", no effusion"\n1.png,5" tube\n2.png,"a ""b"" c"\n'
    assert [row["text"] for row in read(lines)[0]] == ['He said "no pain", no effusion', '5" tube', 'a "b" c']


def test_an_unquoted_text_over_two_lines_is_one_text() -> None:
    cells, problems = read("file_name,text\n0.png,Effusion on\nthe left side.\n1.png,Normal chest.\n")
    assert [row["text"] for row in cells] == ["Effusion on\nthe left side.", "Normal chest."]
    assert [each.where for each in problems] == ["t.csv, line 3"]
    assert "is taken as the rest of the text before it" in problems[0].reason


@pytest.mark.parametrize(
    ("lines", "columns"),
    [
        ("sep=;\nfile_name;text\n0.png;a, b\n", ("file_name", "text")),
        ("Bild;Befund, Diagnose\n0.png;Kein Erguss, Größe 0,5 cm\n", ("Bild", "Befund, Diagnose")),
        ("0.png,A sentence.\n1.png,Another one.\n", ("column 1", "column 2")),
        ("ROCO_00001\tA finding here\nROCO_00002\tB finding\n", ("column 1", "column 2")),
        ("file_name,text,\n0.png,a,\n", ("file_name", "text")),
    ],
)
def test_headers(lines: str, columns: tuple[str, ...]) -> None:
    assert table(lines).columns == columns


def test_a_missing_header_is_said() -> None:
    assert "no header" in table("0.png,A sentence.\n1.png,Another one.\n").notes[0].reason


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("双肺纹理增粗，心影增大，右侧第三肋骨折。", "gb18030"),
        ("Лёгкие без очаговых и инфильтративных изменений.", "cp1251"),
        ("Fièvre, cliché debout, épanchement à gauche.", "utf-16-le"),
        ("Keine Infiltrate, kein Erguss, Größe unverändert.", "cp1252"),
        ("Größe und Übergänge unverändert, großer Erguss.", "cp850"),
        ("Größe und Übergänge unverändert, großer Erguss.", "mac_roman"),
        ("Σκιαγραφικό χωρίς παθολογικά ευρήματα στους πνεύμονες.", "cp1253"),
    ],
)
def test_encodings_are_found(text: str, encoding: str) -> None:
    lines = "file_name,text\n" + "".join(f'{n}.png,"{text}"\n' for n in range(4))
    assert {row["text"] for row in read(lines.encode(encoding))[0]} == {text}


def test_a_guessed_encoding_is_said_and_a_named_one_is_used() -> None:
    raw = "file_name,text\n0.png,Größe\n".encode("cp1252")
    assert "guessed as cp1252" in table(raw).notes[0].reason
    assert not table(raw, encoding="cp1252").notes
    assert read(raw, encoding="cp1252")[0][0]["text"] == "Größe"


def test_a_damaged_byte_leaves_out_its_row_alone() -> None:
    raw = "file_name,text\n0.png,Größe normal.\n1.png,".encode() + b"caf\xe9\n2.png,Normal.\n"
    cells, problems = read(raw)
    assert [row["text"] for row in cells] == ["Größe normal.", "Normal."]
    assert problems[0].where == "t.csv, line 3" and "no letters in utf-8" in problems[0].reason


def test_titles_and_comments_above_a_table_are_not_its_header() -> None:
    text = (
        "# exported 2024\n\nReports of the clinic\n\nimage;report\na.png;Clear.\nb.png;Wide.\nc.png;Small.\n"
    )
    found = table(text)
    assert found.columns == ("image", "report")
    assert [row.cells["report"] for row in found.rows() if isinstance(row, Row)] == [
        "Clear.",
        "Wide.",
        "Small.",
    ]


def test_a_text_in_the_place_of_a_number_is_not_taken_for_one() -> None:
    cells, problems = read(
        "image,age,report\n0.png,50,Fine lungs.\n1.png,Normal heart here\n2.png,60,Good lungs.\n"
    )
    assert [row["image"] for row in cells] == ["0.png", "2.png"]
    assert [problem.where for problem in problems] == ["t.csv, line 3"]


def test_a_short_last_text_is_no_key() -> None:
    cells, problems = read(
        "image,findings,impression\n0.png,Clear lungs, no effusion,Normal\n1.png,Fine,Good\n2.png,Ok,Bad\n"
    )
    assert [row["image"] for row in cells] == ["1.png", "2.png"]
    assert "line 2" in problems[0].where


def test_a_line_that_begins_with_a_path_is_not_the_rest_of_a_text() -> None:
    cells, _ = read("image,report\n0.png,Clear lungs.\n../../etc/passwd,no text\n1.png,Wide heart.\n")
    assert cells[0]["report"] == "Clear lungs."
