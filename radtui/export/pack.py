"""One reader's part of a study as one file: what they see, under names that say nothing.

A pack is a database of the usual tables. Each comparison is a case of its own with two texts, `text 1` and `text 2`,
in an order drawn by lot: neither names nor ids tell which texts come from the same arm. What stands for what is kept
in the data folder, `packs/NUMBER.json`, beside a hash of all that was packed.
"""

from __future__ import annotations

import io
import json
import random
import re
import secrets
import sqlite3
from dataclasses import astuple, dataclass
from hashlib import sha256
from pathlib import Path, PurePath

from PIL import Image

from radtui.export.files import passing_folder, sweep, whole_file
from radtui.imaging.decode import decode
from radtui.imaging.windows import to_grey8
from radtui.measures.scheme import Scheme
from radtui.measures.text import normalise
from radtui.paths import DataDir
from radtui.records import Arm, ArmKind, Case, Comparison, NewCase, NewCaseImage, Study, StudyArm, UserError
from radtui.store import arms, cases, packs, ratings, studies, texts
from radtui.store.blobs import image_bytes
from radtui.store.database import connect
from radtui.store.ratings import Assignment
from radtui.study.overview import hints
from radtui.study.packed import PACK
from radtui.study.queue import Pair
from radtui.study.session import Sitting, read_sitting
from radtui.study.study import SCHEME_FILE

TEXTS = ("text 1", "text 2")  # the arms of a pack
DATASET = "pack"
IMAGES = "images/"  # before the name of an image in a pack
FOLDER = "packs"  # of the data folder


@dataclass(frozen=True, slots=True)
class Packed:
    """What was packed: `left_out` images could not be read."""

    path: Path
    pairs: int  # showings, repeats included
    images: int
    left_out: int


@dataclass(frozen=True, slots=True)
class _Item:
    """One comparison on its way into a pack: its number there, and which arms its two texts come from."""

    number: int  # 1 ..
    case: Case
    pair: int
    arms: tuple[str, str]  # of text 1 and text 2


def _refuse_log(out: Path) -> None:
    """Raise UserError where a killed session left its log of an earlier file: SQLite would read it into the new one."""
    log = out.with_name(f"{out.name}-wal")
    if log.exists() and log.stat().st_size:
        raise UserError(
            f"{log} holds answers of an earlier {out.name}: have that opened with radtui study open, or move both away."
        )


def write_pack(
    data: DataDir,
    db: sqlite3.Connection,
    study: Study,
    reader: str,
    scheme: Scheme,
    scheme_text: str,
    out: Path,
) -> Packed:
    """Write a reader's pack.

    Args:
        data: The data folder.
        db: Its database.
        study: The study.
        reader: Who is going to rate; nothing of theirs may be here yet.
        scheme: What is asked.
        scheme_text: The scheme's own file, "" for the one that ships with radtui.
        out: The file, replaced once the new one is whole.

    Raises:
        UserError: The reader has rated already, there is nothing to rate, or the file cannot be written.
    """
    if ratings.history(db, study.id, reader):
        raise UserError(f"{reader} has begun to rate study {study.id} here; let them go on here.")
    if named := named_arm(out.stem, db, study):
        raise UserError(
            f"{out.name} names the arm {named}, and the reader sees it; choose another name with --out."
        )
    _refuse_log(out)
    sitting = read_sitting(db, study.id, reader, scheme)
    if not sitting.pairs:
        raise UserError(f"Study {study.id} has nothing to rate.")
    sees_reference = scheme.protocol.reference != "never" and all(
        arm.kind is not ArmKind.REFERENCE for arm in study.arms
    )
    number = secrets.token_hex(8)
    making = _Making(data, study, reader, sitting, _items(db, study, sitting), number, sees_reference)
    with passing_folder("radtui-pack-") as folder:
        inside = DataDir(folder / "pack")
        filled = _fill(making, db, inside, scheme_text)
        content = inside.database.read_bytes()
    home = {
        "pack": number, "study": study.id, "reader": reader, "sha256": filled.digest,
        "items": [[item.number, item.case.id, item.pair, *item.arms] for item in making.items],
    }  # fmt: skip
    (data.root / FOLDER).mkdir(exist_ok=True)
    sweep(data.root / FOLDER, "*.json")
    # What stands for what is at home before anybody has the pack.
    try:
        with whole_file(home_file(data, number)) as file:
            json.dump(home, file)
    except UserError as error:
        raise UserError(
            f"{data.root} cannot take the pack's key ({error.__cause__}), without which no answers come home: make room"
            " there, or let it be written."
        ) from error
    with whole_file(out, binary=True) as file:
        file.write(content)
    return Packed(out, len(sitting.pairs), filled.images, filled.left_out)


