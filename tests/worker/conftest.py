"""A tiny Mllama, made here, and data folders with drawn images, for tests of the worker."""

from __future__ import annotations

import io
import json
import multiprocessing.spawn  # noqa: F401 - it keeps the interpreter that it finds, which is to be the true one
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from PIL import Image as Pillow
from PIL import ImageDraw

from radtui.paths import DataDir
from radtui.records import Job, JobKind, Truth
from radtui.settings import GenerateSettings, TrainSettings
from radtui.store import cases, jobs
from radtui.store.database import connect
from radtui.worker.process.environment import QUIET
from tests import blobs
from tests.conftest import DRAW, kept_case

from .imports import run  # noqa: F401 - a fixture
from .places import FORKED, LIMIT_S, REPOSITORY
from .slurm_cluster import cluster, profile  # noqa: F401 - fixtures

# Models this small gain nothing from threads, and on a busy machine threads that wait for each other cost tenfold.
os.environ["OMP_NUM_THREADS"] = "1"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Each test draws the same weights, whichever tests ran before it and however far their jobs came."""
    random.seed(DRAW)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(DRAW)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(DRAW)


SIDE_PX = 56
SHAPES = ("disc", "square", "bar")
PLACES = ("left", "right")
GUARD = Path(__file__).parent / "network_guard"
STEP_HOOKS = Path(__file__).parent / "step_hooks"

TEMPLATE = (
    "{{- bos_token }}{% for m in messages %}"
    "{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' }}"
    "{% if m['content'] is string %}{{ m['content'] }}{% else %}{% for part in m['content'] %}"
    "{% if part['type'] == 'image' %}{{ '<|image|>' }}{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}{{ '<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)


def caption(shape: str, place: str, number: int) -> str:
    """A reference text; `number` varies its wording, so that lengths differ."""
    ends = ("", ", well seen", " on a plain film, no other finding")
    return f"A bright {shape} on the {place}{ends[number % len(ends)]}."


def make_tokenizer():
    """A byte-level BPE of about 330 tokens with Llama 3's special tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    specials = [
        "<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>",
        "<|finetune_right_pad_id|>", "<|image|>",
    ]  # fmt: skip
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    texts = [caption(s, p, n) for s in SHAPES for p in PLACES for n in range(3)]
    texts += ["user", "assistant", "Describe what you see."]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(
        texts, trainers.BpeTrainer(vocab_size=400, special_tokens=specials, initial_alphabet=alphabet)
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe, bos_token="<|begin_of_text|>", eos_token="<|eot_id|>",
        pad_token="<|finetune_right_pad_id|>", model_max_length=512, chat_template=TEMPLATE,
    )  # fmt: skip


def write_mllama(
    folder: Path, tiles: int = 1, change: Callable[[Any], None] | None = None, **vision: Any
) -> Path:
    """Write a Mllama of 0.5 million random parameters with tokenizer, processor and chat template.

    Args:
        folder: Where.
        tiles: Of an image, at most.
        change: Done to the model before it is written; by default its gates are opened.
        vision: What its vision tower has otherwise.
    """
    import torch
    from transformers import MllamaConfig, MllamaForConditionalGeneration, MllamaProcessor
    from transformers.models.mllama.configuration_mllama import MllamaTextConfig, MllamaVisionConfig

    try:
        import torchvision  # noqa: F401
        from transformers import MllamaImageProcessor as ImageProcessor
    except ImportError:
        from transformers import MllamaImageProcessorPil as ImageProcessor

    tokenizer = make_tokenizer()
    tower = {
        "hidden_size": 64, "num_hidden_layers": 2, "num_global_layers": 1, "attention_heads": 4,
        "intermediate_size": 128, "vision_output_dim": 128, "image_size": SIDE_PX, "patch_size": 14,
        "max_num_tiles": tiles, "intermediate_layers_indices": [0], "supported_aspect_ratios": [[1, 1]],
    }  # fmt: skip
    text = MllamaTextConfig(
        vocab_size=len(tokenizer), hidden_size=96, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=2, intermediate_size=192, cross_attention_layers=[1, 3], max_position_embeddings=512,
        rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
        pad_token_id=tokenizer.pad_token_id, bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )  # fmt: skip
    config = MllamaConfig(
        vision_config=MllamaVisionConfig(**(tower | vision)), text_config=text,
        image_token_index=tokenizer.convert_tokens_to_ids("<|image|>"),
    )  # fmt: skip
    torch.manual_seed(DRAW)
    model = MllamaForConditionalGeneration(config)
    with torch.no_grad():
        (change or open_gates)(model)
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    processor = MllamaProcessor(
        image_processor=ImageProcessor(size={"height": SIDE_PX, "width": SIDE_PX}, max_image_tiles=tiles),
        tokenizer=tokenizer, chat_template=TEMPLATE,
    )  # fmt: skip
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def open_gates(model: Any) -> None:
    """Fill the gates that start at zero, which would make a model that never sees its image."""
    for name, parameter in model.named_parameters():
        if "cross_attn" in name and name.endswith("gate"):
            parameter.fill_(1.0)


