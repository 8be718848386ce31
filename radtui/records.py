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
    ASK = "ask"
    SCORE = "score"


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


class ArmKind(StrEnum):
    """Where an arm's texts come from."""

    MODEL = "model"
    REFERENCE = "reference"
    FILE = "file"


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
class NewCaseImage:
    """One image of a case on its way into the store: bytes as found, or the reason why there are none.

    `name` is for people (a file's name in its source); `role` is "frontal", "lateral", "prior", ... or ""; `path` is
    a plain file whose bytes are still to be read, by whoever wants them.
    """

    data: bytes = b""
    name: str = ""
    role: str = ""
    note: str = ""  # what stands for it and why: "frame 12 of 30, the middle one"
    error: str = ""
    path: str = ""


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
    """Something of a source that is not used, with the reason: a file, a line of one, a table, a column."""

    where: str  # "reports.csv" or "reports.csv, line 12"
    reason: str
    count: int = 1  # how many of the kind this stands for


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


NO_IMAGE = CaseImage("", "", 0, 0, "")


@dataclass(frozen=True, slots=True)
class Case:
    """What is learnt, described and rated: one or more images in order, with a question and a reference.

    `patient` and `exam` are keyed hashes, "" when the source does not say. `error` says why the case cannot be used,
    else "". `leaked` is true when its bytes, or its patient, are in another split too.
    """

    id: int
    dataset: str
    split: str
    position: int
    source_key: str
    question: str  # "" for the job's instruction
    reference: str
    examination: str  # "chest PA", "" when the source does not say
    patient: str
    exam: str
    facts: dict[str, str]  # other columns of the source, as text
    images: tuple[CaseImage, ...] = ()
    truth: tuple[Truth, ...] = ()
    error: str = ""
    leaked: bool = False

    @property
    def first(self) -> CaseImage:
        """The first image; one without bytes where the case has none."""
        return self.images[0] if self.images else NO_IMAGE

    @property
    def shown(self) -> CaseImage:
        """The image that stands for the case: the first one that can be read, else the first."""
        return next((image for image in self.images if not image.error), self.first)

    def asked(self, instruction: str) -> str:
        """What a model is asked about it: its own question, else the job's instruction."""
        return self.question or instruction


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
    note: str = ""  # the user's own
    archived: bool = False

    @property
    def on_cluster(self) -> bool:
        """Whether it is Slurm's to start."""
        return self.settings.get("on") == "slurm"

    @property
    def resumable(self) -> bool:
        """Whether it has ended with something left to do."""
        if self.kind is JobKind.ASK:
            return False  # whoever asked is not there any more: a new question starts a new job
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
    """Something that happened at a step: `checkpoint`, `eval`, `data`, `memory`, `warning`, `resume`.

    Of an ask job: `ask`, `piece` and `answer` of the question numbered `step`, as JSON; see `store.asks`.
    """

    id: int
    step: int
    elapsed_s: float
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Arm:
    """Where texts come from: a model as a job asks it, the data set's own reference, or a file of texts.

    Two arms are the same when all but `id` is equal; a job or a study may call one by a name of its own.
    """

    id: int
    name: str  # "base", "tuned", or any the user chose
    kind: ArmKind
    model: str = ""
    weights: str = ""  # which files of the model, and how precise: "1f0c…, bfloat16"
    adapter: str = ""  # "" for the model alone
    instruction: str = ""
    images: str = ""  # how large images were shown
    decoding: str = ""  # "greedy" or "t=1.5 min_p=0.1 seed=3407"
    sample: int = 0  # which of several texts drawn in the same way


@dataclass(frozen=True, slots=True)
class Description:
    """What one arm says about one case, as a job or a study knows it.

    `step` is the training step of a text written while training, None for a generation job's.
    """

    id: int  # of its place in the job: readers with a cursor go by it
    text_id: int
    job_id: int | None
    case_id: int
    arm: str  # its name
    step: int | None
    text: str
    prompt: str  # as rendered for the model
    decoding: str
    tokens: int
    seconds: float
    truncated: bool  # ended by max_new_tokens, not by the model
    reasoning: str = ""  # what the model wrote before its answer, kept beside it


