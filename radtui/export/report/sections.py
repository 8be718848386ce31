"""The words and tables of a report, in the order of the report that started radtui."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath

from radtui import __version__
from radtui.durations import clock_text
from radtui.export.report import results, rounds
from radtui.export.report.checklists import checklist_section
from radtui.export.report.document import Block, Document, Facts, Section, Table, Text, Tile
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
from radtui.records import Arm, ArmKind, Job
from radtui.settings import TrainSettings, value_text
from radtui.study.corrected_arm import CORRECTIONS

WARNING = "Model output, not for clinical use."
LISTED = 8  # findings and examinations named in the data set's table


def compose(told: Gathered) -> Document:
    """The whole report."""
    points = findings(told)
    sections = (
        _overview(told),
        *((_initial_model(told), _implementation(told)) if told.job is not None else (_arms(told),)),
        _data(told),
        results.examples(told),
        results.performance(told),
        rounds.rounds(told),
        Section("improvements", "Key improvements", results.improvements(told, points)),
        Section("worse", "What got worse", results.worse(told, points)),
        results.trust(told),
        results.standing_in(told),
        rounds.readings(told),
        _protocol(told),
        _limits(told),
        methods_section(told),
        checklist_section(told),
        _settings(told),
    )
    return Document(
        title=f"{model_name(told)} on {told.study.dataset}" if told.job is not None else told.study.name,
        lead=(
            "Fine-tuned vision-language model, its descriptions compared with those of the model it started from"
            if told.job is not None
            else f"Descriptions by {_listed(told.study.arm_names)} compared"
        ),
        warning=WARNING,
        tiles=_tiles(told),
        sections=tuple(section for section in sections if section.blocks),
        footer=f"radtui {__version__} · {_source(told)} · {told.written_at:%Y-%m-%d %H:%M} UTC · {WARNING}",
    )


def model_name(told: Gathered) -> str:
    """The base model as people call it: a hub id, or the last part of a path."""
    trained = told.train.settings.get("model") if told.train is not None else None
    name = str(trained or told.review.settings.get("model") or "model")
    return PurePath(name).name if name.startswith(("/", ".", "~")) else name


def _source(told: Gathered) -> str:
    return f"job {told.job.id}" if told.job is not None else f"study {told.study.id}"


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]


def _share_tile(of: Proportion, label: str) -> Tile:
    return Tile("-" if of.value is None else percent_text(of.value), label, _interval(share(of)))


def _tiles(told: Gathered) -> tuple[Tile, ...]:
    found, summary = [], told.summary
    earlier, later = told.two
    if summary.n:
        found.append(_share_tile(summary.preference.win_rate, f"{later} preferred, of decided ratings"))
        found.append(_share_tile(summary.preferred_or_equal, f"{later} preferred or equal"))
    if summary.errors:
        before, after = summary.errors.earlier.significant, summary.errors.later.significant
        found.append(
            Tile(
                f"{number_text(before.value)} → {number_text(after.value)}", "significant errors per report",
                f"difference {estimate(summary.errors.difference, signed=True)}",
            )
        )  # fmt: skip
    first, second = (told.scores.get(arm) for arm in told.two)
    if first is None or second is None:
        return tuple(found)
    if first.truth and second.truth:
        found.append(
            Tile(
                f"{number_text(first.truth.f1.value)} → {number_text(second.truth.f1.value)}",
                f"finding F1, {earlier} to {later}",
                f"{later} {_interval(estimate(second.truth.f1))}",
            )
        )  # fmt: skip
    elif first.text and second.text:
        found.append(
            Tile(
                f"{number_text(first.text.chrf.value, 1)} → {number_text(second.text.chrf.value, 1)}",
                "chrF against the references", f"{later} {_interval(estimate(second.text.chrf, digits=1))}",
            )
        )  # fmt: skip
    return tuple(found)


def _interval(figures: str) -> str:
    """Interval and n of a figure, without the figure and its brackets."""
    return figures.partition(" (")[2].removesuffix(")")


def _overview(told: Gathered) -> Section:
    if told.job is None:
        return Section("overview", "Overview", (Text(_compared(told)), Text(_verdict(told))))
    name, count = model_name(told), len(told.described)
    learnt = f" from {told.learnt:,} images with their texts" if told.learnt else ""
    words = (
        f"{name} was fine-tuned with LoRA{learnt}. Before and after, the model described the same {count:,}"
        f" image{'' if count == 1 else 's'} of {told.study.dataset}"
        f" ({told.review.settings.get('split') or 'all splits'}) with the same prompt and decoding ({_decoding(told)})."
    )
    return Section("overview", "Overview", (Text(words), Text(_verdict(told))))


def _compared(told: Gathered) -> str:
    """What a study made by hand compares."""
    count = len(told.described)
    return (
        f"{_listed(told.study.arm_names)} were compared on {count:,} case{'' if count == 1 else 's'} of"
        f" {told.study.dataset}."
    )


def _arms(told: Gathered) -> Section:
    """Where each arm's texts come from, of a study made by hand."""
    named = zip(told.study.arm_names, told.arms, strict=True)
    return Section("arms", "What is compared", (Facts(tuple((name, _origin(arm)) for name, arm in named)),))


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


