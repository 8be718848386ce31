"""The words and tables of a report, in the order of the report that started radtui."""

from __future__ import annotations

from collections import Counter
from pathlib import PurePath

from radtui import __version__
from radtui.durations import clock_text
from radtui.export.report import results
from radtui.export.report.document import Block, Document, Facts, Section, Table, Text, Tile
from radtui.export.report.findings import findings, proxies
from radtui.export.report.gather import Gathered
from radtui.export.report.phrases import as_float, number_text, trainable_text
from radtui.measures.intervals import Proportion
from radtui.measures.statistics import Summary
from radtui.measures.text import NORMALISATION
from radtui.measures.words import HASH_LETTERS, estimate, p_value, share
from radtui.percent import percent_text
from radtui.records import Job, Variant
from radtui.settings import TrainSettings, value_text

WARNING = "Model output, not for clinical use."
LISTED = 8  # findings and examinations named in the data set's table


def compose(told: Gathered) -> Document:
    """The whole report."""
    points = findings(told)
    sections = (
        _overview(told),
        _initial_model(told),
        _implementation(told),
        _data(told),
        results.examples(told),
        results.performance(told),
        Section("improvements", "Key improvements", results.improvements(told, points)),
        Section("worse", "What got worse", results.worse(told, points)),
        results.trust(told),
        _limits(told),
        _settings(told),
    )
    return Document(
        title=f"{model_name(told)} on {told.job.dataset}",
        lead="Fine-tuned vision-language model, its descriptions compared with those of the model it started from",
        warning=WARNING,
        tiles=_tiles(told),
        sections=tuple(section for section in sections if section.blocks),
        footer=f"radtui {__version__} · job {told.job.id} · {told.written_at:%Y-%m-%d %H:%M} UTC · {WARNING}",
    )


def model_name(told: Gathered) -> str:
    """The base model as people call it: a hub id, or the last part of a path."""
    name = str((told.train or told.job).settings.get("model") or told.job.settings.get("model") or "model")
    return PurePath(name).name if name.startswith(("/", ".", "~")) else name


def _share_tile(of: Proportion, label: str) -> Tile:
    return Tile("-" if of.value is None else percent_text(of.value), label, _interval(share(of)))


def _tiles(told: Gathered) -> tuple[Tile, ...]:
    found, summary = [], told.summary
    if summary.n:
        found.append(_share_tile(summary.preference.win_rate, "tuned preferred, of decided ratings"))
        found.append(_share_tile(summary.preferred_or_equal, "tuned preferred or equal"))
    if summary.errors:
        b, t = summary.errors.base.significant, summary.errors.tuned.significant
        found.append(
            Tile(
                f"{number_text(b.value)} → {number_text(t.value)}", "significant errors per report",
                f"difference {estimate(summary.errors.difference, signed=True)}",
            )
        )  # fmt: skip
    base, tuned = told.scores[Variant.BASE], told.scores[Variant.TUNED]
    if base.truth and tuned.truth:
        found.append(
            Tile(
                f"{number_text(base.truth.f1.value)} → {number_text(tuned.truth.f1.value)}",
                "finding F1, base to tuned",
                f"tuned {_interval(estimate(tuned.truth.f1))}",
            )
        )  # fmt: skip
    elif base.text and tuned.text:
        found.append(
            Tile(
                f"{number_text(base.text.chrf.value, 1)} → {number_text(tuned.text.chrf.value, 1)}",
                "chrF against the references", f"tuned {_interval(estimate(tuned.text.chrf, digits=1))}",
            )
        )  # fmt: skip
    return tuple(found)


def _interval(figures: str) -> str:
    """Interval and n of a figure, without the figure and its brackets."""
    return figures.partition(" (")[2].removesuffix(")")


def _overview(told: Gathered) -> Section:
    name, count = model_name(told), len(told.described)
    learnt = f" from {told.learnt:,} images with their texts" if told.learnt else ""
    words = (
        f"{name} was fine-tuned with LoRA{learnt}. Before and after, the model described the same {count:,}"
        f" image{'' if count == 1 else 's'} of {told.job.dataset} ({told.job.settings.get('split') or 'all splits'})"
        f" with the same prompt and decoding ({_decoding(told)})."
    )
    return Section("overview", "Overview", (Text(words), Text(_verdict(told))))


