"""The words and tables of a report, in the order of the report that started radtui."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath

from radtui import __version__
from radtui.durations import clock_text
from radtui.export.report import results, rounds
from radtui.export.report.checklists import checklist_section
from radtui.export.report.document import (
    Block,
    Document,
    FactList,
    FigureTile,
    Paragraph,
    ReportTable,
    Section,
)
from radtui.export.report.findings import findings, proxies
from radtui.export.report.gather import Gathered
from radtui.export.report.methods import methods_section
from radtui.export.report.phrases import as_float, number_text, trainable_text
from radtui.export.report.provenance import lock
from radtui.measures.intervals import Proportion
from radtui.measures.statistics import Summary
from radtui.measures.text import NORMALISATION
from radtui.measures.words import HASH_LETTERS, estimate, p_value, share
from radtui.percent import percent_text
from radtui.plural import listed, many
from radtui.records import Arm, ArmKind, Job
from radtui.settings import TrainSettings, value_text
from radtui.study.corrected_arm import CORRECTIONS

WARNING = "Model output, not for clinical use."
LISTED = 8  # findings and examinations named in the data set's table


def compose(gathered: Gathered) -> Document:
    """The whole report."""
    points = findings(gathered)
    sections = (
        _overview(gathered),
        *(
            (_initial_model(gathered), _implementation(gathered))
            if gathered.job is not None
            else (_arms(gathered),)
        ),
        _data(gathered),
        results.examples(gathered),
        results.performance(gathered),
        rounds.rounds(gathered),
        Section("improvements", "Key improvements", results.improvements(gathered, points)),
        Section("worse", "What got worse", results.worse(gathered, points)),
        results.trust(gathered),
        results.standing_in(gathered),
        rounds.readings(gathered),
        _protocol(gathered),
        _limits(gathered),
        methods_section(gathered),
        checklist_section(gathered),
        _settings(gathered),
    )
    return Document(
        title=f"{model_name(gathered)} on {gathered.study.dataset}"
        if gathered.job is not None
        else gathered.study.name,
        lead=(
            "Fine-tuned vision-language model, its descriptions compared with those of the model it started from"
            if gathered.job is not None
            else f"Descriptions by {listed(gathered.study.arm_names)} compared"
        ),
        warning=WARNING,
        tiles=_tiles(gathered),
        sections=tuple(section for section in sections if section.blocks),
        footer=f"radtui {__version__} · {_source(gathered)} · {gathered.written_at:%Y-%m-%d %H:%M} UTC · {WARNING}",
    )


def model_name(gathered: Gathered) -> str:
    """The base model as people call it: a hub id, or the last part of a path."""
    trained = gathered.train.settings.get("model") if gathered.train is not None else None
    name = str(trained or gathered.review.settings.get("model") or "model")
    return PurePath(name).name if name.startswith(("/", ".", "~")) else name


def _source(gathered: Gathered) -> str:
    return f"job {gathered.job.id}" if gathered.job is not None else f"study {gathered.study.id}"


def _share_tile(of: Proportion, label: str) -> FigureTile:
    return FigureTile("-" if of.value is None else percent_text(of.value), label, _interval(share(of)))


def _tiles(gathered: Gathered) -> tuple[FigureTile, ...]:
    tiles, summary = [], gathered.summary
    earlier, later = gathered.two
    if summary.n:
        tiles.append(_share_tile(summary.preference.win_rate, f"{later} preferred, of decided ratings"))
        tiles.append(_share_tile(summary.preferred_or_equal, f"{later} preferred or equal"))
    if summary.errors:
        before, after = summary.errors.earlier.significant, summary.errors.later.significant
        tiles.append(
            FigureTile(
                f"{number_text(before.value)} → {number_text(after.value)}", "significant errors per report",
                f"difference {estimate(summary.errors.difference, signed=True)}",
            )
        )  # fmt: skip
    first, second = (gathered.scores.get(arm) for arm in gathered.two)
    if first is None or second is None:
        return tuple(tiles)
    if first.truth and second.truth:
        tiles.append(
            FigureTile(
                f"{number_text(first.truth.f1.value)} → {number_text(second.truth.f1.value)}",
                f"finding F1, {earlier} to {later}",
                f"{later} {_interval(estimate(second.truth.f1))}",
            )
        )  # fmt: skip
    elif first.text and second.text:
        tiles.append(
            FigureTile(
                f"{number_text(first.text.chrf.value, 1)} → {number_text(second.text.chrf.value, 1)}",
                "chrF against the references", f"{later} {_interval(estimate(second.text.chrf, digits=1))}",
            )
        )  # fmt: skip
    return tuple(tiles)


def _interval(figures: str) -> str:
    """Interval and n of a figure, without the figure and its brackets."""
    return figures.partition(" (")[2].removesuffix(")")


def _overview(gathered: Gathered) -> Section:
    if gathered.job is None:
        return Section(
            "overview", "Overview", (Paragraph(_compared(gathered)), Paragraph(_verdict(gathered)))
        )
    name, count = model_name(gathered), len(gathered.described)
    learnt = f" from {gathered.learnt:,} images with their texts" if gathered.learnt else ""
    words = (
        f"{name} was fine-tuned with LoRA{learnt}. Before and after, the model described the same"
        f" {many(count, 'image')} of {gathered.study.dataset}"
        f" ({gathered.review.settings.get('split') or 'all splits'}) with the same prompt and decoding"
        f" ({_decoding(gathered)})."
    )
    return Section("overview", "Overview", (Paragraph(words), Paragraph(_verdict(gathered))))


def _compared(gathered: Gathered) -> str:
    """What a study made by hand compares."""
    cases = many(len(gathered.described), "case")
    return f"{listed(gathered.study.arm_names)} were compared on {cases} of {gathered.study.dataset}."


def _arms(gathered: Gathered) -> Section:
    """Where each arm's texts come from, of a study made by hand."""
    named = zip(gathered.study.arm_names, gathered.arms, strict=True)
    return Section(
        "arms", "What is compared", (FactList(tuple((name, _origin(arm)) for name, arm in named)),)
    )


