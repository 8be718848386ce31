"""A folder, a file or an archive as a source of cases."""

from __future__ import annotations

import posixpath
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from itertools import islice
from pathlib import Path

from radtui.plural import many
from radtui.records import NewCase, Problem, UserError
from radtui.sources.archives import archive_kind
from radtui.sources.base import SplitLimit
from radtui.sources.choices import NONE, SourceChoices
from radtui.sources.files import Tree
from radtui.sources.identity_texts import TellingTexts
from radtui.sources.identity_words import names_nobody
from radtui.sources.kinds import UNKNOWN
from radtui.sources.layouts.beside import Beside
from radtui.sources.layouts.draft import Draft, as_case, joined_drafts
from radtui.sources.layouts.filenames import FileNames
from radtui.sources.layouts.header_keys import HeaderKeys
from radtui.sources.layouts.labels_alone import label_problems
from radtui.sources.layouts.noticing import Noticing
from radtui.sources.layouts.plan import SourcePlan, plan_tables
from radtui.sources.layouts.repeats import Repeats
from radtui.sources.preview import Counts, Preview, TableUse, identity_columns
from radtui.sources.readers import Row, table_name, table_suffix
from radtui.sources.readers.table import SAMPLE_ROWS
from radtui.sources.sorting import copies_among, copy_problems, mask_problems, masks_among, sorted_around

_SHOWN_UNUSED = 3  # files that are not used, of a source where nothing is
PREVIEW_S = 2.0  # what counting may take of a preview