def _verdict(told: Gathered) -> str:
    summary = told.summary
    if not summary.n and summary.variants and summary.variants.n:
        return _third_verdict(summary).strip()
    if not summary.n:
        return (
            "Nobody has rated the descriptions yet, so this report says nothing about which are better to read; it"
            " gives what can be counted. Open radtui and press r to rate."
        )
    found = summary.preference
    people = len(summary.raters)
    return (
        f"{people} rater{'' if people == 1 else 's'} compared {summary.images:,} pairs blind ({summary.n:,} ratings):"
        f" the tuned text won {found.wins}, the base text {found.losses}, {found.ties} were equal,"
        f" {summary.both_bad.hits} had two bad texts. Conclusion by the sign test: {summary.verdict}"
        f" ({p_value(found.sign_p)})."
    ) + _third_verdict(summary)


def _third_verdict(summary: Summary) -> str:
    if summary.variants is None:
        return ""
    told = "; ".join(
        f"{one.later} against {one.earlier}: {one.verdict}" for one in summary.variants.contrasts
    )
    return f" In all, {summary.variants.n:,} ratings count, of pairs drawn among three variants: {told}."


def _initial_model(told: Gathered) -> Section:
    facts = [("Model", model_name(told))]
    result = (told.train or told.job).result
    for label, key in (("Weights", "weights"), ("Backend", "backend"), ("Parameters", "total_parameters")):
        if result.get(key):
            facts.append((label, value_text(result[key])))
    own = told.scores[Variant.BASE]
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
        adapter = PurePath(str(told.job.settings.get("adapter", ""))).name or "unknown"
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
    pairs = job.result.get("pairs", "the")
    return (
        f"The dpo variant goes on from that adapter (job {how.from_job}) with direct preference optimisation on {pairs}"
        f" rated pairs: beta {how.beta:g}, {job.step:,} steps of {how.effective_batch} pairs, learning rate"
        f" {how.learning_rate:g}. A frozen copy of the adapter it begins with is the reference model."
    )


def _data(told: Gathered) -> Section:
    described = told.described
    source = told.dataset
    facts = [("Data set", told.job.dataset)]
    if source:
        splits = ", ".join(f"{count:,} {name}" for name, count in source.splits.items())
        facts += [("Images", f"{source.total:,} ({splits})")]
        if source.unreadable:
            facts.append(("Unreadable", f"{source.unreadable:,}, left out"))
        if source.leaked:
            facts.append(("Same image in two splits", f"{source.leaked:,}; scores on these are too good"))
    facts.append(("Learnt from", f"{told.learnt:,} images" if told.learnt else "unknown"))
    facts.append(
        ("Described and compared here", f"{len(described):,} images of {told.job.settings.get('split')}")
    )
    with_text = sum(bool(image.reference.strip()) for image in described)
    facts.append(("With a reference text", f"{with_text:,} of them"))
    for label, counted in (
        ("Examinations", Counter(image.examination for image in described if image.examination)),
        ("Findings", Counter(truth.finding for image in described for truth in image.truth)),
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


def _limits(told: Gathered) -> Section:
    scheme = told.review.scheme
    words = [
        f"{WARNING} Nothing here was validated on patients, and no figure says how the model does on images of another"
        " hospital, machine or kind.",
        "Blind means that raters did not see which model wrote a text; a model's manner can still give it away.",
    ]
    truth = told.scores[Variant.TUNED].truth
    if truth:
        words.append(
            "Findings are read out of the texts by a list of words, which errs; it judges only findings that the data"
            f" set's truth speaks of ({truth.outside} named by the tuned model lie outside it)."
        )
    if told.dataset and told.dataset.leaked:
        words.append(f"{told.dataset.leaked} images are in more than one split.")
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
    found = {example.pair.tuned.decoding for example in told.examples}
    return " and ".join(sorted(found)) or "unknown"
