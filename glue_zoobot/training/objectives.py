"""
What an encoder is trained to achieve without labels; each term a few lines, with the equation it is.

Projections are (2N, P), rows i and i + N being two views of galaxy i. With several processes the projections
of all are gathered, so that the objective is that of the whole batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["OBJECTIVES", "agreement", "simclr", "vicreg"]

TEMPERATURE = 0.2
INVARIANCE, VARIANCE, COVARIANCE = 25.0, 25.0, 1.0


def simclr(projected: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """
    NT-Xent: a view is to be told from all other views by its likeness to the other view of its galaxy.

    Chen et al. 2020 (arXiv 2002.05709), equation 1:
    ``-log exp(s_ij / t) / sum over k != i of exp(s_ik / t)``, s the cosine, averaged over all 2N views.
    """
    first, second = (gathered(part) for part in projected.chunk(2))
    unit = F.normalize(torch.cat([first, second]).float())
    similarity = (unit @ unit.T / temperature).fill_diagonal_(-math.inf)
    partner = torch.arange(len(unit), device=unit.device).roll(len(first))
    return F.cross_entropy(similarity, partner)


def vicreg(projected: Tensor) -> Tensor:
    """
    VICReg: views of one galaxy agree, each dimension varies, no two dimensions say the same.

    Bardes, Ponce & LeCun 2022 (arXiv 2105.04906), equations 1 to 6: ``25 s(Z, Z') + 25 [v(Z) + v(Z')] + [c(Z)
    + c(Z')]``, s the mean squared distance, v a hinge on the standard deviation at 1, c the squared
    covariances off the diagonal over their number of rows.
    """
    first, second = (gathered(part).float() for part in projected.chunk(2))
    apart = F.mse_loss(first, second)
    spread, shared = zip(_spread_and_shared(first), _spread_and_shared(second), strict=True)
    return INVARIANCE * apart + VARIANCE * sum(spread) + COVARIANCE * sum(shared)


def _spread_and_shared(embedded: Tensor) -> tuple[Tensor, Tensor]:
    n, width = embedded.shape
    centred = embedded - embedded.mean(0)
    hinge = F.relu(1 - (centred.var(0) + 1e-4).sqrt()).mean()
    covariance = centred.T @ centred / (n - 1)
    off_diagonal = covariance.square().sum() - covariance.diagonal().square().sum()
    return hinge, off_diagonal / width


def agreement(features: Tensor) -> Tensor:
    """
    One minus the cosine of the features themselves of two views, about the mean of the batch.

    The objectives act on a projection, which may forget what the features keep: this term makes the
    embedding proper indifferent to orientation and seeing.
    """
    first, second = (features.float() - features.float().mean(0)).chunk(2)
    return 1 - F.cosine_similarity(first, second).mean()


def gathered(rows: Tensor) -> Tensor:
    """Rows of all processes below each other, with the gradient of those of this one."""
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        return rows
    size, rank = torch.distributed.get_world_size(), torch.distributed.get_rank()
    parts = [torch.empty_like(rows) for _ in range(size)]
    torch.distributed.all_gather(parts, rows.detach().contiguous())
    # Gradients will be averaged over the processes, each of which knows those of its own rows only: their sum
    # is wanted, so that of these rows is made `size` times as large, and their value left as it is.
    parts[rank] = size * rows - (size - 1) * rows.detach()
    return torch.cat(parts)


OBJECTIVES: dict[str, Callable[[Tensor], Tensor]] = {"simclr": simclr, "vicreg": vicreg}