def _origin(arm: Arm) -> str:
    if arm.kind is ArmKind.REFERENCE:
        return "the data set's own references"
    if arm.kind is ArmKind.FILE and arm.name == CORRECTIONS:
        return "earlier texts as readers left them, corrected or taken as they are"
    if arm.kind is ArmKind.FILE:
        return "a file of texts" + (f", {arm.model}" if arm.model else "")
    model = PurePath(arm.model).name or "a model"
    adapter = f" with the adapter {PurePath(arm.adapter).name}" if arm.adapter else ""
    asked = f', asked "{arm.instruction}"' if arm.instruction else ""
    return f"{model}{adapter}{asked}, {arm.decoding or 'decoding unknown'}"


def _verdict(gathered: Gathered) -> str:
    summary = gathered.summary
    if not summary.n and summary.arms and summary.arms.n:
        return _every_verdict(summary).strip()
    if not summary.n:
        return (
            "Nobody has rated the descriptions yet, so this report says nothing about which are better to read; it"
            " gives what can be counted. Open radtui and press r to rate."
        )
    preference = summary.preference
    return (
        f"{many(len(summary.raters), 'reader')} gave {many(summary.n, 'blind rating')} of"
        f" {many(summary.cases, 'pair')}: {preference.wins} ratings prefer the"
        f" {preference.later} text, {preference.losses} the {preference.earlier} text, {preference.ties} call them"
        f" equal, {summary.both_bad.hits} call both bad. Conclusion by the sign test: {summary.verdict}"
        f" ({p_value(preference.sign_p)})."
    ) + _every_verdict(summary)


def _every_verdict(summary: Summary) -> str:
    """Every two of more than two arms; "" for two."""
    if summary.arms is None:
        return ""
    verdicts = "; ".join(
        f"{contrast.later} against {contrast.earlier}: {contrast.verdict}"
        for contrast in summary.arms.contrasts
    )
    return f" In all, {summary.arms.n:,} ratings count, of pairs drawn among all arms: {verdicts}."


