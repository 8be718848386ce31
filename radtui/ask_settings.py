"""What an ask job is started with: a model as a generation job asks it, and how long it stays in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from radtui.setting_fields import About
from radtui.settings import GenerateSettings


@dataclass(frozen=True)
class AskSettings(GenerateSettings):
    """Questions about single images, answered by the base and the tuned model while somebody watches.

    Model, adapter, size of images and decoding are those of descriptions, so that an answer is what describing writes.
    Without an adapter the base model alone answers.
    """

    max_new_tokens: int = field(
        default=256, metadata={"about": About("Longest answer", unit="tokens", low=1, high=4096)}
    )
    idle_minutes: float = field(
        default=10.0,
        metadata={
            "about": About("Minutes without a question after which the model leaves memory", unit="minutes",
                           low=0.0, high=1440)
        },
    )  # fmt: skip