def named_arm(text: str, db: sqlite3.Connection, study: Study) -> str:
    """The arm, or its model, that a name gives away; "" where it gives none away."""
    for arm, known in hints(db, study).items():
        for hint in filter(None, (PurePath(each).stem for each in known)):
            if re.search(rf"(?<![a-z0-9]){re.escape(hint)}(?![a-z0-9])", text, re.IGNORECASE):
                return arm
    return ""


def home_file(data: DataDir, number: str) -> Path:
    """Where the data folder keeps what the names in a pack stand for."""
    return data.root / FOLDER / f"{number}.json"


def _items(db: sqlite3.Connection, study: Study, sitting: Sitting) -> list[_Item]:
    """Every comparison of a sitting, numbered by lot, its texts in an order drawn by lot."""
    lot = random.SystemRandom()
    wanted = list(dict.fromkeys((pair.case_id, pair.pair) for pair in sitting.pairs))
    lot.shuffle(wanted)
    known = {case.id: case for case in cases.get_many(db, [case_id for case_id, _ in wanted])}
    comparisons = studies.comparisons(db, study, list(known))
    items = []
    for number, (case_id, pair) in enumerate(wanted, 1):
        sides = list(sitting.sides_of(Pair(study.id, case_id, 0, pair), comparisons[case_id]))
        lot.shuffle(sides)
        items.append(_Item(number, known[case_id], pair, (sides[0], sides[1])))
    return items


@dataclass(frozen=True, slots=True)
class _Making:
    """What a pack is made of."""

    data: DataDir
    study: Study
    reader: str
    sitting: Sitting
    items: list[_Item]
    number: str  # the pack's
    sees_reference: bool


@dataclass(frozen=True, slots=True)
class _Filled:
    """A pack's database as it was made."""

    digest: str
    images: int
    left_out: int


def _fill(making: _Making, db: sqlite3.Connection, inside: DataDir, scheme_text: str) -> _Filled:
    """Make the pack's database."""
    new = connect(inside, create=True)
    images, left_out = _add_cases(making, new)
    ids = {
        case.source_key: case.id for case in cases.get_many(new, cases.find(new, cases.CaseQuery(DATASET)))
    }
    numbers = {item.number: ids[_key(item)] for item in making.items}
    comparisons = studies.comparisons(db, making.study, [item.case.id for item in making.items])
    own = [arms.keep(new, Arm(0, name, ArmKind.FILE, model=name)) for name in TEXTS]
    for at, arm in enumerate(own):
        normalised = {
            numbers[item.number]: normalise(comparisons[item.case.id].by(item.arms[at]).text)
            for item in making.items
        }
        texts.add(
            new, None, [texts.NewText(n, arm.id, "", text, 0, 0.0, False) for n, text in normalised.items()]
        )
    placed = tuple(StudyArm(arm.name, arm.id, arm.kind) for arm in own)
    protocol: dict[str, object] = {PACK: making.number, "reader": making.reader}
    packed = studies.create(
        new,
        Study(0, _shown_name(making.study, db), None, DATASET, 0, placed, protocol, 0.0),
        numbers.values(),
    )
    ratings.assign(new, _assignments(making, packed, numbers, comparisons))
    packs.add_files(new, [(SCHEME_FILE, scheme_text.encode())] if scheme_text else [])
    digest = content_hash(new)
    packs.close_into_one_file(new)
    return _Filled(digest, images, left_out)


