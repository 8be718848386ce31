"""Eight layouts that people have, each from its files to described cases: imported, learnt from, asked about."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from radtui.paths import DataDir
from radtui.records import JobKind, JobState
from radtui.settings import GenerateSettings, ImportSettings
from radtui.store import cases, jobs, texts
from radtui.store.cases import CaseQuery
from radtui.store.database import connect
from radtui.worker.importing import ingest
from radtui.worker.process.reporter import Reporter
from tests.conftest import drawn_png
from tests.unit.source_files import write_files

from .conftest import Worker, new_job, train_settings

TRAIN, TEST = 2, 1
EVERY = range(TRAIN + TEST)
ASKED = "Describe what you see."
Files = dict[str, bytes | str]


def text(n: int) -> str:
    return f"A bright disc, film {n}."


def split(n: int) -> str:
    return "train" if n < TRAIN else "test"


def pictures(name: str) -> Files:
    return {name.format(n=n, split=split(n)): drawn_png(n, 56) for n in EVERY}


def table(folder: Path) -> None:
    rows = "".join(f"scan_{n}.png,{text(n).replace(',', ';')},{split(n)}\n" for n in EVERY)
    write_files(folder, {**pictures("scan_{n}.png"), "metadata.csv": f"file_name,text,split\n{rows}"})


def conversations(folder: Path) -> None:
    for part in ("train", "test"):
        turns = [
            {"messages": [{"role": "user", "content": f"<image>What is on film {n}?"},
                          {"role": "assistant", "content": text(n)}], "images": [f"img/{n}.png"]}
            for n in EVERY if split(n) == part
        ]  # fmt: skip
        write_files(folder, {f"{part}.json": json.dumps(turns)})
    write_files(folder, pictures("img/{n}.png"))


def questions(folder: Path) -> None:
    for part in ("train", "test"):
        rows = [
            {"img_name": f"xmlab{n}/source.png", "question": f"What is on film {n}?", "answer": "disc", "q_lang": "en"}
            for n in EVERY if split(n) == part
        ]  # fmt: skip
        write_files(folder, {f"{part}.json": json.dumps(rows)})
    write_files(folder, pictures("imgs/xmlab{n}/source.png"))


def annotation(folder: Path) -> None:
    entries: dict[str, list[dict[str, object]]] = {"train": [], "test": []}
    for n in EVERY:
        views = [f"CXR{n}/0.png", f"CXR{n}/1.png"]
        entries[split(n)].append({"id": f"CXR{n}", "report": text(n), "image_path": views})
        write_files(folder, {f"images/{view}": drawn_png(2 * n + k, 56) for k, view in enumerate(views)})
    write_files(folder, {"annotation.json": json.dumps(entries)})


def mimic(folder: Path) -> None:
    rows = "".join(f"a{n},5041426{n},1000003{n},{split(n)}\n" for n in EVERY)
    write_files(folder, {
        **pictures("files/p10/p1000003{n}/s5041426{n}/a{n}.png"),
        **{f"files/p10/p1000003{n}/s5041426{n}.txt": f" FINDINGS: {text(n)}\n" for n in EVERY},
        "split.csv": f"dicom_id,study_id,subject_id,split\n{rows}",
    })  # fmt: skip


def chexpert_plus(folder: Path) -> None:
    rows = "".join(
        f'{split(n)}/patient0000{n}/study1/view1_frontal.jpg,"{text(n)}",patient0000{n}\n' for n in EVERY
    )
    write_files(folder, {
        **pictures("PNG/{split}/patient0000{n}/study1/view1_frontal.png"),
        "df_chexpert_plus.csv": f"path_to_image,section_findings,deid_patient_id\n{rows}",
    })  # fmt: skip


def roco(folder: Path) -> None:
    for part in ("train", "test"):
        rows = "".join(f'ROCOv2_2023_{part}_00000{n},"{text(n)}"\n' for n in EVERY if split(n) == part)
        write_files(folder, {f"{part}_captions.csv": f"ID,Caption\n{rows}"})
    write_files(folder, pictures("{split}/ROCOv2_2023_{split}_00000{n}.png"))


def parquet(folder: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    (folder / "data").mkdir(parents=True)
    for part in ("train", "test"):
        rows = [
            {"image": {"bytes": drawn_png(n, 56), "path": f"{n}.png"}, "caption": text(n)}
            for n in EVERY if split(n) == part
        ]  # fmt: skip
        pq.write_table(pa.Table.from_pylist(rows), folder / "data" / f"{part}-00000-of-00001.parquet")


LAYOUTS: list[tuple[Callable[[Path], None], int, str]] = [
    (table, 1, ""), (conversations, 1, "What is on film {n}?"), (questions, 1, "What is on film {n}?"),
    (annotation, 2, ""), (mimic, 1, ""), (chexpert_plus, 1, ""), (roco, 1, ""), (parquet, 1, ""),
]  # fmt: skip
"""What writes it, how many images a case has, and the question of a case, "" for the job's instruction."""


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    """An empty data folder."""
    return DataDir(tmp_path / "data").create()


@pytest.mark.parametrize(
    ("layout", "images", "question"), LAYOUTS, ids=lambda value: getattr(value, "__name__", "")
)
def test_a_layout_is_learnt_and_described(
    layout: Callable[[Path], None], images: int, question: str, data: DataDir, tmp_path: Path, mllama: Path,
    worker: Worker,
) -> None:  # fmt: skip
    layout(tmp_path / "in")
    db = connect(data)
    settings = ImportSettings(source=str(tmp_path / "in"), name="mine")
    job = jobs.create(db, JobKind.IMPORT, "test", "mine", settings.to_dict())
    ingest.run(job, data, db, Reporter(db, job.id))
    rows = cases.get_many(db, cases.find(db, CaseQuery("mine")))
    assert [case.split for case in rows].count("test") == TEST and len(rows) == TRAIN + TEST
    assert all(len(case.images) == images and case.reference and not case.error for case in rows)

    learnt = new_job(
        data, train_settings(
            mllama, dataset="mine", max_steps=1, batch_size=2, eval_every=0, checkpoint_every=0, watch_images=0,
            max_length_tokens=400,
        )
    )  # fmt: skip
    ended = worker(learnt)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    described = new_job(
        data, GenerateSettings(
            train_job=learnt.id, model=str(mllama), adapter=str(data.adapter(learnt.id)), dataset="mine", split="test",
            instruction=ASKED, max_new_tokens=4, load_in_4bit=False,
        ), parent_job_id=learnt.id,
    )  # fmt: skip
    ended = worker(described)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert jobs.must_get(db, described.id).state is JobState.DONE
    written = texts.finished(db, described.id)
    assert len(written) == 2 * TEST  # base and tuned
    asked = question.format(n=TRAIN) or ASKED
    assert all(asked in each.prompt for each in written)
    db.close()
