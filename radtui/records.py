"""Values that cross a boundary: between worker and store, store and app, command line and all of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class UserError(Exception):
    """A problem the user can act on: one sentence that names what is wrong and the next step."""


class JobKind(StrEnum):
    """What a worker is started for."""

    IMPORT = "import"
    TRAIN = "train"
    GENERATE = "generate"


class JobState(StrEnum):
    """Where a job is in its life.

    `queued` waits for the job named in `after_job_id`; `lost` is a job whose worker died without a word.
    """

    QUEUED = "queued"
    STARTING = "starting"
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    LOST = "lost"

    @property
    def live(self) -> bool:
        """Whether a worker is, or will be, at work on it."""
        return self in (JobState.QUEUED, JobState.STARTING, JobState.RUNNING)


class StopRequest(StrEnum):
    """What the app asks of a running worker; the worker reads it with every row it writes."""

    NONE = ""
    CHECKPOINT = "checkpoint"  # finish the step, save a checkpoint, end
    NOW = "now"  # end at once; the last checkpoint stays


class Variant(StrEnum):
    """Which of a job's models wrote a description, in the order they were made.

    `tuned` has learnt references (SFT); `dpo` has learnt from ratings on top of that.
    """

    BASE = "base"
    TUNED = "tuned"
    DPO = "dpo"

    @property
    def opposite(self) -> Variant:
        """The other one of a pair of base and tuned; of dpo, tuned."""
        return Variant.BASE if self is Variant.TUNED else Variant.TUNED


TWO_VARIANTS = (Variant.BASE, Variant.TUNED)
"""What every generation job describes with; `dpo` comes third where there is such an adapter."""


@dataclass(frozen=True, slots=True)
class Truth:
    """One finding known to be in an image, or none: `finding="normal"`.

    Side is the patient's: `right`, `left`, `midline` or "". Zone is the examination's own word ("upper").
    """

    finding: str
    side: str = ""
    zone: str = ""
    size: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a data set; its bytes lie unchanged under `images/`, addressed by sha256.

    `error` says why it could not be read, else "". `leaked` is true when the same bytes are in another split.
    """

    id: int
    dataset: str
    split: str
    position: int
    source_key: str
    sha256: str
    format: str
    width_px: int
    height_px: int
    mode: str  # Pillow's mode: "L", "I;16", "RGB", ...
    reference: str
    examination: str  # "chest PA", "" when the source does not say
    facts: dict[str, str]  # other columns of the source, as text
    truth: tuple[Truth, ...] = ()
    error: str = ""
    leaked: bool = False


