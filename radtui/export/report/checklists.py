"""Reporting checklists of the field, filled from what is stored; what only the authors know is left open and named.

The items are put in radtui's own words, under the numbers of the published lists. How far the numbers were held
against the lists themselves stands with each: see `CONFIRMED`.

Source: Park et al., Korean J Radiol 25 (2024) 865-868 (MI-CLEAR-LLM); Gallifant et al., Nat Med 31 (2025) 60-69
(TRIPOD-LLM); Tejani et al., Radiol Artif Intell 6 (2024) e240300 (CLAIM, 2024 update).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from radtui.export.report import provenance as known
from radtui.export.report.document import Block, Paragraph, ReportTable, Section
from radtui.export.report.gather import Gathered

OPEN = "Open: "
AUTHORS = "for the authors to say"
Answer = Callable[[Gathered], str]


@dataclass(frozen=True, slots=True)
class Item:
    """One item: its number, what it asks, what is stored of it, and what only the authors can add."""

    number: str
    asks: str
    answer: Answer | None = None
    missing: str = ""  # "" where what is stored is all that is asked

    def words(self, gathered: Gathered) -> str:
        """What is stored, then what is left open, by name."""
        stored = self.answer(gathered) if self.answer is not None else ""
        stored = stored[:1].upper() + stored[1:]
        if not stored:
            return f"{OPEN}{self.missing or AUTHORS}."
        return f"{stored}. {OPEN}{self.missing}." if self.missing else f"{stored}."

    def open(self, gathered: Gathered) -> bool:
        """Whether something is left for the authors."""
        return OPEN in self.words(gathered)


def _stated(words: str) -> Answer:
    return lambda gathered: words


def _analysis(gathered: Gathered) -> str:
    return (
        "each figure with its n and 95 % interval; readers and cases both random with several readers; two arms in"
        " pairs, p-values by Holm over all comparisons"
    )


def _session(gathered: Gathered) -> str:
    return (
        "each case and arm in a prompt of its own, without a memory of others"
        if known.prompts(gathered)
        else ""
    )


def _independence(gathered: Gathered) -> str:
    return (
        f"{known.split_words(gathered)}; apart {known.disjoint(gathered)}"
        if gathered.dataset is not None
        else ""
    )


def _judged(gathered: Gathered) -> str:
    return f"{known.scheme(gathered)}; {_analysis(gathered)}"


def _performance(gathered: Gathered) -> str:
    return "see Performance analysis" if gathered.summary.n or gathered.scores else ""


def _reference(gathered: Gathered) -> str:
    texts = sum(bool(case.reference.strip()) for case in gathered.described)
    truth = sum(bool(case.truth) for case in gathered.described)
    return (
        f"{texts:,} cases with a reference text, {truth:,} with labelled findings" if texts or truth else ""
    )


def _planned(gathered: Gathered) -> str:
    if gathered.study.locked_at is None:
        return ""
    return f"{len(gathered.described):,} cases, fixed before the first rating"


MI_CLEAR_LLM = (
    Item("1", "Name, version and maker of the model, dates of the queries, end of its training data, access to the web",
         lambda gathered: "; ".join(filter(None, (known.models(gathered), f"texts written {known.dates(gathered)}"
                                              if known.dates(gathered) else "", "no access to the web"))),
         "the maker, and until when its training data reach"),
    Item("2", "How chance in the answers was handled", known.decoding, ""),
    Item("3", "Prompts word for word", known.prompts, ""),
    Item("4", "How prompts were put: sessions, one or several queries in each", _session, ""),
    Item("5", "How prompts were tried and chosen, and why these words", None, "how the prompt was arrived at"),
    Item("6", "Whether the test data are independent of training and of choosing the prompt", _independence,
         "whether the base model, or whoever wrote the prompt, has seen these cases"),
)  # fmt: skip

TRIPOD_LLM = (
    Item("1-2", "Title and abstract name task, population and outcome", None, "title and abstract"),
    Item("3-4", "Use, population, place in care, objectives", None, "background and objectives"),
    Item("5", "Data for training and for evaluation: sources, dates, preparation, what is missing",
         lambda gathered: f"{gathered.study.dataset}: {known.split_words(gathered)}; {known.unread(gathered)}",
         "sites, dates and selection of the source"),
    Item("6", "The model: name, version, how it was made and adapted, how it was asked",
         lambda gathered: "; ".join(
             filter(None, (known.models(gathered), known.learnt(gathered), known.decoding(gathered)))), ""),
    Item("7", "How output was judged: by which measures, by whom, how far they agree, against which other texts",
         lambda gathered: "; ".join(
             filter(None, (_judged(gathered), known.readers(gathered), known.agreement(gathered)))),
         "readers' training and experience"),
    Item("8", "Annotation of the data: by what rules, by how many, how far they agree", _reference,
         "who wrote or labelled the references, by what rules, and how far they agree"),
    Item("9", "How prompts were designed and on which data", known.prompts, "how they were arrived at"),
    Item("10", "Summarisation", _stated("not done"), ""),
    Item("11", "Instruction tuning or alignment: instructions, and who judged it by which interface",
         lambda gathered: known.learnt(gathered) or "none in this data folder", ""),
    Item("12", "Computing that it took", known.compute, ""),
    Item("13", "Ethical approval", None, "approval and consent"),
    Item("14", "Funding, conflicts, protocol, registration, data and code",
         lambda gathered: "; ".join(filter(None, (f"protocol {known.lock(gathered)}" if known.lock(gathered) else "",
                                              "code: radtui, MIT licence"))),
         "funding, conflicts, registration, where data and adapter can be had"),
    Item("15", "Part of patients and the public", None, "whether they had one"),
    Item("16", "Cases and readers: flow and characteristics",
         lambda gathered: "; ".join(
             filter(None, (known.patients(gathered), known.readers(gathered), known.blinding(gathered)))),
         "patients' age, sex and disease"),
    Item("17", "Performance with intervals", _performance, ""),
    Item("18", "Updating of the model", lambda gathered: known.learnt(gathered) or "none", ""),
    Item("19", "Interpretation, limits, use in practice", _stated("see Limits for what the figures cannot say"),
         "interpretation and use"),
)  # fmt: skip

CLAIM = (
    Item("1-4", "Title, abstract, background, objectives", None, "title, abstract, background and objectives"),
    Item("5-6", "Prospective or retrospective; goal of the study", None, "design and goal"),
    Item("7-8", "Data sources; which cases were taken in",
         lambda gathered: f"{gathered.study.dataset}, {known.patients(gathered)}", "source, dates and criteria"),
    Item("9", "Preparation of data",
         _stated("bytes kept as they came; images by the model's own processor; texts shown without format"), ""),
    Item("10", "Subsets of data", known.split_words, ""),
    Item("11", "De-identification", _stated("identifiers go through one gate at import, and only keyed hashes stay"),
         "whether marks are burnt into the images"),
    Item("12", "Missing data", known.unread, ""),
    Item("13", "How images were acquired", None, "machines and protocols"),
    Item("14-17", "Reference standard: definition, reason, who made it",
         _reference, "who wrote the references, and by what rules"),
    Item("18", "Variability of readers", known.agreement, ""),
    Item("19-20", "Partitions, and at which level they are apart", known.disjoint, ""),
    Item("21", "Intended sample size", _planned, "how the number was arrived at"),
    Item("22-24", "Model, software, initial weights",
         lambda gathered: "; ".join(filter(None, (known.models(gathered), known.versions(gathered)))), ""),
    Item("25-27", "Training, choice of the final model, ensembles",
         lambda gathered: f"{known.learnt(gathered)}; no ensemble" if known.learnt(gathered) else "", ""),
    Item("28-29", "Measures, and their uncertainty", _analysis, ""),
    Item("30-31", "Robustness and explanation", None, "analyses of robustness and explanation, if any"),
    Item("32-33", "Internal and external data", known.split_words, "whether any of it is external"),
    Item("34", "Registration of a trial", None, "registration, if it is a trial"),
    Item("35-36", "Flow and characteristics of patients", known.patients, "demographics by partition"),
    Item("37-38", "Performance, with intervals", _performance, ""),
    Item("39", "Analysis of failures", _stated("see What got worse: errors in single texts, counted and named"), ""),
    Item("40-41", "Limits and what follows", _stated("see Limits"), "generalisation and use"),
    Item("42-43", "Protocol, software and data that others can have",
         lambda gathered: "; ".join(filter(None, (f"protocol {known.lock(gathered)}" if known.lock(gathered) else "",
                                              known.versions(gathered)))),
         "where data and adapter can be had"),
    Item("44", "Funding", None, "funding and the funders' part"),
)  # fmt: skip

LISTS = {"MI-CLEAR-LLM": MI_CLEAR_LLM, "TRIPOD-LLM": TRIPOD_LLM, "CLAIM 2024": CLAIM}
_COPIES = (
    "Numbers and topics agree with two copies of the list that others have filled in; the publisher's own page was not"
    " seen and is to be looked at before submission"
)
CONFIRMED = {
    "MI-CLEAR-LLM": "Numbers and topics agree with the paper",
    "TRIPOD-LLM": f"{_COPIES}; that it has 19 main items, with the paper",
    "CLAIM 2024": _COPIES,
}
"""How far a list's numbers were confirmed."""

NOT_FILLED = (
    "DECIDE-AI is not filled in: it is for AI that clinicians use on patients in early live trials, and nothing here"
    " was used on a patient. STARD-AI is not filled in: it is for how surely a test finds a disease, and"
    " a reader study of texts yields preferences and counted errors, no sensitivity or specificity."
)


def checklist_section(gathered: Gathered) -> Section:
    """The checklists, an item a row; what is open is said once more in all."""
    blocks: list[Block] = []
    for name, items in LISTS.items():
        left = [item.number for item in items if item.open(gathered)]
        rows = tuple((item.number, item.asks, item.words(gathered)) for item in items)
        caption = f"{name}, in radtui's words under the list's numbers. " + (
            f"Open, in whole or in part: {', '.join(left)}." if left else "Nothing is open."
        )
        caption += f" {CONFIRMED[name]}."
        blocks.append(ReportTable((name, "What it asks", "What is known"), rows, caption, wordy=True))
    return Section("checklists", "Reporting checklists", (*blocks, Paragraph(NOT_FILLED)))
