"""A methods paragraph from what is stored, and the references that it rests on as BibTeX."""

from __future__ import annotations

from radtui import __version__
from radtui.export.report import provenance as known
from radtui.export.report.document import Code, Paragraph, Section
from radtui.export.report.gather import Gathered
from radtui.measures.score_table import SCORES
from radtui.records import ArmKind

BIBLIOGRAPHY = {
    "gallas2009": """@article{gallas2009,
  author = {Gallas, Brandon D. and Bandos, Andriy and Samuelson, Frank W. and Wagner, Robert F.},
  title = {A Framework for Random-Effects {ROC} Analysis: Biases with the Bootstrap and Other Variance Estimators},
  journal = {Communications in Statistics - Theory and Methods}, volume = {38}, pages = {2586--2603}, year = {2009}
}""",
    "wilson1927": """@article{wilson1927,
  author = {Wilson, Edwin B.}, title = {Probable Inference, the Law of Succession, and Statistical Inference},
  journal = {Journal of the American Statistical Association}, volume = {22}, pages = {209--212}, year = {1927}
}""",
    "holm1979": """@article{holm1979,
  author = {Holm, Sture}, title = {A Simple Sequentially Rejective Multiple Test Procedure},
  journal = {Scandinavian Journal of Statistics}, volume = {6}, pages = {65--70}, year = {1979}
}""",
    "bradley1952": """@article{bradley1952,
  author = {Bradley, Ralph A. and Terry, Milton E.},
  title = {Rank Analysis of Incomplete Block Designs: The Method of Paired Comparisons},
  journal = {Biometrika}, volume = {39}, pages = {324--345}, year = {1952}
}""",
    "kendall1945": """@article{kendall1945,
  author = {Kendall, Maurice G.}, title = {The Treatment of Ties in Ranking Problems},
  journal = {Biometrika}, volume = {33}, pages = {239--251}, year = {1945}
}""",
    "post2018": """@inproceedings{post2018,
  author = {Post, Matt}, title = {A Call for Clarity in Reporting {BLEU} Scores},
  booktitle = {Proceedings of the Third Conference on Machine Translation}, pages = {186--191}, year = {2018}
}""",
    "popovic2015": """@inproceedings{popovic2015,
  author = {Popovi{\\'c}, Maja}, title = {{chrF}: Character n-gram {F}-score for Automatic {MT} Evaluation},
  booktitle = {Proceedings of the Tenth Workshop on Statistical Machine Translation}, pages = {392--395}, year = {2015}
}""",
    "lin2004": """@inproceedings{lin2004,
  author = {Lin, Chin-Yew}, title = {{ROUGE}: A Package for Automatic Evaluation of Summaries},
  booktitle = {Text Summarization Branches Out}, pages = {74--81}, year = {2004}
}""",
    "xu2025": """@inproceedings{xu2025,
  author = {Xu, Justin and Zhang, Xi and others}, title = {{RadEval}: A Framework for Radiology Text Evaluation},
  booktitle = {Proceedings of EMNLP 2025: System Demonstrations}, pages = {546--557}, year = {2025}
}""",
    "hu2022": """@inproceedings{hu2022,
  author = {Hu, Edward J. and Shen, Yelong and Wallis, Phillip and others},
  title = {{LoRA}: Low-Rank Adaptation of Large Language Models},
  booktitle = {International Conference on Learning Representations}, year = {2022}
}""",
    "yu2023": """@article{yu2023,
  author = {Yu, Feiyang and Endo, Mark and Krishnan, Rayan and others},
  title = {Evaluating Progress in Automatic Chest {X}-Ray Radiology Report Generation},
  journal = {Patterns}, volume = {4}, number = {9}, year = {2023}
}""",
}
"""References by their keys, in the order of the paragraph."""


def methods(gathered: Gathered) -> str:
    """The paragraph: arms, cases, readers, protocol, statistics; what is not stored is not in it."""
    arms, kinds = len(gathered.study.arms), {arm.kind for arm in gathered.arms}
    parts = [
        f"Texts of {arms} arms ({', '.join(gathered.study.arm_names)}) were compared on {known.patients(gathered)}"
        f" ({gathered.study.dataset}; {known.split_words(gathered)})."
    ]
    if words := known.models(gathered):
        parts.append(f"Models: {words}.")
    if words := known.learnt(gathered):
        parts.append(f"The tuned model was trained with {words}.")
    if words := known.prompts(gathered):
        parts.append(f"They were asked {words}, decoding {known.decoding(gathered)}.")
    if ArmKind.REFERENCE in kinds:
        parts.append("The data set's own reference was one of the blind arms.")
    if words := known.readers(gathered):
        parts.append(
            f"{words} compared two texts of a case at a time, {known.blinding(gathered)}, by {known.scheme(gathered)}."
        )
    if gathered.identical:
        pairs = "; ".join(f"{count:,} of {pair}" for pair, count in gathered.identical.items())
        parts.append(f"Pairs of identical texts were shown to nobody and are counted apart: {pairs}.")
    parts.append(
        f"The protocol was {known.lock(gathered)}."
        if known.lock(gathered)
        else "No protocol was locked beforehand."
    )
    parts.append(_statistics(gathered))
    if scored := [
        score.name
        for score in SCORES
        if any(score.value(own) is not None for own in gathered.scores.values())
    ]:
        parts.append(f"Scores against references and labels: {', '.join(scored)}.")
    parts.append(f"Software: {known.versions(gathered)}.")
    return " ".join(parts)


def _statistics(gathered: Gathered) -> str:
    several = len(gathered.summary.raters) > 1
    words = (
        "Intervals are 95 %, with readers and cases both random (two-way moments, Satterthwaite's degrees of freedom)"
        if several
        else "Intervals are 95 %, for this reader alone (Wilson for shares, bootstrap for means)"
    )
    if gathered.summary.arms:
        words += "; all arms on one scale by the Bradley-Terry model"
    return (
        f"{words}. Two arms were compared in pairs (sign test for preferences, bootstrap and exchange within cases for"
        " scores), p-values adjusted by Holm."
    )


def references(gathered: Gathered) -> list[str]:
    """Keys of the references that this report rests on."""
    packaged = any(own.packaged for own in gathered.scores.values())
    used = {
        "gallas2009": len(gathered.summary.raters) > 1,
        "wilson1927": bool(gathered.summary.n),
        "bradley1952": gathered.summary.arms is not None,
        "kendall1945": bool(gathered.stand_ins.scores),
        "post2018": any(own.text for own in gathered.scores.values()),
        "popovic2015": any(own.text for own in gathered.scores.values()),
        "lin2004": any(own.text for own in gathered.scores.values()),
        "xu2025": packaged,
        "hu2022": gathered.train is not None,
        "yu2023": gathered.summary.errors is not None,
    }
    return [key for key in BIBLIOGRAPHY if used.get(key, True)]


def bibtex(gathered: Gathered) -> str:
    """The references as BibTeX, radtui first."""
    own = (
        "@software{radtui,\n  author = {{radtui contributors}}, title = {{radtui}},"
        f" version = {{{__version__}}}, year = {{{gathered.written_at.year}}}\n}}"
    )
    return "\n\n".join([own, *(BIBLIOGRAPHY[key] for key in references(gathered))]) + "\n"


def methods_section(gathered: Gathered) -> Section:
    """The paragraph and the references, to be taken into a manuscript."""
    return Section(
        "methods", "Methods, in one paragraph",
        (
            Paragraph(methods(gathered)),
            Paragraph("References as BibTeX:", note=True),
            Code(bibtex(gathered)),
        ),
    )  # fmt: skip
