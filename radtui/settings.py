"""What a job is asked to do: every field with its default, unit, range and help, and the presets.

The form, the command line, the worker and the report read the same objects; a job row keeps them as JSON.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from radtui.plural import many
from radtui.setting_fields import About, Settings, value_text
from radtui.setting_fields import setting as _set

__all__ = [
    "HELD_BACK", "INSTRUCTION", "SEED_DATASET", "SEED_MODEL", "About", "GenerateSettings", "ImportSettings", "Settings",
    "TrainSettings", "steps_of", "value_text",
]  # fmt: skip

INSTRUCTION = "You are an expert radiographer. Describe accurately what you see in this image."
SEED_MODEL = "unsloth/Llama-3.2-11B-Vision-Instruct"
SEED_DATASET = "unsloth/Radiology_mini"
HELD_BACK = 10
"""Of cases whose corrected texts are learnt, one of so many is evaluated on and never learnt."""


THEN = (
    "Command that a shell runs when the job has ended, with RADTUI_JOB and RADTUI_JOB_STATE; empty for none"
)


@dataclass(frozen=True)
class TrainSettings(Settings):
    """One fine-tuning run: LoRA on a vision-language model, from references by SFT or from rated pairs by DPO."""

    model: str = _set(SEED_MODEL, "Hub id or folder of the model to tune", group="Model")
    dataset: str = _set("", "Imported data set to train on; empty takes the newest", group="Data",
                        words={"": "newest"})  # fmt: skip
    train_split: str = _set("train", "Split whose images and references are learnt", group="Data")
    eval_split: str = _set("test", "Held-out split for the evaluation loss; empty for none", group="Data",
                           words={"": "none"})  # fmt: skip
    train_images: int = _set(0, "Use only the first images; 0 uses all", group="Data", unit="images", low=0,
                             words={0: "all"})  # fmt: skip
    eval_images: int = _set(64, "Images in each evaluation", group="Data", unit="images", low=0, high=100_000)
    instruction: str = _set(INSTRUCTION, "What the model is asked about every image", group="Data")
    message_order: str = _set(
        "image_first", "Image before or after the instruction; generation asks in the same order",
        group="Data", choices=("image_first", "text_first"),
    )  # fmt: skip
    describe_order: str = _set(
        "as_trained", "Order when describing; the report's recipe learns text first and asks image first",
        group="Data", choices=("as_trained", "image_first", "text_first"),
    )  # fmt: skip
    loss_on: str = _set(
        "answer", "Tokens that count in the loss: only the description, or the prompt as well",
        group="Data", choices=("answer", "all"),
    )  # fmt: skip
    max_side_px: int = _set(
        0, "Shrink images to this longest side before the processor; 0 leaves them", group="Data",
        unit="px", low=0, high=8192, words={0: "as they are"},
    )  # fmt: skip
    image_tokens: int = _set(
        0, "Tokens an image may take, by the model's own way of cutting and scaling; 0 leaves the model's",
        group="Data", unit="tokens", low=0, high=65_536, words={0: "auto"},
    )  # fmt: skip
    thinking: bool = _set(
        False, "Let a model that can reason do so before it answers; the reasoning is kept apart", group="Data",
    )  # fmt: skip
    max_length_tokens: int = _set(2048, "Longest sequence", group="Data", unit="tokens", low=16, high=131_072)

    objective: str = _set(
        "sft", "What is learnt: sft references, dpo rated pairs, corrections what readers corrected or accepted",
        group="Ratings", choices=("sft", "dpo", "corrections"),
    )  # fmt: skip
    from_job: int = _set(0, "Training job that dpo and corrections go on from; 0 takes the newest with enough ratings",
                         group="Ratings", low=0, words={0: "newest"})  # fmt: skip
    beta: float = _set(0.1, "How closely dpo keeps to the model it begins with; larger is closer", group="Ratings",
                       low=0.001, high=10)  # fmt: skip
    correction_weight: int = _set(4, "How often a corrected text is learnt for each time that an accepted one is",
                                  group="Ratings", low=1, high=100)  # fmt: skip

    max_steps: int = _set(0, "Optimizer steps; 0 trains for whole epochs", group="Run", unit="steps", low=0,
                          words={0: "by epochs"})  # fmt: skip
    epochs: float = _set(1.0, "Passes over the data when max_steps is 0", group="Run", low=0.01, high=1000)
    batch_size: int = _set(8, "Images per forward pass", group="Run", unit="images", low=1, high=512)
    gradient_accumulation: int = _set(1, "Forward passes per optimizer step", group="Run", low=1, high=1024)
    learning_rate: float = _set(2e-4, "Peak learning rate", group="Run", low=0, high=1)
    scheduler: str = _set(
        "linear", "How the learning rate falls", group="Run",
        choices=("linear", "cosine", "constant", "constant_with_warmup"),
    )  # fmt: skip
    warmup_steps: int = _set(5, "Steps until the peak learning rate", group="Run", unit="steps", low=0)
    weight_decay: float = _set(0.001, "AdamW's weight decay", group="Run", low=0, high=1)
    optimizer: str = _set(
        "adamw_8bit", "adamw_8bit needs CUDA; adamw_torch is used without it", group="Run",
        choices=("adamw_8bit", "adamw_torch", "adamw_torch_fused"),
    )  # fmt: skip
    seed: int = _set(3407, "Data order and dropout", group="Run", low=0, high=2**32 - 1)
    seeds: int = _set(1, "Trainings in this job, each with the next seeds and an adapter of its own: how much of a "
                      "score is chance", group="Run", low=1, high=16)  # fmt: skip

    lora_r: int = _set(16, "Rank of the LoRA matrices", group="LoRA", low=1, high=1024)
    lora_alpha: int = _set(16, "LoRA scale is alpha / r", group="LoRA", low=1, high=4096)
    lora_dropout: float = _set(0.0, "Dropout on the LoRA path", group="LoRA", low=0, high=0.9)
    lora_seed: int = _set(3407, "Seed of the LoRA matrices", group="LoRA", low=0, high=2**32 - 1)
    dora: bool = _set(False, "Learn size and direction of each weight apart (DoRA): slower", group="LoRA")
    rslora: bool = _set(False, "Scale by alpha / sqrt(r) (rsLoRA): for large ranks", group="LoRA")
    tune_vision: bool = _set(True, "LoRA on the vision layers", group="LoRA")
    tune_language: bool = _set(True, "LoRA on the language layers", group="LoRA")
    tune_attention: bool = _set(True, "LoRA on attention modules", group="LoRA")
    tune_mlp: bool = _set(True, "LoRA on MLP modules", group="LoRA")

    gpus: int = _set(
        1, "GPUs to train on, each with the whole model and an equal share of the images of a step",
        group="Machine", low=1, high=64,
    )  # fmt: skip
    backend: str = _set(
        "auto", "unsloth where CUDA and unsloth are there, transformers elsewhere", group="Machine",
        choices=("auto", "unsloth", "transformers"),
    )  # fmt: skip
    load_in_4bit: bool = _set(True, "4-bit weights; needs CUDA, 16/32-bit weights are used without it",
                              group="Machine")  # fmt: skip
    gradient_checkpointing: str = _set(
        "auto", "Recompute activations to save memory; auto tries a batch first, halves it if the GPU cannot hold it, "
        "and recomputes only what must be", group="Machine", choices=("auto", "unsloth", "on", "off"),
    )  # fmt: skip
    memory_gib: float = _set(0.0, "GPU memory that auto may plan with; 0 takes what is free", group="Machine",
                             unit="GiB", low=0, words={0: "auto"})  # fmt: skip
    maskless_vision: bool = _set(
        True, "Compute the vision attention of Llama 3.2 exactly, but without its mask: far faster", group="Machine",
    )  # fmt: skip
    loader_workers: int = _set(4, "Processes that prepare images; 0 uses the trainer's own", group="Machine",
                               low=0, high=64, words={0: "auto"})  # fmt: skip
    trust_remote_code: bool = _set(False, "Run Python code that comes with the model", group="Machine")
    on: str = _set("here", "This machine, or a job of Slurm", group="Machine", choices=("here", "slurm"))
    profile: str = _set("", "Slurm's profile in the config file; empty takes the only one", group="Machine",
                        words={"": "auto"})  # fmt: skip

    log_every: int = _set(1, "Steps between points of the loss chart", group="Watch", unit="steps", low=1)
    eval_every: int = _set(50, "Steps between evaluations; 0 for none", group="Watch", unit="steps", low=0,
                           words={0: "none"})  # fmt: skip
    checkpoint_every: int = _set(100, "Steps between checkpoints; 0 saves at the end", group="Watch",
                                 unit="steps", low=0, words={0: "at the end"})  # fmt: skip
    keep_best: bool = _set(
        False, "Leave the adapter of the evaluation with the least held-out loss, not of the last step",
        group="Watch",
    )  # fmt: skip
    stop_after: int = _set(0, "Evaluations without a lower held-out loss that end the run; 0 for none", group="Watch",
                           unit="evaluations", low=0, high=1000, words={0: "none"})  # fmt: skip
    watch_images: int = _set(4, "Held-out images described at every evaluation; 0 for none", group="Watch",
                             unit="images", low=0, high=64, words={0: "none"})  # fmt: skip
    watch_tokens: int = _set(96, "Longest watched description", group="Watch", unit="tokens", low=1,
                             high=2048)  # fmt: skip
    report_to: str = _set(
        "none", "Send the curves to TensorBoard's files in the job's folder, or to Weights & Biases, beside these here",
        group="Watch", choices=("none", "tensorboard", "wandb"),
    )  # fmt: skip
    then: str = _set("", THEN, group="Watch", words={"": "none"})

    def problems(self) -> dict[str, str]:
        """What is wrong, by field: ranges, and what fits together only in part."""
        problems = super().problems()
        for name in ("keep_best", "stop_after"):
            if getattr(self, name) and not (self.eval_every and (self.eval_split or self.goes_on)):
                problems[name] = f"{name} needs evaluations: set eval_every and eval_split"
        if "gpus" in problems or self.gpus == 1:
            return problems
        if self.goes_on:
            what = "preferences are" if self.learns_preferences else "corrections are"
            problems["gpus"] = f"gpus must be 1 where {what} learnt, not {self.gpus}"
        elif self.effective_batch % self.gpus:
            problems["gpus"] = (
                f"gpus must divide the {many(self.effective_batch, 'image')} of a step, and {self.gpus} does not"
            )
        return problems

    @property
    def asking_order(self) -> str:
        """The message order of descriptions: `image_first` or `text_first`."""
        return self.message_order if self.describe_order == "as_trained" else self.describe_order

    @property
    def learns_preferences(self) -> bool:
        """Whether rated pairs are learnt, not references."""
        return self.objective == "dpo"

    @property
    def learns_corrections(self) -> bool:
        """Whether texts are learnt that readers corrected or took as they are, not references."""
        return self.objective == "corrections"

    @property
    def goes_on(self) -> bool:
        """Whether it goes on from an earlier job's adapter, with what raters said of its texts."""
        return self.learns_preferences or self.learns_corrections

    @property
    def effective_batch(self) -> int:
        """Images (of preferences: pairs) per optimizer step on one device."""
        return self.batch_size * self.gradient_accumulation


