"""The report: everything in one file, nothing in it runs, its numbers are the statistics', and losses are told."""

from __future__ import annotations

import base64
import re
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from radtui.export.report import write_report
from radtui.export.report.document import Document, Examples, FindingTone, Point, Section, ShownExample
from radtui.export.report.findings import findings, introduced
from radtui.export.report.gather import gather, report_study
from radtui.export.report.markdown import markdown_page, plain
from radtui.export.report.page import CLIPPED, html_page
from radtui.export.report.plots import DARK_TONES, LIGHT_TONES, ErrorRow, Leaning, errors_svg, preference_svg
from radtui.export.report.sections import WARNING, compose
from radtui.harmless import visible
from radtui.measures.intervals import Estimate
from radtui.measures.scores import ScoredText, compare_scores
from radtui.measures.words import share
from radtui.paths import DataDir
from radtui.records import Job, JobKind, UserError
from radtui.store import jobs, metrics, ratings, studies
from radtui.study.scheme_file import default_scheme
from tests.commands import invoked
from tests.unit.test_store import rating, study_of

SCHEME = default_scheme()
TITLES = [
    "Overview", "Initial model", "Implementation and settings", "Data set", "Before and after",
    "Performance analysis", "Key improvements", "What got worse", "How far to trust the ratings",
    "Which score may stand in for these readers", "Protocol, and what changed", "Limits",
    "Methods, in one paragraph", "Reporting checklists", "All settings",
]  # fmt: skip
NASTY = "<script>alert(1)</script><img src=x onerror=alert(2)> {{ 7*7 }} \x1b[31m\u202e]]> &amp; \"'><svg onload=a>"