@dataclass(frozen=True, slots=True)
class StudyArm:
    """An arm as one study calls it; `job_id` is the generation job whose texts count, None for all others."""

    name: str
    arm_id: int
    kind: ArmKind
    job_id: int | None = None


@dataclass(frozen=True, slots=True)
class Study:
    """A reader study: arms x cases x readers. A generation job opens one by itself (`job_id`)."""

    id: int
    name: str
    job_id: int | None
    dataset: str
    seed: int
    arms: tuple[StudyArm, ...]  # in their order: preference points to the later of two
    protocol: dict[str, object]
    created_at: float
    locked_at: float | None = None

    @property
    def arm_names(self) -> tuple[str, ...]:
        """The names of its arms, in their order."""
        return tuple(arm.name for arm in self.arms)

    @property
    def draw_id(self) -> int:
        """What order and sides are drawn by: the job's number, or one that no job has."""
        return self.job_id if self.job_id is not None else -self.id


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the arms of a study say about one case, by arm in the study's order; a reader sees two of the texts."""

    study_id: int
    case_id: int
    texts: dict[str, Description]
    reference: str

    def by(self, arm: str) -> Description:
        """One arm's text. Raises KeyError when the case has none of that arm."""
        return self.texts[arm]


@dataclass(frozen=True, slots=True)
class Rating:
    """One snapshot of a reader's judgement of a comparison; the newest row of a comparison counts.

    `preference` points to the later of the two arms in the study's order, -2..+2; so do the dimensions. `answers`
    holds everything else that the scheme asks, by key: `acceptability.ARM` (1..5), `error.ARM.CATEGORY.significant`
    (how many), `checked.ARM` (1: looked for errors, and what is counted is all there is), `accepted.ARM` (1: taken as
    it is), `dim.NAME` (-2..2). Arms have users' names, dots and spaces among them, so keys are read from both ends.
    """

    id: int
    study_id: int
    case_id: int
    rater: str
    occasion: int  # 0, or 1 for a hidden repeat
    scheme: str
    scheme_hash: str
    earlier_arm: str  # the two arms compared, in the study's order; "" where one arm alone was read
    later_arm: str
    later_left: bool  # whether the later arm stood left, as A
    preference: int | None
    both_bad: bool
    answers: dict[str, int]
    note: str
    flagged: bool
    skipped: bool
    blinded: bool
    active_s: float
    wall_s: float
    rated_at: float
    undoes: int | None = None  # id of the row that this one takes back
    pair: int = 0  # which pair of the case, where a reader sees several
    earlier_text_id: int | None = None
    later_text_id: int | None = None
    corrections: dict[str, str] = field(default_factory=dict)  # arm -> its text as the reader corrected it
    # Links this row to the one before it of the same study and reader; "" for rows from before.
    chain: str = ""

    @property
    def shown(self) -> tuple[str, str]:
        """The two arms compared, in the study's order."""
        return self.earlier_arm, self.later_arm

    @property
    def left_arm(self) -> str:
        """The arm that stood left, as A."""
        return self.later_arm if self.later_left else self.earlier_arm

    @property
    def right_arm(self) -> str:
        """The arm that stood right, as B."""
        return self.earlier_arm if self.later_left else self.later_arm

    def acceptability(self, arm: str) -> int | None:
        """How usable an arm's text is, 1..5, or None when that was not said."""
        return self.answers.get(f"acceptability.{arm}")

    @property
    def empty(self) -> bool:
        """Whether nothing has been judged: such a comparison is unrated.

        A text that was corrected, or taken as it is, is judged.
        """
        judged = self.preference is not None or self.both_bad or self.skipped or bool(self.corrections)
        return not judged and not any(key.startswith("accepted.") for key in self.answers)
