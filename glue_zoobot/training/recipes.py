"""Every choice of a training, with its default; kept in the checkpoint and in the model card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from glue_zoobot.errors import EncoderError
from glue_zoobot.training.augment import Augmentations
from glue_zoobot.training.defaults import FINETUNE_EPOCHS, PATIENCE, PRETRAIN_EPOCHS

__all__ = ["GROUPS", "PRECISIONS", "FinetuneRecipe", "PretrainRecipe", "check", "require_same"]

GROUPS = 16  # of neurons in a layer, where gradients are shared
PRECISIONS = ("auto", "float32", "bfloat16")

# A run that stopped for a loss that is not a number may go on more gently.
MAY_CHANGE = ("learning_rate", "clip")


@dataclass(frozen=True)
class PretrainRecipe:
    """
    How an encoder is trained without labels, or with some beside.

    Attributes
    ----------
    architecture : str
        Any of timm's, from random weights; not used when `init` is given.
    init : str
        An encoder to start from, as `glue_zoobot.encoders.find` knows it.
    objective : {"simclr", "vicreg"}
    agreement : float
        Weight of the agreement of the features themselves (see `objectives.agreement`).
    supervise : tuple of str
        Columns to learn as well, classes or fractions; ``*`` stands for any letters.
    epochs, batch_size : int
        Galaxies per step, of all processes together; each is seen in two views.
    learning_rate, weight_decay, warm_up, clip : float
        Of AdamW: highest rate, decay, share of the steps in which the rate rises, greatest gradient norm.
    input_size : int
        Pixels of a view; 0 takes that of `init`, or 64.
    crop : float
        Central share of the frame that the encoder sees when it is used; 0 takes that of `init`, or 1/1.2.
    composite : {"sdss", "legacy"}
        How the pictures were made of fluxes, for dust and seeing.
    augmentations : Augmentations
    probe : str
        Column of classes to judge the embeddings by while they grow; empty for none.
    probe_every : int
        Epochs between two probes.
    precision : {"auto", "float32", "bfloat16"}
        Of the arithmetic inside the network; weights are float32. ``auto`` is bfloat16 on a GPU that has it.
    seed : int
    """

    architecture: str = "regnety_002"
    init: str = ""
    objective: str = "simclr"
    agreement: float = 0.5
    supervise: tuple[str, ...] = ()
    epochs: int = PRETRAIN_EPOCHS
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    warm_up: float = 0.05
    clip: float = 5.0
    input_size: int = 0
    crop: float = 0.0
    composite: str = "sdss"
    augmentations: Augmentations = field(default_factory=Augmentations)
    probe: str = ""
    probe_every: int = 5
    precision: str = "auto"
    seed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the choices as JSON-able values."""
        return {**asdict(self), "supervise": list(self.supervise)}


@dataclass(frozen=True)
class FinetuneRecipe:
    """
    How an encoder is trained towards labels. Names and defaults are those of Zoobot where it has them.

    Attributes
    ----------
    init : str
        The encoder to start from; empty for random weights of `architecture`.
    architecture : str
        Any of timm's; used where `init` is empty.
    epochs : int
        At most.
    patience : int
        Epochs without gain on the galaxies held out, after which the training ends.
    n_blocks : int
        Blocks that are trained, from the output down; all if negative.
    learning_rate, layer_decay : float
        Highest rate, that of the head, and its factor from each block to the one below.
    weight_decay, dropout, label_smoothing, warm_up, clip : float
        Of AdamW; of the features before the head; of classes; share of the steps in which the rate rises;
        greatest gradient norm.
    batch_size : int
        Every class is drawn as often as every other.
    bins : bool
        Whether a number is learnt as the probability of bins (see `~glue_zoobot.analysis.bins`) or by its
        squared error.
    groups : int
        Clusters of neurons in each layer that share a gradient (see `grouped`); 0 for none.
    input_size, crop, composite, augmentations, precision, seed
        As of `PretrainRecipe`.
    """

    init: str = ""
    architecture: str = "regnety_002"
    epochs: int = FINETUNE_EPOCHS
    patience: int = PATIENCE
    n_blocks: int = -1
    learning_rate: float = 1e-3
    layer_decay: float = 1.0
    weight_decay: float = 0.05
    dropout: float = 0.5
    label_smoothing: float = 0.0
    warm_up: float = 0.02
    clip: float = 5.0
    batch_size: int = 32
    bins: bool = False
    groups: int = 0
    input_size: int = 0
    crop: float = 0.0
    composite: str = "sdss"
    augmentations: Augmentations = field(default_factory=Augmentations)
    precision: str = "auto"
    seed: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the choices as JSON-able values."""
        return asdict(self)


def require_same(recipe: Mapping[str, Any], made_with: Mapping[str, Any], folder: object) -> None:
    """
    Refuse to go on with a training that was begun in another way.

    Raises
    ------
    EncoderError
        Naming what differs.
    """
    names = {**made_with, **recipe}
    differs = [n for n in names if n not in MAY_CHANGE and recipe.get(n) != made_with.get(n)]
    if differs:
        what = "; ".join(f"{n} was {made_with.get(n)!r} and is now {recipe.get(n)!r}" for n in differs)
        raise EncoderError(
            f"{folder} was begun in another way: {what}. Use the same choices to go on, or another -o."
        )


def check(recipe: Any, **choices: tuple[str, ...]) -> None:
    """
    Make sure that numbers are in range and names are known.

    Raises
    ------
    EncoderError
    """
    for name, known in choices.items():
        if getattr(recipe, name) not in known:
            raise EncoderError(
                f"{name} is {getattr(recipe, name)!r}; it can be {' or '.join(map(repr, known))}"
            )
    for item in fields(recipe):
        value = getattr(recipe, item.name)
        if isinstance(value, int | float) and item.name != "n_blocks" and not value >= 0:
            raise EncoderError(f"{item.name} is {value}; it cannot be below zero")
    if recipe.epochs < 1 or recipe.batch_size < 2:
        raise EncoderError("a training needs at least one epoch, and batches of at least two galaxies")
