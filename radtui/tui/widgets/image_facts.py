"""Everything known about one case, as text: its question, reference, findings, file, trouble, and what models wrote."""

from __future__ import annotations

import re

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from radtui.harmless import visible
from radtui.plural import many
from radtui.records import NO_IMAGE, Case, CaseImage, Description, Truth

MATCH = "bold $accent"
_KEYWORD = re.compile("[A-Z][a-z]+(?:[A-Z][a-z]+)+|Modality|Laterality")
IN_FORMAT = "PhotometricInterpretation"  # of DICOM files, whose format names it
NAME_CELLS = 16  # the longest name that the column of names grows for
MOST_MARKS = 12  # of images of a case: more would leave no room for the words behind them
MOST_CHARACTERS = 20_000  # of a text that are drawn: some ten times the longest report
FACTS_SHOWN = 12  # columns of a source beyond these are rarely read and would push the rest away


class ImageFacts(VerticalScroll):
    """The facts of one case in a box that scrolls."""

    DEFAULT_CSS = """
    ImageFacts { padding: 0 1; scrollbar-size-vertical: 1; }
    ImageFacts:focus { background: $surface; }
    ImageFacts > Static { width: 1fr; height: auto; }
    """

    def __init__(self, *, sized: bool = False) -> None:
        """With `sized`, only as many rows as the question and the reference need; the rest is scrolled to."""
        super().__init__()
        self._sized = sized
        self._text_of: Case | None = None
        self._image_of: tuple[int, int] | None = None  # id of the case, and which of its images

    def compose(self):  # type: ignore[no-untyped-def]  # ComposeResult, as in every widget
        """One text."""
        yield Static("", markup=False)

    def show(self, case: Case, written: list[Description], words: list[str], at: int = 0) -> None:
        """Show a case's facts.

        Args:
            case: Any.
            written: Descriptions of it, newest first.
            words: What is searched for, to be marked.
            at: Which of its images is drawn, from 0.
        """
        self.query_one(Static).update(facts(case, written, words, at))
        if (case.id, at) != self._image_of:  # the same one again, as while an import goes on, is being read
            self.scroll_home(animate=False)
        self._text_of, self._image_of = case, (case.id, at)
        self.fit_text()

    def on_resize(self) -> None:
        """Another width wraps the text into other lines."""
        self.fit_text()

    def fit_text(self) -> None:
        """Take the rows that the text needs, up to the style's limit, and leave the others to the image."""
        if not self._sized:
            return
        if self.screen.has_class("-wide"):
            self.styles.clear_rule("height")
        elif self._text_of is not None:
            self.styles.height = text_rows(self._text_of, self.size.width - 3)

    def clear(self) -> None:
        """Show nothing."""
        self._image_of = None
        self.query_one(Static).update("")


def facts(case: Case, written: list[Description], words: list[str], at: int = 0) -> Content:
    """All parts of the text, most important first."""
    parts = [_trouble(case), _which(case, at)]
    if question := drawable(case.question):
        parts += [_title("Question"), marked(question, words), Content("")]
    reference = drawable(case.reference)
    if reference:
        parts += [_title("Reference"), marked(reference, words), Content("")]
    elif not case.error:
        parts += [
            _title("Reference"),
            Content.styled("This image came without a text.", "$muted"),
            Content(""),
        ]
    if case.truth:
        parts += [_title("Findings"), *(Content(finding(truth)) for truth in case.truth), Content("")]
    parts += _descriptions(written)
    parts += [_title("Image"), *_pairs([*_file(case, at), *_more(case)])]
    return Content("\n").join([part for part in parts if part is not None])


def text_rows(case: Case, columns: int) -> int:
    """Rows of what is read beside the image: why it cannot be, question and reference, without what follows."""
    parts = [case.question, case.reference or "-"]
    texts = [drawable(text) for text in parts if text.strip()]
    rows = sum(1 + len(Content(text).wrap(max(8, columns))) for text in texts) + len(texts) - 1
    return rows + (len(_trouble(case) or ()) > 0) * 3 + (len(case.images) > 1)


def drawable(text: str) -> str:
    """A text made harmless, and cut where laying it out would hold up the screen: a megabyte takes seconds."""
    if len(text) <= MOST_CHARACTERS:
        return visible(text).strip()
    left_out = len(text) - MOST_CHARACTERS
    return f"{visible(text[:MOST_CHARACTERS]).strip()}\n… {left_out:,} more characters: radtui cases --jsonl has all."