@dataclass(frozen=True, slots=True)
class NewImage:
    """One row a source yields to the import: bytes as found, or the reason why there are none."""

    split: str
    source_key: str
    data: bytes
    reference: str = ""
    examination: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    truth: tuple[Truth, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class NewCaseImage:
    """One image of a case on its way into the store: bytes as found, or the reason why there are none.

    `name` is for people (a file's name in its source); `role` is "frontal", "lateral", "prior", ... or "".
    """

    data: bytes = b""
    name: str = ""
    role: str = ""
    note: str = ""  # what stands for it and why: "frame 12 of 30, the middle one"
    error: str = ""


@dataclass(frozen=True, slots=True)
class NewCase:
    """One case that a source yields to the import.

    `patient` and `exam` are the source's own identifiers: they go through the gate, which keeps keyed hashes alone.
    An empty question means the job's instruction; a case without a readable image has an `error`.
    """

    split: str
    source_key: str
    images: tuple[NewCaseImage, ...]
    reference: str = ""
    question: str = ""
    examination: str = ""
    patient: str = ""
    exam: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    truth: tuple[Truth, ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something of a source that is not used, with the reason: a file, a line of one, a table, a column.

    `count` is how many of the kind this stands for; `where` is "reports.csv" or "reports.csv, line 12".
    """

    where: str
    reason: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class CaseImage:
    """One image of a case; its bytes lie unchanged under `images/`, addressed by sha256."""

    sha256: str
    format: str
    width_px: int
    height_px: int
    mode: str  # Pillow's mode: "L", "I;16", "RGB", ...
    name: str = ""
    role: str = ""
    note: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Job:
    """One row of `jobs`. Times are Unix seconds; `settings` and `result` are decoded JSON."""

    id: int
    kind: JobKind
    state: JobState
    name: str
    dataset: str
    settings: dict[str, object]
    parent_job_id: int | None  # the training job a generation uses, or the job whose settings were taken
    after_job_id: int | None  # starts when that one is done
    step: int
    total_steps: int
    stop_requested: StopRequest
    message: str  # what the worker is doing now, or a warning that stays
    error: str
    result: dict[str, object]
    pid: int | None
    created_at: float
    # Later by the time between two attempts, so that from it to ended_at is the time that the job ran.
    started_at: float | None
    heartbeat_at: float | None
    ended_at: float | None

    @property
    def resumable(self) -> bool:
        """Whether it has ended with something left to do."""
        # A training that is done may have ended before its last step, and an import skips images that it has.
        if self.state is JobState.DONE:
            return self.kind is JobKind.GENERATE and self.step < self.total_steps
        return not self.state.live


@dataclass(frozen=True, slots=True)
class Metric:
    """One point of one series. `value` is None where the measured number was not finite."""

    id: int
    step: int
    epoch: float
    elapsed_s: float
    name: str
    value: float | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at a step: `checkpoint`, `eval`, `data`, `memory`, `warning`, `resume`."""

    id: int
    step: int
    elapsed_s: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Description:
    """What one variant wrote about one image in one job.

    `step` is the training step of a description written while training, None for a generation job's.
    """

    id: int
    job_id: int
    image_id: int
    variant: Variant
    step: int | None
    text: str
    prompt: str
    decoding: str  # "greedy" or "t=1.5 min_p=0.1 seed=3407"
    tokens: int
    seconds: float
    truncated: bool  # ended by max_new_tokens, not by the model


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the variants of one generation job wrote about one image; a rater sees two of the texts."""

    job_id: int
    image_id: int
    base: Description
    tuned: Description
    reference: str
    dpo: Description | None = None  # None in a job of two variants

    def by(self, variant: Variant) -> Description:
        """One variant's description. Raises KeyError when the job has no such variant."""
        found = {Variant.BASE: self.base, Variant.TUNED: self.tuned, Variant.DPO: self.dpo}[variant]
        if found is None:
            raise KeyError(variant)
        return found


@dataclass(frozen=True, slots=True)
class Rating:
    """One snapshot of a rater's judgement of a comparison; the newest row of a comparison counts.

    `preference` points to the later of the two variants shown (base, tuned, dpo): to tuned, where there are two,
    -2..+2; so do the dimensions. `answers` holds the scheme's further questions by key, such as `dim.correctness` or
    `error.base.1.significant`. `undoes` is the id of the row this one takes back.
    """

    id: int
    job_id: int
    image_id: int
    rater: str
    occasion: int  # 0, or 1 for a hidden repeat
    scheme: str
    scheme_hash: str
    preference: int | None
    both_bad: bool
    base_acceptability: int | None
    tuned_acceptability: int | None
    answers: dict[str, int]
    note: str
    flagged: bool
    skipped: bool
    blinded: bool
    shown_left: Variant
    active_s: float
    wall_s: float
    rated_at: float
    undoes: int | None = None
    shown_right: Variant = None  # type: ignore[assignment]  # unless named, the other of base and tuned
    dpo_acceptability: int | None = None

    def __post_init__(self) -> None:
        """Fill in the side that most ratings need not name; a text is never shown beside itself."""
        if self.shown_right in (None, self.shown_left):
            object.__setattr__(self, "shown_right", self.shown_left.opposite)

    @property
    def shown(self) -> tuple[Variant, Variant]:
        """The two variants compared, the earlier made first."""
        order = list(Variant)
        one, other = sorted((self.shown_left, self.shown_right), key=order.index)
        return one, other

    def acceptability(self, variant: Variant) -> int | None:
        """How usable a variant's text is, 1..5, or None when that was not said."""
        given: int | None = getattr(self, f"{variant.value}_acceptability")
        return given

    @property
    def acceptabilities(self) -> tuple[int | None, ...]:
        """How usable each variant's text is, in the variants' order."""
        return self.base_acceptability, self.tuned_acceptability, self.dpo_acceptability

    @property
    def empty(self) -> bool:
        """Whether nothing has been judged: such a comparison is unrated."""
        return self.preference is None and not self.both_bad and not self.skipped


@dataclass(frozen=True, slots=True)
class DeviceMemory:
    """Memory of one GPU, or of the machine where there is none."""

    name: str  # "GPU 0, NVIDIA H200", or "main memory"
    free_gib: float
    total_gib: float
    held: str = ""  # who else holds it: "process 4711 holds 12.3 GiB"
    chosen: bool = False  # whether a job started now would take it


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a training run would take of each device's memory, estimated without loading its weights.

    A run on several GPUs has the whole model on each: every figure is of one of them.
    """

    fits: bool
    verdict: str  # one sentence; where nothing fits, with what would
    precision: str  # of the weights: "4-bit", "bfloat16", "float32"
    images: int  # at a time, on each device
    passes: int  # per optimizer step, on each device
    weights_gib: float
    adapter_gib: float  # LoRA matrices and their gradients, and what they are exchanged in
    optimizer_gib: float
    activations_gib: float
    limit_gib: float  # what the job may plan with on one device
    image_tokens: int  # that the vision tower computes of one image
    text_tokens: int  # of the longest sequence
    trainable_parameters: int
    devices: tuple[DeviceMemory, ...] = ()
    changes: tuple[str, ...] = ()  # what this machine would do otherwise than asked
    gpus: int = 1  # as asked for; where there is none, as many processes share the main memory
    lengths: tuple[str, ...] = ()  # what an image of this data set takes, and which answers would be cut

    @property
    def total_gib(self) -> float:
        """All parts together."""
        return self.weights_gib + self.adapter_gib + self.optimizer_gib + self.activations_gib