class LocalSource:
    """Images of a folder or an archive, and what tables or texts beside them say."""

    def __init__(self, path: Path, choices: SourceChoices) -> None:
        """Look through the source; no image is read.

        Args:
            path: A folder, an archive, or a table that lists images beside it.
            choices: What the user said.

        Raises:
            UserError: There is nothing to import, or a table that was named cannot be used.
        """
        self.location = str(path)
        self.choices = choices
        self._named = "" if path.is_dir() or archive_kind(path.name) else path.name
        root = path.parent if self._named else path
        if self._named and not table_suffix(path.name):  # one DICOM file or volume
            self.tree = Tree(root, only=path.name)
            self._named = ""
        else:
            self.tree = Tree(root)
        self._files, self._named = sorted_around(self.tree, root, self._named)
        self.tree, self.pictures = self._files.tree, self._files.pictures
        self.titles = self._files.titles()
        headers = HeaderKeys(self.tree, self.pictures)
        self.pictures = [name for name in self.pictures if name not in headers.reports]
        self._names = FileNames(self.pictures, headers)
        self._beside = Beside(self.tree, self.pictures, self._names, choices, headers)
        tables = [name for name in self._files.tables if name not in self._beside.used]
        self.plan: SourcePlan = self._planned(tables)
        self._repeats = Repeats()
        self._masks: list[str] = []
        self._copies: list[str] = []
        self._noticing = Noticing(self.tree)
        self._counts: Counts | None = None
        self._problems: list[Problem] = []
        if not self.plan.layouts and (not self.pictures or self._named):
            raise UserError(self._nothing())

    def _planned(self, tables: list[str]) -> SourcePlan:
        """What is used of the tables; a text column that none has may be a section of reports that are files."""
        choices = self.choices
        try:
            plan = plan_tables(self.tree, tables, self._names, choices, self._named)
        except UserError:
            if not choices.text_column or not self._beside.used:
                raise
            return plan_tables(self.tree, tables, self._names, replace(choices, text_column=""), self._named)
        guessed = [layout for layout in plan.layouts if layout.roles.guessed]
        if guessed and self._beside.lie_beside(islice(guessed[0].drafts(survey=True), SAMPLE_ROWS)):
            plan = plan_tables(
                self.tree, tables, self._names, replace(choices, text_column=NONE), self._named
            )
            column = guessed[0].roles.guessed[0]
            reason = (
                f"{column} is not learnt, for texts lie beside the images; --text-column learns it instead."
            )
            plan.problems.append(Problem(table_name(guessed[0].table), reason))
        return plan

    @property
    def problems(self) -> list[Problem]:
        """What is not used, and why; complete once every case was read."""
        where, wordless = (
            posixpath.basename(self.location),
            self._counts is not None and self._counts.wordless,
        )
        labels = label_problems(self.plan.layouts, self.pictures, where) if wordless else []
        return [
            *self.tree.problems, *(each for each in self.plan.problems if each.where not in self._beside.named),
            *(each for layout in self.plan.layouts for each in layout.problems), *self._repeats.problems(),
            *self._noticing.problems(), *self._unlisted(), *mask_problems(self._masks), *copy_problems(self._copies),
            *self._beside.problems(), *labels, *self._unused(),
        ]  # fmt: skip

    def describe(self) -> str:
        """Say in one line what was found."""
        images = many(len(self.pictures), "image file")
        text = f"{self.location}: {many(len(self.tree.names), 'file')}, {images}"
        for layout in self.plan.layouts[:3]:
            text += f"; {table_name(layout.table)}: {layout.roles.summary()}"
        if len(self.plan.layouts) > 3:
            text += f" and {len(self.plan.layouts) - 3:,} more tables"
        return text

    def total(self) -> int | None:
        """Cases that will come."""
        counts = self.counts()
        if self.choices.limit:
            return sum(min(n, self.choices.limit) for n in counts.splits.values())
        return counts.cases

    def splits(self) -> set[str]:
        """The splits that folders, tables and cells name, and the usual one for images without."""
        return set(self.counts().splits)

    def __iter__(self) -> Iterator[NewCase]:
        return self.cases()

    def cases(self) -> Iterator[NewCase]:
        """The tables' cases in their order, then those of images that no table lists."""
        yield from self._cases()

    def unread(self) -> Iterator[NewCase]:
        """The same with plain files only named, for whoever reads them in several processes."""
        yield from self._cases(unread=True)

    def _cases(self, unread: bool = False) -> Iterator[NewCase]:
        limit = SplitLimit(self.choices.limit)
        for draft in self._drafts():
            if limit.take(draft.split):
                yield as_case(draft, self.tree, unread)

    def beside(self, file: str, other: str) -> bytes:
        """A file that lies beside another, as a volume's pixels do. Raises UserError when it cannot be read."""
        folder = posixpath.dirname(file)
        name = posixpath.normpath(f"{folder}/{other}" if folder else other)
        data, error = self.tree.read(name) if name in self.tree else (b"", f"{other} is not beside {file}.")
        if error:
            raise UserError(error)
        return data

    def counts(self, limit_s: float = float("inf")) -> Counts:
        """How many cases there are, without reading images.

        Args:
            limit_s: How long it may take, s; what is not counted by then makes the counts inexact.
        """
        if self._counts is None or not (self._counts.exact or limit_s < float("inf")):
            self._beside.counting = True
            try:
                self._counts = count_cases(self._drafts(survey=True), limit_s)
            finally:
                self._beside.counting = False
        return self._counts

    def preview(self, samples: int = 3, limit_s: float = PREVIEW_S) -> Preview:
        """What an import would bring in.

        Args:
            samples: How many cases are read.
            limit_s: How long counting may take, s.
        """
        drafts = [draft for draft in islice(self._drafts(), 200) if draft.readable]
        cases = tuple(as_case(draft, self.tree) for draft in drafts[:samples])
        telling = TellingTexts()
        for draft in drafts:
            telling.note(draft.text, draft.key)
        counts = self.counts(limit_s)
        used = len({file for layout in self.plan.layouts for file in layout.used_files} | self.plan.used)
        if not self.plan.layouts:
            used = len(self.pictures) + len(self._beside.used)
        tables = []
        for layout in self.plan.layouts:
            roles = layout.roles.named()
            tables.append(
                TableUse(
                    table_name(layout.table), {name: roles.get(name, "") for name in layout.table.columns}
                )
            )
        return Preview(
            self.location, self.describe(), len(self.tree.names), used, tuple(tables), cases, counts,
            (*self.problems, *telling.problems()), self.people, _recognised(self.plan),
        )  # fmt: skip

    @cached_property
    def people(self) -> dict[str, str]:
        """Columns that look as if they named people, by their titles or by most of their cells, with what they tell."""
        result: dict[str, str] = {}
        for layout in self.plan.layouts:
            without = frozenset(name for name, _ in layout.roles.images)
            rows = [row.cells for row in islice(layout.table.rows(without), 30) if isinstance(row, Row)]
            result.update(identity_columns(layout.table.columns, rows))
        return result

    def _drafts(self, survey: bool = False) -> Iterator[Draft]:
        self._noticing = Noticing(self.tree)
        listed: set[str] = set()
        for layout in self.plan.layouts:
            layout.used_files = listed
        completed = map(self._beside.completed, self._of_one_report(survey))
        yield from self._noticing.of_tables(completed)
        free = [*ungoverned(self.plan, self.pictures), *only_to_describe(self.plan, self.pictures)]
        self._masks = masks_among(free, self._names)
        without = listed.union(self._masks) if self._masks else listed
        self._copies = copies_among([name for name in free if name not in without], self._beside.text_of)
        without = without.union(self._copies) if self._copies else without
        rest = [name for name in free if name not in without]
        yield from self._noticing.of_files(self._beside.drafts(rest, self.plan.splits))

    def _of_tables(self, survey: bool) -> Iterator[Draft]:
        """The tables' cases, each once."""
        self._repeats = Repeats()
        for layout in self.plan.layouts:
            name, names_splits = table_name(layout.table), layout.names_splits
            yield from (
                draft for draft in layout.drafts(survey) if self._repeats.is_new(draft, name, names_splits)
            )

    def _of_one_report(self, survey: bool) -> Iterator[Draft]:
        """The tables' cases; where tables only list images, those that one report speaks of are one case."""
        drafts = self._of_tables(survey)
        if not self._beside.has_reports or any(
            layout.roles.teaches or layout.roles.question for layout in self.plan.layouts
        ):
            yield from drafts
            return
        together: dict[str, Draft] = {}
        for draft in drafts:
            report = self._beside.report_of(draft.pictures[0].file) if draft.readable else ""
            if not report:
                yield draft
                continue
            there = together.get(report)
            together[report] = draft if there is None else joined_drafts(there, draft)
        yield from together.values()

    def _unlisted(self) -> list[Problem]:
        """Images that no table lists, once all rows were seen."""
        if not self.plan.layouts or self._counts is None:
            return []
        free = self.plan.layouts[0].used_files.union(
            ungoverned(self.plan, self.pictures), only_to_describe(self.plan, self.pictures)
        )
        by_folder = Counter([name[: max(0, name.rfind("/"))] for name in self.pictures if name not in free])
        return [
            Problem(
                folder or posixpath.basename(self.location),
                "Images that no row of a table names are left out.",
                n,
            )
            for folder, n in by_folder.most_common(20)
        ]

    def _unused(self) -> list[Problem]:
        return [] if self._named else self._files.unused(self._beside.used | self.plan.used)

    def _nothing(self) -> str:
        """Why nothing can be imported, and what to do."""
        problems = [*self.tree.problems, *self.plan.problems, *self._unused()]
        known = [each for each in problems if each.reason != UNKNOWN]
        if known:
            some = " ".join(f"{each.where}: {each.reason}" for each in known[:_SHOWN_UNUSED])
            more = (
                f" ({len(problems) - _SHOWN_UNUSED:,} more are not used either)"
                if len(problems) > _SHOWN_UNUSED
                else ""
            )
            return f"There is nothing to import in {self.location}. {some}{more}"
        return f"There are no images, tables, parquet or DICOM files in {self.location}; name another folder."


