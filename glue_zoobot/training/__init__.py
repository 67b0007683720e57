"""
Training an encoder: on images without labels (`pretrain`), or towards a class or quantity (`finetune`).

Either makes a directory with ``model.safetensors`` and ``config.json``: an encoder like any other.
Importing this package imports no torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from glue_zoobot.training.finetuning import finetune
    from glue_zoobot.training.pretraining import pretrain
    from glue_zoobot.training.recipes import FinetuneRecipe, PretrainRecipe

__all__ = ["FinetuneRecipe", "PretrainRecipe", "finetune", "pretrain"]

_HOMES = {
    "pretrain": "pretraining",
    "finetune": "finetuning",
    "PretrainRecipe": "recipes",
    "FinetuneRecipe": "recipes",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