def steps_of(settings: TrainSettings, images: int) -> int:
    """Optimizer steps on one device.

    Args:
        settings: the run.
        images: images of the training split.

    Source: transformers' Trainer: an epoch is ceil(batches / accumulation) updates.
    """
    if settings.max_steps:
        return settings.max_steps
    batches = math.ceil(images / settings.batch_size)
    return math.ceil(settings.epochs * math.ceil(batches / settings.gradient_accumulation))


@dataclass(frozen=True)
class GenerateSettings(Settings):
    """One round of descriptions: the same images by the base model, the tuned one, and any further adapter."""

    train_job: int = _set(0, "Training job whose model and adapter are used; 0 takes the newest", low=0,
                          words={0: "newest"})  # fmt: skip
    model: str = _set(
        "", "Hub id or folder of the base model; empty takes the training job's", words={"": "auto"}
    )
    adapter: str = _set("", "Folder of a LoRA adapter; empty takes the training job's", words={"": "auto"})
    more_adapters: str = _set(
        "",
        "Further adapters, each an arm of its own beside base and tuned: NAME=FOLDER; NAME=FOLDER",
        words={"": "none"},
    )
    dataset: str = _set("", "Imported data set; empty takes the training job's", words={"": "auto"})
    split: str = _set("test", "Split whose images are described")
    limit: int = _set(
        0, "Describe only so many images; 0 describes all", unit="images", low=0, words={0: "all"}
    )
    take: str = _set(
        "new_first", "Which images a limit takes: those not described before, then those not judged yet;"
        " random ones, drawn by the seed; or the first of the data set",
        choices=("new_first", "random", "first"),
    )  # fmt: skip
    instruction: str = _set("", "What the model is asked; empty takes the training job's", words={"": "auto"})
    message_order: str = _set(
        "as_trained", "Image before or after the instruction",
        choices=("as_trained", "image_first", "text_first"),
    )  # fmt: skip
    max_side_px: int = _set(0, "Shrink images to this longest side; 0 leaves them", unit="px", low=0,
                            high=8192, words={0: "as they are"})  # fmt: skip
    image_tokens: int = _set(0, "Tokens an image may take; 0 takes the training job's", unit="tokens", low=0,
                             high=65_536, words={0: "auto"})  # fmt: skip
    thinking: bool = _set(False, "Let a model that can reason do so before it answers")
    max_new_tokens: int = _set(128, "Longest description", unit="tokens", low=1, high=4096)
    batch_size: int = _set(0, "Images described at once; 0 takes what the GPU's memory holds", unit="images", low=0,
                           high=512, words={0: "auto"})  # fmt: skip
    temperature: float = _set(
        0.0, "0 is greedy: the same text every time", low=0, high=5, words={0: "greedy"}
    )
    samples: int = _set(
        1, "Texts of each image, by the newest adapter alone, to compare with each other", low=1, high=8
    )
    every_seed: bool = _set(False, "Describe with each of a job's trainings: arms tuned, seed 2, seed 3")
    min_p: float = _set(0.0, "Leave out tokens less likely than this share of the likeliest", low=0, high=1,
                        words={0: "none"})  # fmt: skip
    seed: int = _set(3407, "Seed of sampling, and of images that are drawn", low=0, high=2**32 - 1)
    gpus: int = _set(
        1, "GPUs to describe on, each with the whole model and a share of the images", low=1, high=64
    )
    backend: str = _set("auto", "As in training", choices=("auto", "unsloth", "transformers"))
    load_in_4bit: bool = _set(True, "4-bit weights; needs CUDA")
    prefer_16_bit: bool = _set(
        True, "Use 16-bit weights all the same when they are on this machine and fit the GPU: far faster"
    )
    trust_remote_code: bool = _set(False, "Run Python code that comes with the model")
    on: str = _set("here", "This machine, or a job of Slurm", choices=("here", "slurm"))
    profile: str = _set(
        "", "Slurm's profile in the config file; empty takes the only one", words={"": "auto"}
    )
    then: str = _set("", THEN, words={"": "none"})

    @property
    def decoding(self) -> str:
        """How the text is chosen, as stored beside it."""
        sampled = f"t={self.temperature:g} min_p={self.min_p:g} seed={self.seed}"
        return f"{sampled if self.temperature else 'greedy'}, at most {self.max_new_tokens} tokens"

    @property
    def further_adapters(self) -> dict[str, str]:
        """Folders of the further adapters by the names of their arms, in their order."""
        parts = [part.partition("=") for part in self.more_adapters.split(";") if part.strip()]
        return {name.strip(): folder.strip() for name, _, folder in parts}

    def problems(self) -> dict[str, str]:
        """What is wrong, by field: further adapters need names of their own and folders, samples a temperature."""
        problems = super().problems()
        if self.samples > 1 and not self.temperature:
            problems["samples"] = (
                f"samples must be 1 at temperature 0, where {self.samples} texts would be the same"
            )
        names = [part.partition("=")[0].strip() for part in self.more_adapters.split(";") if part.strip()]
        if any(not name or not folder for name, folder in self.further_adapters.items()):
            problems["more_adapters"] = (
                "more_adapters must be NAME=FOLDER, several of them separated by a semicolon"
            )
        elif len({"base", "tuned", *names}) < len(names) + 2:
            problems["more_adapters"] = (
                "more_adapters must give each arm a name of its own, other than base and tuned"
            )
        return problems

    @classmethod
    def from_dict(cls, values: Mapping[str, object]) -> Self:
        """Settings from a job row; one of an earlier version names its third adapter in a field of its own."""
        third = values.get("dpo_adapter")
        return super().from_dict({"more_adapters": f"dpo={third}", **values} if third else values)