class Reader(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.feed(page)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.words.append(data)


@pytest.fixture
def told_job(db: sqlite3.Connection, reviewed_job: Job) -> Job:
    """The reviewed job with a loss curve, ratings of two raters, errors, and a nasty text on each side."""
    train = reviewed_job.parent_job_id
    assert train is not None
    for step in range(1, 9):
        metrics.log_step(
            db, train, step, 8, step / 8, step * 1.0, {"loss": 3 / step, "eval_loss": 3.2 / step}
        )
    jobs.set_result(
        db, train, images=6, trainable_parameters=500, total_parameters=10_000, seconds=75.0,
        versions={"torch": "2.13.0"}, substitutions=["32-bit weights: no CUDA"],
    )  # fmt: skip
    ids = studies.comparison_ids(db, study_of(db, reviewed_job))
    db.execute("UPDATE texts SET text = ? WHERE case_id = ? AND adapter = ''", (NASTY, ids[0]))
    db.execute("UPDATE cases SET reference = ? WHERE id = ?", (NASTY, ids[0]))
    for n, image_id in enumerate(ids):
        answers = {"dim.correctness": 1, "error.base.2.significant": 1, "acceptability.base": 2,
                   "acceptability.tuned": 4}  # fmt: skip
        if n == 4:
            answers["error.tuned.3.significant"] = 2
            del answers["error.base.2.significant"]
        ratings.add(db, rating(
            study_of(db, reviewed_job).id, image_id, (2, 1, 1, 0, -2, None)[n], both_bad=n == 5, answers=answers,
            note=NASTY,
        ))  # fmt: skip
        ratings.add(
            db,
            rating(
                study_of(db, reviewed_job).id,
                image_id,
                (2, 2, 1, 0, -1, None)[n],
                both_bad=n == 5,
                rater=NASTY,
            ),
        )
    return reviewed_job


def page_of(data: DataDir, db: sqlite3.Connection, job: Job) -> str:
    """The HTML report on a job."""
    return html_page(compose(gather(data, db, study_of(db, job), SCHEME)))


def test_the_page_has_every_part_and_needs_nothing_else(
    data: DataDir, db: sqlite3.Connection, told_job: Job
) -> None:
    page = page_of(data, db, told_job)
    seen = Reader(page)
    titles = re.findall(r'<h2><span class="number">\d+</span> (.*?)</h2>', page)
    assert titles == TITLES
    assert WARNING in seen.text and "diagnos" not in seen.text.lower()
    outside = [
        v for n, v in seen.attributes if n in ("src", "href") and not v.startswith(("data:image/jpeg;", "#"))
    ]
    assert outside == [] and "@import" not in page and "url(" not in page
    assert seen.tags.count("img") == 6
    pictures = [v for n, v in seen.attributes if n == "src"]
    assert all(base64.b64decode(uri.partition(",")[2]).startswith(b"\xff\xd8") for uri in pictures)
    assert "prefers-color-scheme: dark" in page and "size: A4" in page


def test_nothing_that_a_model_or_person_wrote_is_markup(
    data: DataDir, db: sqlite3.Connection, told_job: Job
) -> None:
    seen = Reader(page_of(data, db, told_job))
    assert "script" not in seen.tags and not [name for name, _ in seen.attributes if name.startswith("on")]
    assert " ".join(visible(NASTY).split()) in seen.text
    assert "\x1b" not in seen.text and "\u202e" not in seen.text and "{{ 7*7 }}" in seen.text


def test_its_numbers_are_those_of_the_statistics(
    data: DataDir, db: sqlite3.Connection, told_job: Job
) -> None:
    told = gather(data, db, study_of(db, told_job), SCHEME)
    seen = Reader(html_page(compose(told)))
    summary = told.summary
    assert summary.n == 12 and share(summary.preference.win_rate) in seen.text
    assert share(summary.side.chosen_left) in seen.text
    assert "too few to conclude" in seen.text
    assert "500 of 10,000 (5.00 %)" in seen.text and "1 min 15 s" in seen.text
    assert "32-bit weights: no CUDA" in seen.text


def test_what_got_worse_is_told_even_where_no_test_notices(
    data: DataDir, db: sqlite3.Connection, told_job: Job
) -> None:
    points = {point.claim: point for point in introduced(gather(data, db, study_of(db, told_job), SCHEME))}
    assert points["Pairs in which the base text was preferred"].figures == "2 of 12"
    assert points["Pairs in which both texts were bad"].figures == "2 of 12"
    assert (
        points["Significant error in the tuned text where the base text had none"].figures
        == "1 of 12 ratings"
    )
    assert points["Incorrect location/position of finding"].tone is FindingTone.WORSE
    assert "Omission of finding" not in points  # the tuned model omits less


def test_better_and_worse_need_the_numbers_behind_them(
    data: DataDir, db: sqlite3.Connection, told_job: Job
) -> None:
    told = gather(data, db, study_of(db, told_job), SCHEME)
    points = {point.claim: point.tone for point in findings(told)}
    assert points["The tuned text is preferred"] is FindingTone.OPEN  # 10 decided pairs are too few
    assert points["Acceptability"] is FindingTone.BETTER
    scale = told.summary.acceptability
    assert scale is not None
    turned = replace(scale, difference=replace(scale.difference, value=-1.0, low=-1.5, high=-0.5))
    worse = replace(told, summary=replace(told.summary, acceptability=turned))
    assert {p.claim: p.tone for p in findings(worse)}["Acceptability"] is FindingTone.WORSE
    unsure = replace(scale, difference=replace(scale.difference, low=-0.1, high=0.5))
    left_open = replace(told, summary=replace(told.summary, acceptability=unsure))
    assert {p.claim: p.tone for p in findings(left_open)}["Acceptability"] is FindingTone.OPEN
    equal = replace(scale, difference=replace(scale.difference, value=1.0, low=None, high=None))
    told_by_test = replace(told, summary=replace(told.summary, acceptability=equal))
    assert {p.claim: p.tone for p in findings(told_by_test)}["Acceptability"] is FindingTone.BETTER
    untested = replace(told, summary=replace(told.summary, acceptability=replace(scale, wilcoxon_p=0.5)))
    assert {p.claim: p.tone for p in findings(untested)}["Acceptability"] is FindingTone.OPEN


@pytest.mark.parametrize(("texts", "tone"), [(2, FindingTone.OPEN), (20, FindingTone.BETTER)])
def test_bootstraps_of_a_few_texts_decide_nothing(
    data: DataDir, db: sqlite3.Connection, told_job: Job, texts: int, tone: FindingTone
) -> None:
    """However far apart they are: the same two arms over the same cases, compared in pairs."""
    told = gather(data, db, study_of(db, told_job), SCHEME)
    reference = "No pleural effusion. The heart is of normal size."
    compared = compare_scores(
        {
            "base": [ScoredText(f"A picture {number}.", reference) for number in range(texts)],
            "tuned": [ScoredText("No pleural effusion. The heart is normal.", reference)] * texts,
        }
    )
    found = {point.claim: point.tone for point in findings(replace(told, differences=tuple(compared)))}
    assert found["ROUGE-L"] is tone


def test_examples_are_chosen_by_rule_losses_among_them(
    data: DataDir, db: sqlite3.Connection, told_job: Job
) -> None:
    ids = studies.comparison_ids(db, study_of(db, told_job))
    chosen = [example.case.id for example in gather(data, db, study_of(db, told_job), SCHEME).examples]
    assert chosen == [ids[0], ids[1], ids[4], ids[3], ids[5], ids[2]]


def test_a_job_that_nobody_rated_says_so(data: DataDir, db: sqlite3.Connection, reviewed_job: Job) -> None:
    seen = Reader(page_of(data, db, reviewed_job))
    assert "Nobody has rated" in seen.text and "How far to trust" not in seen.text
    assert seen.tags.count("img") == 6 and "not rated" in seen.text


def test_an_image_that_is_gone_leaves_a_sentence(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job
) -> None:
    for blob in (data.root / "images").rglob("*"):
        if blob.is_file():
            blob.unlink()
    assert "cannot be read any more" in page_of(data, db, reviewed_job)


def test_a_long_text_is_cut_with_its_length(data: DataDir, db: sqlite3.Connection, reviewed_job: Job) -> None:
    db.execute("UPDATE texts SET text = ? WHERE adapter = 'tuned'", ("word " * 2000,))
    seen = Reader(page_of(data, db, reviewed_job))
    assert f"({10_000 - CLIPPED:,} more characters)" in seen.text


def test_both_forms_through_the_command(
    data: DataDir, db: sqlite3.Connection, told_job: Job, tmp_path: Path
) -> None:
    for job_id in (told_job.id, told_job.parent_job_id):
        for suffix in (".html", ".md"):
            out = tmp_path / f"report-{job_id}{suffix}"
            done = invoked(data, "report", job_id, "--out", out)
            assert done.exit_code == 0 and f"Report on job {told_job.id}" in done.output
            assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    markdown = (tmp_path / f"report-{told_job.id}.md").read_text(encoding="utf-8")
    assert [line.partition(". ")[2] for line in markdown.splitlines() if line.startswith("## ")] == TITLES


def test_what_cannot_be_told_is_one_sentence(
    data: DataDir, db: sqlite3.Connection, reviewed_job: Job, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"neither \.html nor \.md"):
        write_report(data, db, study_of(db, reviewed_job), SCHEME, tmp_path / "x.pdf")
    alone = jobs.create(db, JobKind.TRAIN, "alone", "drawn", {})
    with pytest.raises(UserError, match="radtui generate --train-job"):
        report_study(db, alone)
    importing = jobs.create(db, JobKind.IMPORT, "import", "drawn", {})
    with pytest.raises(UserError, match="no pair of descriptions"):
        report_study(db, importing)
    assert list(tmp_path.glob("x.*")) == []


def test_drawings_are_whole_svg_with_every_count(
    data: DataDir, db: sqlite3.Connection, told_job: Job
) -> None:
    rows = [Leaning(NASTY, (1, 20, 30, 40, 50), "+0.5"), Leaning("none", (0, 0, 0, 0, 0), "-")]
    pairs = [ErrorRow("a", Estimate(0.5, 0.2, 0.9, 9, "x"), Estimate(None, None, None, 0, "x"))]
    for tones in (LIGHT_TONES, DARK_TONES):
        drawn = ElementTree.fromstring(preference_svg(rows, tones, ("base", "tuned")))
        texts = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
        assert {"20", "30", "40", "50"} <= set(texts)
        bars = [e for e in drawn.iter("{http://www.w3.org/2000/svg}rect") if e.get("height") == "22"]
        widths = [float(bar.get("width") or 0) for bar in bars]
        assert widths[4] / widths[1] == pytest.approx(50 / 20, rel=0.01)
        edges = [
            (float(b.get("x") or 0), float(b.get("x") or 0) + w) for b, w in zip(bars, widths, strict=True)
        ]
        assert min(edges)[0] >= 214 - 1 and max(e[1] for e in edges) <= 960 - 200 + 1
        ElementTree.fromstring(errors_svg(pairs, tones, "a report", ("base", "tuned")))
    for svg in re.findall(r"<svg.*?</svg>", page_of(data, db, told_job), re.DOTALL):
        ElementTree.fromstring(svg)


def document_of(text: str) -> Document:
    """A report whose example holds a text in every place a person or model can fill."""
    shown = ShownExample(
        text, "equal", FindingTone.OPEN, b"", 0, 0, text, (("Before", text), ("After", text)), (text,)
    )
    return Document(text, "lead", WARNING, (), (Section("x", "X", (Examples((shown,)),)),), "end")


NASTY_MARKDOWN = [
    "- mild edema", "1. first\n2) second", "# head", "a | b", "[x](http://y)", "![x](y)", "*a* _b_ `c` ~~d~~",
    "<b>x</b>",
    "---", "===\n", "    code", "> quote", "a\\b", "&lt;", "http://example.org", "$x^2$", "+ plus", "[ref]: data:x",
    "\tx",
    "a  \nb", "~~~\nx", "x@y.org", "\x1b[1m", "",
]  # fmt: skip


def rendered_words(text: str) -> tuple[str, set[str]]:
    """What a reader sees of a Markdown report on a text, and the kinds of blocks and inlines in it."""
    parser = MarkdownIt("commonmark", {"html": True}).enable("table").enable("strikethrough")
    tokens = parser.parse(markdown_page(document_of(text)))
    words, kinds = [], set()
    for token in tokens:
        kinds.add(token.type)
        for child in token.children or []:
            kinds.add(child.type)
            words.append(child.content if child.type == "text" else " " if "break" in child.type else "")
        words.append(" ")
    return " ".join("".join(words).split()), kinds


STRUCTURE = {
    "html_block", "html_inline", "bullet_list_open", "ordered_list_open", "code_inline", "code_block", "fence",
    "link_open", "image", "table_open", "s_open",
}  # fmt: skip


@pytest.mark.parametrize("text", NASTY_MARKDOWN)
def test_a_text_is_no_structure_of_the_markdown(text: str) -> None:
    words, kinds = rendered_words(text)
    assert not kinds & STRUCTURE
    assert " ".join(visible(text).split()) in words


@given(st.text(alphabet=st.sampled_from("ab 1.)-+*_#>|`~[]()!<>&\\\n\t=:@$^{}\"'\x00\u202e😀")))
@settings(max_examples=200, deadline=None)
def test_no_text_becomes_structure_of_the_markdown(text: str) -> None:
    words, kinds = rendered_words(text)
    assert not kinds & STRUCTURE
    assert " ".join(visible(text).split()) in words


def test_plain_is_one_line() -> None:
    assert plain("a\nb\t*c*") == "a b \\*c\\*"
    assert Point(FindingTone.BETTER, "a", "b").tone.value == "better"


@pytest.mark.parametrize("missing", ["train", "truth"])
def test_a_run_of_which_little_is_known_is_told_too(
    data: DataDir,
    db: sqlite3.Connection,
    reviewed_job: Job,
    missing: str,
    add_images: Callable[..., list[int]],
) -> None:
    if missing == "train":
        db.execute("UPDATE jobs SET parent_job_id = NULL WHERE id = ?", (reviewed_job.id,))
    else:
        db.execute("DELETE FROM truths")
        db.execute("UPDATE cases SET reference = '', examination = ''")
    job = jobs.must_get(db, reviewed_job.id)
    seen = Reader(page_of(data, db, job))
    assert ("were not trained" in seen.text or "was not trained" in seen.text) == (missing == "train")
    assert ("F1" in seen.text) == (missing == "train")


def test_the_time_of_the_training_loop_and_of_the_whole_job_are_told_apart(
    data: DataDir, db: sqlite3.Connection, told_job: Job
) -> None:
    db.execute("UPDATE jobs SET started_at = 1000, ended_at = 1100 WHERE id = ?", (told_job.parent_job_id,))
    said = "1 min 15 s; 1 min 40 s from the job's start to its end, loading included"
    assert said in markdown_page(compose(gather(data, db, study_of(db, told_job), SCHEME)))