def _shown_name(study: Study, db: sqlite3.Connection) -> str:
    """The study's name, or its number where the name gives an arm away or tells of the job behind it."""
    gives_away = study.job_id is not None or named_arm(study.name, db, study)
    return f"study {study.id}" if gives_away else study.name


def _key(item: _Item) -> str:
    return f"case {item.number:05d}"


def _add_cases(making: _Making, new: sqlite3.Connection) -> tuple[int, int]:
    """Put in the cases with their images; returns how many images there are, and how many cannot be read."""
    cases.ensure_dataset(new, DATASET, "a reader's pack")
    images = left_out = 0
    for item in making.items:
        pictures, failed = _pictures(making.data, item.case)
        images, left_out = images + len(pictures), left_out + failed
        packs.add_files(new, [(IMAGES + probe.sha256, content) for probe, content, _ in pictures])
        case = NewCase(
            DATASET, _key(item), tuple(NewCaseImage(role=role) for _, _, role in pictures),
            reference=item.case.reference if making.sees_reference else "", question=item.case.question,
            examination=item.case.examination, truth=item.case.truth if making.sees_reference else (),
        )  # fmt: skip
        cases.add(new, DATASET, [cases.KeptCase(case, tuple(probe for probe, _, _ in pictures))])
    return images, left_out


def _pictures(data: DataDir, case: Case) -> tuple[list[tuple[cases.Probe, bytes, str]], int]:
    """A case's images as 8-bit PNG with nothing but pixels, and how many cannot be read."""
    pictures, failed = [], 0
    for image in case.images:
        if image.error or not image.sha256:
            failed += 1
            continue
        try:
            drawn = Image.fromarray(to_grey8(decode(image_bytes(data, image.sha256), None)))
        except UserError:
            failed += 1
            continue
        out = io.BytesIO()
        drawn.save(out, "PNG")
        content = out.getvalue()
        probe = cases.Probe(sha256(content).hexdigest(), "PNG", drawn.width, drawn.height, drawn.mode)
        pictures.append((probe, content, image.role))
    return pictures, failed


def _assignments(
    making: _Making, packed: Study, numbers: dict[int, int], comparisons: dict[int, Comparison]
) -> list[Assignment]:
    """The reader's order and sides, in the pack's words."""
    by_key = {(item.case.id, item.pair): item for item in making.items}
    assigned = []
    for place, pair in enumerate(making.sitting.pairs):
        item = by_key[pair.case_id, pair.pair]
        left = making.sitting.sides_of(pair, comparisons[pair.case_id])[0]
        sides = TEXTS if left == item.arms[0] else TEXTS[::-1]
        role = making.sitting.role_of(pair)
        key = (packed.id, numbers[item.number], making.reader)
        assigned.append(Assignment(*key, pair.occasion, role, *sides, f"{place:06d}"))
    return assigned


def content_hash(db: sqlite3.Connection) -> str:
    """SHA-256 of all that was packed: cases, images, texts, sides, order and scheme; not of what is rated."""
    digest = sha256()
    for study in studies.all_studies(db):
        ids = studies.work_list(db, study)
        comparisons = studies.comparisons(db, study, ids)
        reader = str(study.protocol.get("reader", ""))
        facts: list[object] = [
            study.name, study.protocol, study.arm_names,
            [_facts(case) for case in cases.get_many(db, ids)],
            [[n, {arm: text.text for arm, text in sorted(comparisons[n].texts.items())}] for n in sorted(comparisons)],
            [list(astuple(each)) for each in ratings.assigned(db, study.id, reader)],
        ]  # fmt: skip
        digest.update(json.dumps(facts, sort_keys=True).encode())
    for name, content in packs.files(db):
        digest.update(f"\n{name} {sha256(content).hexdigest()}".encode())
    return digest.hexdigest()


def _facts(case: Case) -> list[object]:
    images = [[image.sha256, image.role] for image in case.images]
    truth = [list(astuple(each)) for each in case.truth]
    return [case.id, case.source_key, case.question, case.reference, case.examination, images, truth]