@pytest.fixture(scope="session")
def mllama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny Mllama."""
    return write_mllama(tmp_path_factory.mktemp("mllama"))


@pytest.fixture(scope="session")
def tiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny Mllama whose images are cut into up to four tiles."""
    from .tiled import write_tiled_mllama

    return write_tiled_mllama(tmp_path_factory.mktemp("tiled"))


def draw(shape: str, place: str, rng: random.Random) -> bytes:
    """A grey PNG with one bright shape on its left or right."""
    width, height = rng.choice([(64, 64), (80, 60), (60, 90)])  # px
    image = Pillow.new("L", (width, height), rng.randrange(20, 60))
    pen = ImageDraw.Draw(image)
    x = width * (0.27 if place == "left" else 0.73) + rng.uniform(-3, 3)
    y, r = height * rng.uniform(0.3, 0.7), rng.uniform(7, 11)
    if shape == "disc":
        pen.ellipse((x - r, y - r, x + r, y + r), fill=220)
    elif shape == "square":
        pen.rectangle((x - r, y - r, x + r, y + r), fill=220)
    else:
        pen.rectangle((x - r / 3, y - 2 * r, x + r / 3, y + 2 * r), fill=220)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


def fill(data: DataDir, train: int = 24, test: int = 8, dataset: str = "shapes") -> None:
    """Draw a data set of shapes into a data folder, its bytes where the worker looks for them."""
    rng = random.Random(1)
    db = connect(data)
    cases.ensure_dataset(db, dataset, "drawn")
    batch = []
    for split, count in (("train", train), ("test", test)):
        for number in range(count):
            shape, place = SHAPES[number % 3], PLACES[number // 3 % 2]
            content = draw(shape, place, rng)
            digest = blobs.keep(data, content)
            probe = cases.Probe(digest, "PNG", *Pillow.open(io.BytesIO(content)).size, "L")
            batch.append(kept_case(
                split, f"{split}-{number}", probe, reference=caption(shape, place, number),
                examination=f"film of a {shape}", truth=(Truth(shape, place),),
            ))  # fmt: skip
    cases.add(db, dataset, batch)
    db.close()


@pytest.fixture
def data(tmp_path: Path) -> DataDir:
    """A data folder with 24 training and 8 test images."""
    folder = DataDir(tmp_path / "data").create()
    fill(folder)
    return folder


def train_settings(model: Path | str, **changes: object) -> TrainSettings:
    """Six fast steps on the shapes."""
    values = {
        "model": str(model), "dataset": "shapes", "instruction": "Describe what you see.", "max_steps": 6,
        "batch_size": 4, "learning_rate": 3e-3, "warmup_steps": 1, "optimizer": "adamw_torch",
        "load_in_4bit": False, "gradient_checkpointing": "off", "loader_workers": 0, "eval_every": 3,
        "eval_images": 8, "checkpoint_every": 2, "max_length_tokens": 128, "watch_images": 2, "watch_tokens": 12,
    } | changes  # fmt: skip
    return TrainSettings(**values)  # type: ignore[arg-type]


def new_job(data: DataDir, settings: TrainSettings | GenerateSettings, **extra: object) -> Job:
    """A job row as a submission leaves it, without a process."""
    kind = JobKind.TRAIN if isinstance(settings, TrainSettings) else JobKind.GENERATE
    db = connect(data)
    job = jobs.create(db, kind, "test", settings.dataset, settings.to_dict(), **extra)  # type: ignore[arg-type]
    data.job(job.id).mkdir(parents=True, exist_ok=True)
    db.close()
    return job


def job_now(data: DataDir, job: Job) -> Job:
    """A job's row as it is now."""
    db = connect(data)
    row = jobs.must_get(db, job.id)
    db.close()
    return row


def log_of(data: DataDir, job: Job, name: str = "log.txt") -> str:
    """What a job's log holds; "" where there is none."""
    file = data.job(job.id) / name
    return file.read_text() if file.exists() else ""


def wait_for(data: DataDir, job: Job, condition: Callable[[Job], bool]) -> Job:
    """Look at a job until a condition holds; fails where it ends in an error before."""
    end = time.monotonic() + LIMIT_S
    while not condition(found := job_now(data, job)):
        assert time.monotonic() < end and (found.state.live or not found.error), (found, log_of(data, job))
        time.sleep(0.05)
    return found


def _found_by() -> list[str]:
    """What PYTHONPATH names already: a checkout may be tested without being installed."""
    return list(filter(None, [os.environ.get("PYTHONPATH", "")]))


@pytest.fixture(scope="session")
def worker_server() -> Iterator[dict[str, str]]:
    """A process that has TRL loaded and forks workers; the variables by which the stand-in interpreter finds it."""
    with tempfile.TemporaryDirectory() as folder:  # a socket's path may not be long
        path = Path(folder) / "socket"
        quiet = {**QUIET, "OMP_WAIT_POLICY": "PASSIVE"}
        environment = {**os.environ, "FORKED_QUIET": json.dumps(quiet)}
        server = subprocess.Popen(
            [sys.executable, "-P", str(FORKED / "server.py"), str(path)], env=environment
        )
        end = time.monotonic() + LIMIT_S
        while not path.exists() and server.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        yield {"FORKED_SOCKET": str(path), "FORKED_PYTHON": sys.executable}
        server.kill()
        server.wait()


@pytest.fixture(autouse=True)
def own_environment() -> Iterator[None]:
    """A test leaves no variable behind: what a job sets for itself would keep all later workers from being forked."""
    with patch.dict(os.environ):
        yield


@pytest.fixture(autouse=True)
def forked_workers(
    request: pytest.FixtureRequest, own_environment: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let workers be forked from a process that has their libraries; a test marked `true_start` starts them anew."""
    if request.node.get_closest_marker("true_start") is None:
        for name, value in request.getfixturevalue("worker_server").items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(sys, "executable", str(FORKED / "python"))


@pytest.fixture
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """From here on every Python process notes and refuses connections; returns the file of the notes."""
    notes = tmp_path / "connections"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(GUARD), *_found_by()]))
    monkeypatch.setenv("NETWORK_NOTES", str(notes))
    monkeypatch.delenv("CI", raising=False)  # TRL sends nothing in CI; here it must not either
    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY", "TRANSFORMERS_OFFLINE", "DO_NOT_TRACK"):
        monkeypatch.delenv(name, raising=False)
    return notes


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file: as long as it is there, training jobs started from here on wait after their fifth step."""
    file = tmp_path / "held"
    file.touch()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(STEP_HOOKS), *_found_by()]))
    monkeypatch.setenv("HELD", f"5 {file}")
    return file


Worker = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def worker(data: DataDir) -> Worker:
    """Run the worker of a job to its end in a process of its own."""

    def run_worker(
        job: Job, timeout_s: float = LIMIT_S, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            worker_command(data, job), env={**os.environ, **environment}, cwd=REPOSITORY, capture_output=True,
            text=True, timeout=timeout_s, check=False,
        )  # fmt: skip

    return run_worker


def worker_command(data: DataDir, job: Job) -> list[str]:
    """The command line of a job's worker."""
    return [sys.executable, "-m", "radtui.worker", "--data-dir", str(data.root), str(job.id)]