def _initial_model(gathered: Gathered) -> Section:
    facts = [("Model", model_name(gathered))]
    result = gathered.train.result if gathered.train else gathered.job.result if gathered.job else {}
    for label, key in (("Weights", "weights"), ("Backend", "backend"), ("Parameters", "total_parameters")):
        if result.get(key):
            facts.append((label, value_text(result[key])))
    own = gathered.scores[gathered.two[0]]
    written = [(row[0], row[1]) for row in proxies(gathered.scores)]
    if own.truth:
        written.append(("Findings named as they are (F1)", estimate(own.truth.f1)))
        written.append(("Normal studies given a finding", share(own.truth.invented_on_normal)))
    words = f"How it wrote about these {len(gathered.described):,} images before any training on this data:"
    return Section(
        "initial-model", "Initial model", (FactList(tuple(facts)), Paragraph(words), FactList(tuple(written)))
    )


def _implementation(gathered: Gathered) -> Section:
    if gathered.train is None:
        adapter = PurePath(str(gathered.review.settings.get("adapter", ""))).name or "unknown"
        return Section(
            "implementation", "Implementation and settings",
            (Paragraph(f"The adapter ({adapter}) was not trained in this data folder; its settings are not known."),),
        )  # fmt: skip
    settings, done = TrainSettings.from_dict(gathered.train.settings), gathered.train.result
    parts = [
        name
        for name, on in (
            ("vision", settings.tune_vision), ("language", settings.tune_language),
            ("attention", settings.tune_attention), ("MLP", settings.tune_mlp),
        )
        if on
    ]  # fmt: skip
    facts = [
        (
            "Method",
            f"LoRA, rank {settings.lora_r}, alpha {settings.lora_alpha}, on {', '.join(parts)} layers",
        ),
        ("Trainable parameters", trainable_text(done)),
        ("Steps", f"{gathered.train.step:,} of {gathered.train.total_steps:,}"),
        ("Images per step", f"{settings.effective_batch} ({settings.batch_size} at once)"),
        (
            "Learning rate",
            f"{settings.learning_rate:g}, {settings.scheduler}, {settings.warmup_steps} warm-up steps",
        ),
        ("Optimizer", f"{settings.optimizer}, weight decay {settings.weight_decay:g}"),
        ("Loss over", "the description" if settings.loss_on == "answer" else "prompt and description"),
        ("Prompt", settings.instruction),
        ("Seeds", f"{settings.seed} data and dropout, {settings.lora_seed} LoRA"),
        ("Training time", _training_time(gathered.train)),
        (
            "Peak memory",
            f"{as_float(done.get('peak_memory_gib')):.2f} GiB" if done.get("peak_memory_gib") else "",
        ),
        ("Versions", value_text(done["versions"]) if done.get("versions") else ""),
    ]
    blocks: list[Block] = [FactList(tuple((name, value) for name, value in facts if value))]
    if gathered.after_ratings is not None:
        blocks.append(Paragraph(_learnt_from_ratings(gathered.after_ratings)))
    changes = done.get("substitutions")
    if isinstance(changes, list) and changes:
        blocks.append(
            Paragraph("Done otherwise than asked: " + "; ".join(map(str, changes)) + ".", note=True)
        )
    return Section("implementation", "Implementation and settings", tuple(blocks))


def _learnt_from_ratings(job: Job) -> str:
    settings = TrainSettings.from_dict(job.settings)
    if settings.learns_corrections:
        corrected, accepted = (job.result.get(name, "the") for name in ("corrected", "accepted"))
        return (
            f"The newest arm goes on from the adapter of job {settings.from_job} with what readers made of its texts:"
            f" {corrected} corrected ones, each {settings.correction_weight} times, and {accepted} that they took as"
            f" they are, {job.step:,} steps of {settings.effective_batch} texts, learning rate"
            f" {settings.learning_rate:g}. Texts of"
            " held-out cases and patients are not learnt."
        )
    pairs = job.result.get("pairs", "the")
    return (
        f"The dpo arm goes on from that adapter (job {settings.from_job}) with direct preference optimisation on"
        f" {pairs} rated pairs: beta {settings.beta:g}, {job.step:,} steps of {settings.effective_batch} pairs,"
        f" learning rate {settings.learning_rate:g}. A frozen copy of the adapter it begins with is the reference"
        " model."
    )


