"""Models that people tune, to pick from: what they need and what their licences are, from a list that comes along."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib import resources

BYTES_16_BIT, BYTES_4_BIT = 2.0, 0.65  # per parameter; in 4 bits with scales, embeddings and norms kept in 16
WORKING_GIB = 4.0  # of adapter, optimizer, activations and CUDA at the least micro-batch


@dataclass(frozen=True, slots=True)
class KnownModel:
    """One model of the list."""

    name: str  # hub id
    title: str
    parameters: float  # thousand millions
    licence: str
    gated: bool  # whether the hub asks for an account that has agreed to the terms
    image_tokens: str  # of a picture of 1,109 x 1,231 px
    preset: str
    unconfirmed: str = ""  # which of these could not be confirmed, as people say it

    @property
    def terms(self) -> str:
        """Licence and gating, and what of it could not be confirmed."""
        gated = ", asks for an account that has agreed" if self.gated else ""
        doubt = f" ({self.unconfirmed}: not confirmed, see its card)" if self.unconfirmed else ""
        return f"{self.licence}{gated}{doubt}"

    @property
    def gib_16_bit(self) -> float:
        """The least GPU memory that training takes with 16-bit weights, roughly, GiB."""
        return self.parameters * BYTES_16_BIT * 1e9 / 2**30 + WORKING_GIB

    @property
    def gib_4_bit(self) -> float:
        """The same with 4-bit weights."""
        return self.parameters * BYTES_4_BIT * 1e9 / 2**30 + WORKING_GIB


@functools.cache
def known_models() -> tuple[KnownModel, ...]:
    """The list, in its order."""
    text = resources.files("radtui.jobs").joinpath("known_models.toml").read_text(encoding="utf-8")
    return tuple(KnownModel(**values) for values in tomllib.loads(text)["model"])


def needs_text(name: str) -> str:
    """What a model of the list needs and what its terms are, a sentence; "" for another."""
    known = known_model(name)
    if known is None:
        return ""
    return (
        f"{known.title}: at least {known.gib_4_bit:.0f} GiB of a GPU in 4 bits, {known.gib_16_bit:.0f} in 16; licence "
        f"{known.terms}."
    )


def known_model(name: str) -> KnownModel | None:
    """The entry of a hub id; None where there is none."""
    return next((each for each in known_models() if each.name == name), None)
