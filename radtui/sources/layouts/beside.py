"""Texts that lie beside images: a file of the same name, or a report of the exam's or patient's folder."""

from __future__ import annotations

import json
import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace

from radtui.records import Problem
from radtui.sources.choices import NONE, SourceChoices
from radtui.sources.dicom_keys import report_text
from radtui.sources.files import Tree
from radtui.sources.layouts.cells import cell_text, fact_text, meaningful
from radtui.sources.layouts.draft import FOLDER, Draft, DraftPicture, class_folder, people_of_path, split_of
from radtui.sources.layouts.filenames import FileNames, lies_about
from radtui.sources.layouts.header_keys import HeaderKeys
from radtui.sources.layouts.roles import find_roles
from radtui.sources.layouts.sections import chosen_sections
from radtui.sources.layouts.tabled import truths
from radtui.sources.layouts.text_files import TextFiles, is_called_report, lists_images, one_report
from radtui.sources.readers.exports import flat
from radtui.sources.readers.nesting import unnested

TEXT_SUFFIXES = (".txt", ".caption", ".text", ".md", ".rpt", ".report", ".cap")
_MAX_TEXT_BYTES = 2**26
_HEAD_BYTES = 256
_LIST_BYTES = 2**16
_NO_REPORTS = frozenset(
    ("readme", "license", "licence", "changelog", "requirements", "copying", "notice", "version", "authors", "citation",
     "sha256sums", "md5sums", "checksums", "classes", "labels", "index", "notes")
)  # fmt: skip
_WORD = r"(?:reports?|captions?|text|findings?|impression|befund|bericht|description|informe|rapport|referto|laudo)"
_WORD_AT_END = re.compile(rf"[-_. ]+{_WORD}$|(?:(?<=/)|^){_WORD}[-_. ]+(?=[^/]*\d[^/]*$)")
"""What a text may be called beside its image: `a_report.txt` to `a.png`, `report_7.txt` to `7.png`."""