def _data(gathered: Gathered) -> Section:
    described = gathered.described
    source = gathered.dataset
    facts = [("Data set", gathered.study.dataset)]
    if source:
        splits = ", ".join(f"{count:,} {name}" for name, count in source.splits.items())
        facts += [("Images", f"{source.total:,} ({splits})")]
        if source.unreadable:
            facts.append(("Unreadable", f"{source.unreadable:,}, left out"))
        if source.leaked:
            facts.append(
                ("Same image or patient in two splits", f"{source.leaked:,}; scores on these are too good")
            )
    if gathered.job is not None:
        facts.append(("Learnt from", f"{gathered.learnt:,} images" if gathered.learnt else "unknown"))
    described_splits = listed(sorted({case.split for case in described}))
    which = gathered.review.settings.get("split") if gathered.job is not None else described_splits
    facts.append(("Described and compared here", f"{len(described):,} images of {which}"))
    with_text = sum(bool(case.reference.strip()) for case in described)
    facts.append(("With a reference text", f"{with_text:,} of them"))
    for label, counted in (
        ("Examinations", Counter(case.examination for case in described if case.examination)),
        ("Findings", Counter(truth.finding for case in described for truth in case.truth)),
    ):
        if counted:
            most = [f"{name} {count}" for name, count in counted.most_common(LISTED)]
            more = len(counted) - len(most)
            facts.append((label, ", ".join(most) + (f" and {more} more" if more > 0 else "")))
    return Section("data", "Data set", (FactList(tuple(facts)),))


def _training_time(job: Job) -> str:
    """Seconds in the training loop, evaluations included, and those of the whole job, whose row says no more."""
    loop = clock_text(as_float(job.result["seconds"])) if job.result.get("seconds") else ""
    if job.started_at is None or job.ended_at is None:
        return loop
    whole = f"{clock_text(job.ended_at - job.started_at)} from the job's start to its end, loading included"
    return f"{loop}; {whole}" if loop else whole


def _protocol(gathered: Gathered) -> Section:
    """What was fixed before the first rating, what changed since, and what no reader was asked."""
    facts = [("Protocol", lock(gathered) or "not locked: order and pairs could change while readers rated")]
    facts += [("Changed since the lock", change) for change in gathered.changes]
    facts += [
        ("Identical texts", f"{count:,} pairs of {names}: ties without a reader, in no figure")
        for names, count in gathered.identical.items()
    ]
    return Section("protocol", "Protocol, and what changed", (FactList(tuple(facts)),))


def _limits(gathered: Gathered) -> Section:
    scheme = gathered.review.scheme
    words = [
        f"{WARNING} Nothing here was validated on patients, and no figure says how the model does on images of another"
        " hospital, machine or kind.",
        "Blind means that raters did not see which model wrote a text; a model's manner can still give it away.",
    ]
    later = gathered.two[1]
    truth = gathered.scores[later].truth if later in gathered.scores else None
    if truth:
        words.append(
            "Findings are read out of the texts by a list of words, which errs; it judges only findings that the data"
            f" set's truth speaks of ({truth.outside} named by the {later} arm lie outside it)."
        )
    if gathered.dataset and gathered.dataset.leaked:
        words.append(f"{gathered.dataset.leaked} images, or their patients, are in more than one split.")
    rule = (
        f"Ratings by scheme {scheme.id} version {scheme.version} ({scheme.sha256[:HASH_LETTERS]}); texts were shown as"
        f" {NORMALISATION}. Images here are reduced previews in their default window."
    )
    return Section(
        "limits", "Limits", (*(Paragraph(sentence) for sentence in words), Paragraph(rule, note=True))
    )


def _settings(gathered: Gathered) -> Section:
    if gathered.train is None:
        return Section("settings", "All settings", ())
    settings, about = TrainSettings.from_dict(gathered.train.settings), TrainSettings.about()
    rows = []
    for name, field in about.items():
        value = getattr(settings, name)
        text = model_name(gathered) if name == "model" else settings.text_of(name, value)
        rows.append(
            (name, text + (f" {field.unit}" if field.unit and not field.word_of(value) else ""), field.help)
        )
    return Section(
        "settings", "All settings", (ReportTable(("Setting", "Value", "Meaning"), tuple(rows), wordy=True),)
    )


def _decoding(gathered: Gathered) -> str:
    decodings = {example.pair.by(gathered.two[1]).decoding for example in gathered.examples}
    return " and ".join(sorted(decodings)) or "unknown"