def _verdict(told: Gathered) -> str:
    summary = told.summary
    if not summary.n and summary.arms and summary.arms.n:
        return _every_verdict(summary).strip()
    if not summary.n:
        return (
            "Nobody has rated the descriptions yet, so this report says nothing about which are better to read; it"
            " gives what can be counted. Open radtui and press r to rate."
        )
    found = summary.preference
    people = len(summary.raters)
    return (
        f"{people} reader{'' if people == 1 else 's'} gave {summary.n:,} blind rating{'' if summary.n == 1 else 's'} of"
        f" {summary.cases:,} pair{'' if summary.cases == 1 else 's'}: {found.wins} ratings prefer the {found.later}"
        f" text, {found.losses} the {found.earlier} text, {found.ties} call them equal, {summary.both_bad.hits} call"
        f" both bad. Conclusion by the sign test: {summary.verdict}"
        f" ({p_value(found.sign_p)})."
    ) + _every_verdict(summary)


def _every_verdict(summary: Summary) -> str:
    """Every two of more than two arms; "" for two."""
    if summary.arms is None:
        return ""
    verdicts = "; ".join(
        f"{one.later} against {one.earlier}: {one.verdict}" for one in summary.arms.contrasts
    )
    return f" In all, {summary.arms.n:,} ratings count, of pairs drawn among all arms: {verdicts}."


def _initial_model(told: Gathered) -> Section:
    facts = [("Model", model_name(told))]
    result = told.train.result if told.train else told.job.result if told.job else {}
    for label, key in (("Weights", "weights"), ("Backend", "backend"), ("Parameters", "total_parameters")):
        if result.get(key):
            facts.append((label, value_text(result[key])))
    own = told.scores[told.two[0]]
    written = [(row[0], row[1]) for row in proxies(told.scores)]
    if own.truth:
        written.append(("Findings named as they are (F1)", estimate(own.truth.f1)))
        written.append(("Normal studies given a finding", share(own.truth.invented_on_normal)))
    words = f"How it wrote about these {len(told.described):,} images before any training on this data:"
    return Section(
        "initial-model", "Initial model", (Facts(tuple(facts)), Text(words), Facts(tuple(written)))
    )


def _implementation(told: Gathered) -> Section:
    if told.train is None:
        adapter = PurePath(str(told.review.settings.get("adapter", ""))).name or "unknown"
        return Section(
            "implementation", "Implementation and settings",
            (Text(f"The adapter ({adapter}) was not trained in this data folder; its settings are not known."),),
        )  # fmt: skip
    how, done = TrainSettings.from_dict(told.train.settings), told.train.result
    parts = [
        name
        for name, on in (
            ("vision", how.tune_vision), ("language", how.tune_language), ("attention", how.tune_attention),
            ("MLP", how.tune_mlp),
        )
        if on
    ]  # fmt: skip
    facts = [
        ("Method", f"LoRA, rank {how.lora_r}, alpha {how.lora_alpha}, on {', '.join(parts)} layers"),
        ("Trainable parameters", trainable_text(done)),
        ("Steps", f"{told.train.step:,} of {told.train.total_steps:,}"),
        ("Images per step", f"{how.effective_batch} ({how.batch_size} at once)"),
        ("Learning rate", f"{how.learning_rate:g}, {how.scheduler}, {how.warmup_steps} warm-up steps"),
        ("Optimizer", f"{how.optimizer}, weight decay {how.weight_decay:g}"),
        ("Loss over", "the description" if how.loss_on == "answer" else "prompt and description"),
        ("Prompt", how.instruction),
        ("Seeds", f"{how.seed} data and dropout, {how.lora_seed} LoRA"),
        ("Training time", _training_time(told.train)),
        (
            "Peak memory",
            f"{as_float(done.get('peak_memory_gib')):.2f} GiB" if done.get("peak_memory_gib") else "",
        ),
        ("Versions", value_text(done["versions"]) if done.get("versions") else ""),
    ]
    blocks: list[Block] = [Facts(tuple((name, value) for name, value in facts if value))]
    if told.after_ratings is not None:
        blocks.append(Text(_learnt_from_ratings(told.after_ratings)))
    changes = done.get("substitutions")
    if isinstance(changes, list) and changes:
        blocks.append(Text("Done otherwise than asked: " + "; ".join(map(str, changes)) + ".", note=True))
    return Section("implementation", "Implementation and settings", tuple(blocks))


