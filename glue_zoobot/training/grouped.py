"""
Grouped gradients for very few labels: neurons that act alike learn alike.

Yoo, Fan, Boddeti & Kitani 2018 (arXiv 1710.02277) cluster the neurons of a layer by the similarity of their
activations and give all weights of a cluster one gradient, so that few labels move few numbers. They search
the number of clusters of each layer by reinforcement learning; here it is one number for all layers.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn

__all__ = ["activations", "share_gradients"]

_LAYERS = (nn.Linear, nn.Conv2d)


def share_gradients(network: nn.Module, inputs: Tensor, n_groups: int, seed: int) -> int:
    """
    Cluster the neurons of each layer that is trained, and let each cluster have one gradient.

    Parameters
    ----------
    network : nn.Module
    inputs : Tensor
        (N, C, S, S): pictures that show how the neurons act.
    n_groups : int
        Clusters per layer; a layer of fewer neurons is left as it is.
    seed : int
        Of k-means.

    Returns
    -------
    int
        Number of layers whose gradients are shared.
    """
    shared = 0
    for layer, acts in activations(network, inputs).items():
        weight = layer.weight
        if isinstance(weight, Tensor) and weight.requires_grad and len(weight) > n_groups:
            cluster = torch.from_numpy(_clusters(acts, n_groups, seed)).to(weight.device)
            weight.register_hook(_averaged(cluster, n_groups))
            shared += 1
    return shared


@torch.no_grad()
def activations(network: nn.Module, inputs: Tensor) -> dict[nn.Module, np.ndarray]:
    """Mean activation of each neuron of each layer for each picture, (neurons, N)."""
    found: dict[nn.Module, np.ndarray] = {}

    def note(layer: nn.Module, arguments: tuple[Tensor, ...], output: Tensor) -> None:
        per_neuron = output.flatten(2).mean(2) if isinstance(layer, nn.Conv2d) else output.flatten(0, -2)
        found[layer] = per_neuron.float().T.cpu().numpy()

    hooks = [layer.register_forward_hook(note) for layer in network.modules() if isinstance(layer, _LAYERS)]
    network.eval()
    network(inputs)
    for hook in hooks:
        hook.remove()
    return found


def _clusters(acts: np.ndarray, n_groups: int, seed: int) -> np.ndarray:
    """Cluster of each neuron, (neurons,), by the shape of its response: each is standardised."""
    from sklearn.cluster import KMeans

    standard = (acts - acts.mean(1, keepdims=True)) / np.maximum(acts.std(1, keepdims=True), 1e-9)
    return KMeans(n_groups, n_init=1, random_state=seed).fit_predict(standard).astype(np.int64)


def _averaged(cluster: Tensor, n_groups: int) -> Callable[[Tensor], Tensor]:
    """Replace the gradient of each neuron by the mean of its cluster."""
    sizes = torch.bincount(cluster, minlength=n_groups).clamp(min=1)

    def average(gradient: Tensor) -> Tensor:
        flat = gradient.reshape(len(cluster), -1)
        sums = flat.new_zeros(n_groups, flat.shape[1]).index_add_(0, cluster, flat)
        return (sums / sizes[:, None])[cluster].view(gradient.shape)

    return average
