"""The blocks of a network from its input to its output: which are trained, and how fast."""

from __future__ import annotations

from typing import Any

from torch import nn

__all__ = ["blocks", "freeze", "layer_groups", "train_mode"]


def blocks(network: nn.Module) -> list[list[str]]:
    """
    Names of a network's parameters by block, the input's first: stem, stages, last normalisation.

    Blocks are those that timm names for layer-wise decay; of other networks each child of a child is one.
    """
    matcher: Any = getattr(network, "group_matcher", None)
    if matcher is not None:
        from timm.models import group_parameters

        found: dict[str, Any] = group_parameters(network, matcher(coarse=True), reverse=True)
        return [[name for name in found if found[name] == block] for block in sorted(set(found.values()))]
    names = [name for name, _ in network.named_parameters()]
    parts = dict.fromkeys(tuple(name.split(".")[:2]) for name in names)
    return [[name for name in names if tuple(name.split(".")[:2]) == part] for part in parts]


def freeze(network: nn.Module, n_blocks: int) -> None:
    """Let the last `n_blocks` blocks be trained, all if negative, and no other."""
    parts = blocks(network)
    free = {name for part in (parts if n_blocks < 0 else parts[len(parts) - n_blocks :]) for name in part}
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in free)


def train_mode(network: nn.Module) -> None:
    """
    Switch to training, but leave the statistics of batch normalisation alone in blocks that are frozen.

    They are no parameters, and would go on drifting there, by which features change although nothing was
    learnt. In blocks that are trained they have to follow: weights that move under statistics that stay learn
    slower and less.
    """
    network.train()
    for layer in network.modules():
        is_normalisation = isinstance(layer, nn.modules.batchnorm._BatchNorm)
        if is_normalisation and not all(parameter.requires_grad for parameter in layer.parameters()):
            layer.eval()


def layer_groups(
    encoder: nn.Module, head: nn.Module, layer_decay: float, weight_decay: float
) -> list[dict[str, Any]]:
    """
    Parameter groups with a ``scale`` of the rate: 1 for the head, `layer_decay` times less each block down.

    Parameters
    ----------
    encoder, head : nn.Module
        Frozen parameters are left out.
    layer_decay, weight_decay : float
        The latter for matrices and kernels only.
    """
    named = dict(encoder.named_parameters())
    parts = [[named[name] for name in names] for names in blocks(encoder)]
    levels = [list(head.parameters()), *reversed(parts)]
    return [
        {
            "params": some,
            "scale": layer_decay**level,
            "weight_decay": weight_decay if is_matrix else 0.0,
        }
        for level, parameters in enumerate(levels)
        for is_matrix in (True, False)
        if (some := [p for p in parameters if p.requires_grad and (p.ndim > 1) is is_matrix])
    ]