def _learnt_from_ratings(job: Job) -> str:
    how = TrainSettings.from_dict(job.settings)
    if how.learns_corrections:
        corrected, accepted = (job.result.get(name, "the") for name in ("corrected", "accepted"))
        return (
            f"The newest arm goes on from the adapter of job {how.from_job} with what readers made of its texts:"
            f" {corrected} corrected ones, each {how.correction_weight} times, and {accepted} that they took as they"
            f" are, {job.step:,} steps of {how.effective_batch} texts, learning rate {how.learning_rate:g}. Texts of"
            " held-out cases and patients are not learnt."
        )
    pairs = job.result.get("pairs", "the")
    return (
        f"The dpo arm goes on from that adapter (job {how.from_job}) with direct preference optimisation on {pairs}"
        f" rated pairs: beta {how.beta:g}, {job.step:,} steps of {how.effective_batch} pairs, learning rate"
        f" {how.learning_rate:g}. A frozen copy of the adapter it begins with is the reference model."
    )


def _data(told: Gathered) -> Section:
    described = told.described
    source = told.dataset
    facts = [("Data set", told.study.dataset)]
    if source:
        splits = ", ".join(f"{count:,} {name}" for name, count in source.splits.items())
        facts += [("Images", f"{source.total:,} ({splits})")]
        if source.unreadable:
            facts.append(("Unreadable", f"{source.unreadable:,}, left out"))
        if source.leaked:
            facts.append(
                ("Same image or patient in two splits", f"{source.leaked:,}; scores on these are too good")
            )
    if told.job is not None:
        facts.append(("Learnt from", f"{told.learnt:,} images" if told.learnt else "unknown"))
    described_splits = _listed(tuple(sorted({case.split for case in described})))
    which = told.review.settings.get("split") if told.job is not None else described_splits
    facts.append(("Described and compared here", f"{len(described):,} images of {which}"))
    with_text = sum(bool(case.reference.strip()) for case in described)
    facts.append(("With a reference text", f"{with_text:,} of them"))
    for label, counted in (
        ("Examinations", Counter(case.examination for case in described if case.examination)),
        ("Findings", Counter(truth.finding for case in described for truth in case.truth)),
    ):
        if counted:
            listed = [f"{name} {count}" for name, count in counted.most_common(LISTED)]
            more = len(counted) - len(listed)
            facts.append((label, ", ".join(listed) + (f" and {more} more" if more > 0 else "")))
    return Section("data", "Data set", (Facts(tuple(facts)),))


def _training_time(job: Job) -> str:
    """Seconds in the training loop, evaluations included, and those of the whole job, whose row says no more."""
    loop = clock_text(as_float(job.result["seconds"])) if job.result.get("seconds") else ""
    if job.started_at is None or job.ended_at is None:
        return loop
    whole = f"{clock_text(job.ended_at - job.started_at)} from the job's start to its end, loading included"
    return f"{loop}; {whole}" if loop else whole


def _protocol(told: Gathered) -> Section:
    """What was fixed before the first rating, what changed since, and what no reader was asked."""
    facts = [("Protocol", lock(told) or "not locked: order and pairs could change while readers rated")]
    facts += [("Changed since the lock", change) for change in told.changes]
    facts += [
        ("Identical texts", f"{count:,} pairs of {names}: ties without a reader, in no figure")
        for names, count in told.identical.items()
    ]
    return Section("protocol", "Protocol, and what changed", (Facts(tuple(facts)),))


def _limits(told: Gathered) -> Section:
    scheme = told.review.scheme
    words = [
        f"{WARNING} Nothing here was validated on patients, and no figure says how the model does on images of another"
        " hospital, machine or kind.",
        "Blind means that raters did not see which model wrote a text; a model's manner can still give it away.",
    ]
    later = told.two[1]
    truth = told.scores[later].truth if later in told.scores else None
    if truth:
        words.append(
            "Findings are read out of the texts by a list of words, which errs; it judges only findings that the data"
            f" set's truth speaks of ({truth.outside} named by the {later} arm lie outside it)."
        )
    if told.dataset and told.dataset.leaked:
        words.append(f"{told.dataset.leaked} images, or their patients, are in more than one split.")
    rule = (
        f"Ratings by scheme {scheme.id} version {scheme.version} ({scheme.sha256[:HASH_LETTERS]}); texts were shown as"
        f" {NORMALISATION}. Images here are reduced previews in their default window."
    )
    return Section("limits", "Limits", (*(Text(one) for one in words), Text(rule, note=True)))


def _settings(told: Gathered) -> Section:
    if told.train is None:
        return Section("settings", "All settings", ())
    how, about = TrainSettings.from_dict(told.train.settings), TrainSettings.about()
    rows = []
    for name, field in about.items():
        value = getattr(how, name)
        text = model_name(told) if name == "model" else value_text(value)
        rows.append((name, text + (f" {field.unit}" if field.unit and value else ""), field.help))
    return Section(
        "settings", "All settings", (Table(("Setting", "Value", "Meaning"), tuple(rows), wordy=True),)
    )


def _decoding(told: Gathered) -> str:
    decodings = {example.pair.by(told.two[1]).decoding for example in told.examples}
    return " and ".join(sorted(decodings)) or "unknown"
