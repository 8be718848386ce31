"""Whether texts are English, so that what reads English findings is not let loose on others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from radtui.measures.text import words

ENOUGH_WORDS = 20  # fewer tell nothing: "Chest X-ray." is taken for English
LEAST_SHARE = 0.10  # of all words; English reports have 0.2 to 0.4, telegraphic ones 0.1 and more
LEAD = 1.5  # how many times as many function words another language must have to be the texts' own

_FUNCTION_WORDS = {
    "English": "the of and in is are with no a an to there was were or at on from for this that by as not has seen be",
    # Words that English has not, of other languages written with Latin letters.
    "German": "der die das und ist im mit kein keine ein eine des den dem zu auf bei von nicht links rechts ohne",
    "French": "le la les des du et est dans avec pas un une au aux sans sur pour par gauche droite droit il",
    "Spanish": "el la los las del y en con sin se un una por para no de al izquierdo derecho izquierda derecha",
    "Portuguese": "o os as do da dos das e em com sem um uma no na ao não por para à esquerda direita",
    "Italian": "il lo gli della del dei e di con senza un una nel nella non per si al destra sinistra sono",
    "Dutch": "de het een en van met geen zonder niet op aan bij links rechts er zijn naar voor wordt",
    "Polish": "w z i na nie bez jest się do po oraz prawej lewej strony płuca są",
    "Turkish": "ve bir bu ile sağ sol yok var olarak her iki için de da izlenmedi",
    "Vietnamese": "và có không của các bên phải trái hai được trong hình ảnh",
}
_WORDS = {language: frozenset(text.split()) for language, text in _FUNCTION_WORDS.items()}


def is_english(texts: Iterable[str]) -> bool:
    """Whether texts, taken together, read as English.

    Args:
        texts: Texts of one arm, or references; some hundred tell as much as all.
    """
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(map(str.lower, words(text)))
    total = counts.total()
    if total < ENOUGH_WORDS:
        return all(word.isascii() for word in counts)
    shares = {name: sum(counts[word] for word in own) for name, own in _WORDS.items()}
    english = shares.pop("English")
    return english >= LEAST_SHARE * total and max(shares.values()) < LEAD * english