@dataclass(frozen=True)
class ImportSettings(Settings):
    """One import: where from, under which name, and which columns hold what."""

    source: str = _set("", "Folder, archive, table, hub id, DICOM folder, or phantoms:SEED")
    name: str = _set("", "Name of the data set")
    split: str = _set("", "Split for sources that name none; empty means train", words={"": "train"})
    hold_out: int = _set(10, "Share held out as test where all are in train", unit="percent", low=0, high=90,
                         words={0: "none"})  # fmt: skip
    table: str = _set(
        "", "Name of the table to use where a source has several; empty finds it", words={"": "auto"}
    )
    image_column: str = _set("", "Column with the image or its file name; empty finds it", words={"": "auto"})
    text_column: str = _set("", "Column with the text, or several as findings+impression; empty finds it",
                            words={"": "auto"})  # fmt: skip
    question_column: str = _set("", "Column with the question of each row; empty finds it, - asks none",
                                words={"": "auto", "-": "none"})  # fmt: skip
    id_column: str = _set("", "Column with the image's own id; empty finds it", words={"": "auto"})
    split_column: str = _set("", "Column with the split; empty finds it, - uses none",
                             words={"": "auto", "-": "none"})  # fmt: skip
    patient_column: str = _set("", "Column that tells patients apart; empty finds it, - uses none",
                               words={"": "auto", "-": "none"})  # fmt: skip
    exam_column: str = _set("", "Column that tells exams apart; empty finds it, - uses none",
                            words={"": "auto", "-": "none"})  # fmt: skip
    delimiter: str = _set(
        "", "Sign between the cells of a CSV file, or tab; empty finds it", words={"": "auto"}
    )
    encoding: str = _set("", "Encoding of text files, such as gb18030; empty finds it", words={"": "auto"})
    keep_columns: str = _set("", "Columns to keep although they seem to name people, with commas between",
                             words={"": "none"})  # fmt: skip
    trust_names: bool = _set(False, "Keep names of files as they are: of public data, which name nobody")
    link: bool = _set(False, "Copy nothing: keep plain files, without names in them, where they are")
    salt_file: str = _set("", "Salt of another data folder, to have the same patients held out here",
                          words={"": "own"})  # fmt: skip
    limit: int = _set(0, "Import only the first images of each split; 0 imports all", unit="images", low=0,
                      words={0: "all"})  # fmt: skip
    then: str = _set("", THEN, words={"": "none"})