class Beside:
    """The texts and objects of a source that belong to images by where they lie.

    Attributes:
        used: Files that are the text or the object of an image or an exam.
    """

    def __init__(
        self, tree: Tree, pictures: list[str], names: FileNames, choices: SourceChoices,
        headers: HeaderKeys,
    ) -> None:  # fmt: skip
        """Pair files by their names; nothing is read.

        Args:
            tree: The source.
            pictures: Its images.
            names: The same, by the ends of their paths.
            choices: What the user said.
            headers: What headers of DICOM files among them say.
        """
        self._tree, self._choices = tree, choices
        self._text, self._report = TextFiles(), TextFiles()  # of images, of folders
        self._object: dict[str, str] = {}
        # Of images that have one text together: 7.txt of 7.frontal.png, an exam's structured report.
        self._of_sample = TextFiles()
        self._structured = headers.reports
        self._by_header: set[str] = set(headers.reports)  # texts whose images' headers say which exam it is
        self.used: set[str] = set(headers.reports)
        self._without_sections: dict[str, None] = {}  # reports that have none of the sections that are wanted
        self._heard: dict[str, None] = {}  # structured reports that are texts of cases
        self._unread: dict[str, None] = {}  # texts of images whose table has texts of them
        self.named: set[str] = set()  # texts that rows of tables name
        self._texts: list[str] = []  # that may be named so
        self._text_names: FileNames | None = None  # the same, once a row names one
        self.counting = False  # then no text is read: that a file is there is enough
        for report, images in headers.reports.items():
            for image in images:
                self._of_sample.add(image, report)
        self._of_sample.settle()
        beside = [name for name in tree.names if name.lower().endswith((".json", *TEXT_SUFFIXES))]
        self._texts = [name for name in beside if not name.lower().endswith(".json")]
        if not beside:  # as in most large data sets: nothing is to be paired
            return
        rest = self._of_headers(self._pair(beside, names, pictures), headers)
        self._pictures: dict[str, list[str]] = {}
        for picture in pictures:
            self._pictures.setdefault(posixpath.dirname(picture), []).append(picture)
        folders = set(self._pictures)
        parents = folders | {posixpath.dirname(folder) for folder in folders}
        rest = self._of_exams(rest, parents, names)
        self._find_reports(rest, folders, parents)
        for texts in (self._text, self._report, self._of_sample):
            texts.settle()

    def _pair(self, beside: list[str], names: FileNames, pictures: list[str]) -> list[str]:
        """Find the texts and objects of images by their names; returns the texts that are left."""
        stems: dict[str, list[str]] = {}
        for picture in pictures:
            for stem in {picture, _stem(picture)}:
                stems.setdefault(stem.casefold(), []).append(picture)
        samples: dict[str, list[str]] = {}
        for picture in pictures:
            folder, _, base = picture.rpartition("/")
            parts = base.split(".")
            if len(parts) > 2 and not parts[1].isdigit():  # not the numbers of a DICOM identifier
                samples.setdefault(f"{folder}/{parts[0]}".casefold(), []).append(picture)
        rest: list[str] = []
        for name in beside:
            suffix = posixpath.splitext(name)[1].lower()
            if suffix == ".json" or suffix in TEXT_SUFFIXES:
                stem = _stem(name).casefold()
                owners = stems.get(stem, []) or stems.get(_bare(stem), [])
                owners = owners or self._elsewhere(name, names)
                for owner in owners:
                    if suffix == ".json":
                        self._object.setdefault(owner, name)
                    else:
                        self._text.add(owner, name)
                    self.used.add(name)
                if not owners and suffix != ".json":
                    place = stem if "/" in stem else f"/{stem}"
                    sample = samples.get(place, []) or samples.get(_bare(place), [])
                    for owner in sample:
                        self._of_sample.add(owner, name)
                    (self.used.add if sample else rest.append)(name)
        return rest

    def report_of(self, picture: str) -> str:
        """The report of the folder that an image lies in, or of one above it; "" where it has none."""
        if picture in self._of_sample:
            return self._of_sample.get(picture)
        folder = posixpath.dirname(picture) if self._report else ""
        while folder:
            if folder in self._report:
                break
            folder = posixpath.dirname(folder)
        return self._report.get(folder)

    def text_of(self, picture: str) -> str:
        """The file with the text of an image, its own or that of its folder; "" where there is none."""
        return self._text.get(picture) or self.report_of(picture)

    @property
    def has_reports(self) -> bool:
        """Whether reports belong to folders."""
        return bool(self._report or self._of_sample)

    def drafts(self, pictures: list[str], split_lists: dict[str, str]) -> Iterator[Draft]:
        """Cases of images that no table lists: one for each report of a folder, else one for each image."""
        of_report: dict[str, list[str]] = {}
        for picture in pictures:
            report = "" if picture in self._text else self.report_of(picture)
            if report:
                of_report.setdefault(report, []).append(picture)
        done: set[str] = set()
        for picture in pictures:
            report = "" if picture in self._text else self.report_of(picture)
            if report in done:
                continue
            if report:
                done.add(report)
                yield self.completed(self._draft(of_report[report], split_lists), report)
            else:
                yield self.completed(self._draft([picture], split_lists))

    def completed(self, draft: Draft, report: str = "") -> Draft:
        """A case with what lies beside its first image: facts, and a text where its row has none."""
        if not self.used and not self._texts:  # nothing lies beside any image, and no cell can name a text
            return draft
        picture = draft.pictures[0].file if draft.pictures else ""
        if picture in self._object:
            draft = self._with_object(draft, self._object[picture])
        report = self._text.get(picture) or report or (self.report_of(picture) if picture else "")
        if draft.text.lower().endswith(TEXT_SUFFIXES) or not (report or draft.text):
            named = self._with_named(draft)
            if named is not draft or not report:
                return named
        if not report or (draft.question and not draft.text):
            return draft
        if draft.text:
            self._unread[report] = None
            return draft
        if picture in self._text or report in self._by_header:
            self._heard.update({report: None} if report in self._structured else {})
            return replace(draft, text=self._part(report))
        exam = draft.exam or _stem(report)
        patient = draft.patient or people_of_path(report)[0]
        return replace(draft, text=self._part(report), exam=exam, patient=patient)

    def _with_named(self, draft: Draft) -> Draft:
        """A case with the text of the file that a cell of its row names, where exactly one does."""
        cells = [cell for cell in (draft.text, *draft.facts.values()) if cell.lower().endswith(TEXT_SUFFIXES)]
        if cells and self._text_names is None:
            self._text_names = FileNames(self._texts)
        named = [match.file for cell in cells if self._text_names and (match := self._text_names.find(cell))]
        if len(named) != 1:
            return draft
        self.named.update(named)
        self.used.update(named)
        return replace(draft, text=self._read(named[0]))

    def lie_beside(self, drafts: Iterable[Draft]) -> bool:
        """Whether texts lie beside most images of some cases."""
        texts = [bool(self.text_of(draft.pictures[0].file)) for draft in drafts if draft.readable]
        return sum(texts) > len(texts) / 2

    def problems(self) -> list[Problem]:
        """Texts that are not used, and why; complete once every case was read."""
        problems = [*self._text.problems(), *self._report.problems(), *self._of_sample.problems()]
        if self._heard:
            reason = "Of structured reports the sentences are read; names, codes and numbers are not."
            problems.append(Problem(next(iter(self._heard)), reason, len(self._heard)))
        if left := [
            report for report in self._structured if report not in self._heard and report not in self._unread
        ]:
            problems.append(
                Problem(left[0], "The report is not used: no case has images of its exam.", len(left))
            )
        if self._without_sections:
            reason = f"The report has no section {self._choices.text_column}, so its images have no text."
            problems.append(Problem(next(iter(self._without_sections)), reason, len(self._without_sections)))
        if self._unread:
            reason = (
                "Texts beside images are not used where a table has texts of them;"
                " --text-column - leaves out the table's."
            )
            problems.append(Problem(next(iter(self._unread)), reason, len(self._unread)))
        return problems

    def _draft(self, files: list[str], split_lists: dict[str, str]) -> Draft:
        first = files[0]
        folder = class_folder(first)
        patient, exam = people_of_path(first)
        split = split_lists.get(first) or split_of(self._choices.split, first)
        pictures = tuple(DraftPicture(file, name=posixpath.basename(file)) for file in files)
        facts = {FOLDER: folder} if folder else {}
        return Draft(split, first, pictures, patient=patient, exam=exam, facts=facts)

    def _elsewhere(self, name: str, names: FileNames) -> list[str]:
        """Images in other folders that a file belongs to by its whole name: texts/7.txt to images/7.png."""
        stem = posixpath.basename(_stem(name))
        if stem.lower() in _NO_REPORTS or (lies_about(name) and self._holds_numbers(name)):
            return []
        # A common word: only where its folder is that of the image.
        if not any(sign.isdigit() for sign in stem):
            (only,) = _only(names.stem_matches(stem)) or ("",)
            mine, theirs = (posixpath.dirname(each).split("/")[1:] for each in (name, only))
            return [only] if only and posixpath.dirname(name) and mine == theirs else []
        match = names.find(_stem(name))
        if match is not None and match.whole:
            return [match.file]
        alike = names.stem_matches(stem) or names.stem_matches(
            posixpath.basename(_bare(_stem(name).casefold()))
        )
        return _only(alike) or _only([file for file in alike if not lies_about(file)])

    def _holds_numbers(self, name: str) -> bool:
        """Whether a file of a folder of labels has numbers alone, as boxes of detectors have."""
        head = self._tree.head(name, _HEAD_BYTES).decode("utf-8", "replace")
        return not any(sign.isalpha() for sign in head.replace("e", "").replace("E", ""))

    def _of_headers(self, texts: list[str], headers: HeaderKeys) -> list[str]:
        """The texts left after those that are called as headers of images call the image, its exam or its number."""
        left: list[str] = []
        for name in texts:
            images = headers.of_text(name)
            for image in images:
                self._of_sample.add(image, name)
            (self.used.add if images else left.append)(name)
            self._by_header.update([name] if images else [])
        return left

    def _of_exams(self, texts: list[str], parents: set[str], names: FileNames) -> list[str]:
        """The texts left after those of exams whose images lie in another part of the source, as MIMIC's."""
        left = []
        for name in texts:
            stem = _stem(name)
            folder = "" if stem in parents else names.folder_by_end(stem)
            if folder:
                self._report.add(folder, name)
                self.used.add(name)
            else:
                left.append(name)
        return left

    def _find_reports(self, texts: list[str], folders: set[str], parents: set[str]) -> None:
        """Reports of folders: `s1.txt` beside `s1/`, or the only text of a folder with images."""
        of_folder: dict[str, list[str]] = {}
        for name in texts:
            stem = _stem(name)
            if stem in parents:
                if not self._lists_its_images(stem, name):
                    self._report.add(stem, name)
                    self.used.add(name)
            elif posixpath.basename(stem).lower() not in _NO_REPORTS:
                of_folder.setdefault(posixpath.dirname(name), []).append(name)
        alone = {
            folder: name for folder, names in of_folder.items()
            if folder in parents and folder not in self._report and (name := one_report(names))
        }  # fmt: skip
        siblings = Counter(map(posixpath.dirname, alone))
        for folder, name in alone.items():
            head = self._tree.head(name, _LIST_BYTES).decode("utf-8", "replace")
            if lists_images(head, self._pictures.get(folder, [])):
                continue
            reportlike = is_called_report(name)
            if (folder and siblings[posixpath.dirname(folder)] > 1) or (
                reportlike and folder in folders and "caption" not in name.lower()
            ):
                self._report.add(folder, name)
                self.used.add(name)

    def _lists_its_images(self, folder: str, name: str) -> bool:
        """Whether a text called like a folder lists its images: train.txt beside train/, not s501.txt of an exam."""
        if any(sign.isdigit() for sign in posixpath.basename(folder)):
            return False
        text = self._tree.head(name, _LIST_BYTES).decode("utf-8", "replace").casefold()
        return any(posixpath.basename(each).casefold() in text for each in self._pictures.get(folder, []))

    def _part(self, name: str) -> str:
        """A report, or of it the sections that the user wants; one without them is said."""
        text = (
            self._text.read(name, self._read)
            if name in self._text.sections
            else self._report.read(name, self._read)
        )
        if self.counting or not self._choices.text_column or self._choices.text_column == NONE:
            return text
        wanted = chosen_sections(text, self._choices.text_column.split("+"))
        if text and not wanted:
            self._without_sections[name] = None
        return wanted

    def _read(self, name: str) -> str:
        from radtui.sources.readers.encoding import detect_encoding

        if self.counting:
            return name
        data, error = self._tree.read(name, _MAX_TEXT_BYTES)
        if error or not data:
            return ""
        if name in self._structured:
            return meaningful(report_text(data))
        import io

        encoding, _ = detect_encoding(io.BytesIO(data))
        return meaningful(data.decode("utf-8-sig" if encoding == "utf-8" else encoding, "replace"))

    def _with_object(self, draft: Draft, name: str) -> Draft:
        """Add the fields of a JSON object beside an image; other JSON is left alone."""
        try:
            cells = json.loads(self._read(name))
        except (ValueError, RecursionError):
            return draft
        if not isinstance(cells, dict):
            return draft
        cells = unnested(flat(cells))
        roles = find_roles(list(cells), [cells], pictures=False)
        if roles.guessed:  # one object is too little to tell a report from a remark by its length
            roles = replace(roles, text=(), facts=(*roles.facts, *roles.guessed))
        own_id = cell_text(cells.get(roles.id)) if roles.id else ""
        facts = {each: text for each in roles.facts if (text := fact_text(cells.get(each)))}
        if own_id:
            facts = {roles.id: own_id, **facts}
        question = "\n".join(filter(None, (meaningful(cells.get(each), True) for each in roles.question)))
        text = "\n".join(filter(None, (meaningful(cells.get(each), roles.answers) for each in roles.text)))
        if draft.text and text and text != draft.text:
            self._unread[name] = None
        return replace(
            draft,
            text=draft.text or ("" if draft.question else text),
            question=draft.question or ("" if draft.text else question),
            examination=draft.examination or cell_text(cells.get(roles.examination)),
            patient=draft.patient or cell_text(cells.get(roles.patient)),
            exam=draft.exam or cell_text(cells.get(roles.exam)),
            facts={**draft.facts, **facts},
            truth=draft.truth or truths(cells, roles),
        )


def _stem(name: str) -> str:
    folder, _, base = name.rpartition("/")
    stem = base[: -len(".nii.gz")] if base.lower().endswith(".nii.gz") else posixpath.splitext(base)[0]
    return f"{folder}/{stem}" if folder else stem


def _bare(stem: str) -> str:
    """A text's name without the word that says it is one."""
    return _WORD_AT_END.sub("", stem)


def _only(files: list[str]) -> list[str]:
    return files if len(files) == 1 else []