def _recognised(plan: SourcePlan) -> dict[str, str]:
    """What was found of the first table, by the setting that could say otherwise."""
    for layout in plan.layouts:
        form: dict[str, str] = getattr(layout.table, "form", {})
        return {"table": table_name(layout.table), **layout.roles.settings(), **form}
    return {}


def ungoverned(plan: SourcePlan, images: list[str]) -> list[str]:
    """The images of which no table says whether they are imported: `metadata.csv` says it of its folder, others of all.

    Args:
        plan: What is used of a source's tables.
        images: The source's.
    """
    if not plan.layouts:
        return images
    folders = []
    for layout in plan.layouts:
        folder, name = posixpath.split(layout.table.file)
        if not name.lower().startswith("metadata.") or not folder:
            return []
        folders.append(folder + "/")
    return [image for image in images if not image.startswith(tuple(folders))]


def only_to_describe(plan: SourcePlan, images: list[str]) -> list[str]:
    """Images that a list of a held-out split names, whether a table has a text of them or not: a test.csv of names."""
    if not plan.splits:
        return []
    free = set(ungoverned(plan, images))
    return sorted(name for name, split in plan.splits.items() if split != "train" and name not in free)


def count_cases(drafts: Iterator[Draft], limit_s: float = float("inf")) -> Counts:
    """Count cases, patients and exams.

    Args:
        drafts: The cases, their images unread.
        limit_s: How long it may take, s.
    """
    counts = Counts()
    until_s = time.monotonic() + limit_s
    patients: dict[str, str] = {}  # the split of each, "" of those that are in several
    exams: set[str] = set()
    files: set[str] = set()
    inside = 0
    for number, draft in enumerate(drafts):
        if number % 64 == 63 and time.monotonic() > until_s:
            counts.exact = False
            break
        counts.splits[draft.split] += 1
        counts.with_text += bool(draft.text.strip())
        counts.with_question += bool(draft.question)
        counts.unreadable += not draft.readable
        known = bool(draft.patient) and not names_nobody(draft.patient)
        if known and patients.setdefault(draft.patient, draft.split) != draft.split:
            patients[draft.patient] = ""
        if draft.exam:
            exams.add(draft.exam)
        files.update(picture.file for picture in draft.pictures if picture.file)
        inside += sum(not picture.file and not picture.error for picture in draft.pictures)
    counts.patients, counts.exams, counts.images = len(patients), len(exams), len(files) + inside
    counts.across_splits = sum(not split for split in patients.values())
    return counts