def finding(truth: Truth) -> str:
    """One known finding in words: "nodule, small, left upper"."""
    place = " ".join(word for word in (truth.side, truth.zone) if word)
    return ", ".join(word for word in (truth.finding, truth.size, place) if word)


def marked(text: str, words: list[str]) -> Content:
    """Plain text in which the beginnings of words that were searched for stand out."""
    content = Content(text)
    wanted = [re.escape(word) for word in words if word]
    if not wanted:
        return content
    for match in re.finditer(r"\b(?:" + "|".join(wanted) + r")\w*", text, re.IGNORECASE):
        content = content.stylize(MATCH, match.start(), match.end())
    return content


def _which(case: Case, at: int) -> Content | None:
    """Which of a case's images is drawn, as a row of marks where they are few, with the key for the next one."""
    count = len(case.images)
    if count < 2:
        return None
    marks = "".join("●" if place == at else "○" for place in range(count)) if count <= MOST_MARKS else ""
    role = visible(case.images[at].role) if at < count else ""
    place = ", ".join(filter(None, (f"image {at + 1} of {count}", role)))
    return Content.assemble((f"{marks} ".lstrip(), "$accent"), place, (" · . shows the next", "$muted"))


def _trouble(case: Case) -> Content | None:
    if case.error:
        return Content.styled(f"Cannot be read: {visible(case.error)}\n", "$error")
    if case.leaked:
        return Content.styled(
            "Leaked: the same image or patient is in another split too, so a test on it proves little.\n",
            "$warning",
        )
    return None


TITLES = {"dpo": "Model after ratings (DPO)", "tuned": "Tuned model", "base": "Base model"}
"""What the arms that radtui names by itself are called; the user's own are called as the user does."""


def _descriptions(written: list[Description]) -> list[Content]:
    """What the arms of the newest job wrote, the last arm first."""
    if not written:
        return []
    newest = written[0].job_id
    parts = []
    for description in (description for description in written if description.job_id == newest):
        text = drawable(description.text) or "(nothing)"
        known = description.job_id is not None  # else whose text it is may not be seen
        note = f"  #{description.job_id}, {many(description.tokens, 'token')}" if known else ""
        note += ", cut off" if known and description.truncated else ""
        title = TITLES.get(description.arm, visible(description.arm))
        parts += [
            Content.assemble(_title(title), Content.styled(note, "$muted")), Content(text), Content("")
        ]  # fmt: skip
    return parts


def _file(case: Case, at: int) -> list[tuple[str, str]]:
    image = case.images[at] if at < len(case.images) else NO_IMAGE
    size = f"{image.width_px:,} x {image.height_px:,} px" if image.width_px else ""
    kind = " ".join(part for part in (image.format, image.mode) if part)
    return [
        (name, value)
        for name, value in (
            ("name", case.source_key), ("split", case.split), ("examination", case.examination),
            ("shown", place_text(case, image, at)), ("frame", image.note), ("size", size), ("format", kind),
            ("sha256", image.sha256[:16]),
        )
        if value
    ]  # fmt: skip


def place_text(case: Case, image: CaseImage, at: int) -> str:
    """Which of a case's images this is: "image 2 of 3, lateral"; "" where there is one without a role."""
    if len(case.images) < 2:
        return image.role
    return ", ".join(filter(None, (f"image {at + 1} of {len(case.images)}", image.role)))


def _title(text: str) -> Content:
    return Content.styled(text, "bold")


def _more(case: Case) -> list[tuple[str, str]]:
    """What the source told besides, but for what stands above already."""
    facts = list(case.facts.items())[:FACTS_SHOWN]
    return [(_spaced(name), value) for name, value in facts if value.strip() and name != IN_FORMAT]


def _spaced(name: str) -> str:
    """DICOM's keywords as words: "SliceThickness" -> "slice thickness"; KVP stays."""
    return re.sub(r"(?<=[a-z])([A-Z])", r" \1", name).lower() if _KEYWORD.fullmatch(name) else name


def _pairs(pairs: list[tuple[str, str]]) -> list[Content]:
    """Names beside values, in two columns unless a name is very long."""
    column = max((len(name) for name, _ in pairs if len(name) <= NAME_CELLS), default=0)
    return [
        Content.assemble(Content.styled(f"{visible(name):<{column}}  ", "$muted"), visible(value))
        for name, value in pairs
    ]
