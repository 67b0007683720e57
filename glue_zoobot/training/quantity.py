"""A continuous target as a network learns it: one standardised number, or the probability of bins."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from glue_zoobot.analysis.bins import Bins
from glue_zoobot.analysis.redshift import OUTLIERS, relative_error, scatter
from glue_zoobot.analysis.regress import GalaxyRegressor

__all__ = ["Quantity"]


class Quantity:
    """
    What the outputs of a network mean, and how wrong they are.

    Truth is given in standardised numbers throughout: mean 0 and deviation 1 over the galaxies trained on.

    Parameters
    ----------
    values : np.ndarray
        Shape (n,): of the galaxies to train on.
    binned : bool
        Whether the network gives the logits of bins (Hayat et al. 2021) instead of one number.
    redshift : bool
        Whether errors are told in units of 1 + z.
    """

    def __init__(self, values: np.ndarray, binned: bool, redshift: bool) -> None:
        self.mean, self.deviation = float(values.mean()), float(values.std())
        self.bins = Bins.of(values) if binned else None
        self.redshift = redshift

    @property
    def n_outputs(self) -> int:
        """How many numbers the network gives."""
        return 1 if self.bins is None else len(self.bins)

    def loss(self, said: Tensor, truth: Tensor) -> Tensor:
        """Mean squared error, or cross-entropy with a little in the neighbouring bins; (B, K) and (B,)."""
        if self.bins is None:
            return F.mse_loss(said[:, 0], truth)
        shares = self.bins.targets(self._unscaled(truth))
        return F.cross_entropy(said, torch.from_numpy(shares.astype(np.float32)).to(said.device))

    def figures(self, said: Tensor, truth: Tensor) -> dict[str, float]:
        """Error and R² of the values, and of a redshift the scatter and outliers of dz / (1 + z)."""
        values = self.values(said)
        error = (values - truth).square().mean()
        figures = {"held_out_loss": float(error), "r2": float(1 - error / truth.var(correction=0))}
        if self.redshift:
            relative = relative_error(self._unscaled(truth), self._unscaled(values))
            figures["sigma_mad"] = scatter(relative)
            figures["outliers"] = float((np.abs(relative) > OUTLIERS[0]).mean())
        return figures

    def values(self, said: Tensor) -> Tensor:
        """Standardised values, (n,), that the outputs mean: of bins the mean over their probabilities."""
        if self.bins is None:
            return said[:, 0]
        centres = torch.from_numpy(self.bins.centres.astype(np.float32)).to(said.device)
        return (said.softmax(1) @ centres - self.mean) / self.deviation

    def head(self, features: np.ndarray, values: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Teach weights (D, K) and offset (K,) of the last layer on the features of the frozen encoder."""
        method = "ridge" if self.bins is None else "bins"
        taught = GalaxyRegressor(seed, method, self.redshift).fit(features, values)
        weights, offset = taught.linear_.weights, taught.linear_.offset
        if self.bins is not None:
            return weights[:, 2:], offset[2:]
        return weights[:, :1] / self.deviation, (offset[:1] - self.mean) / self.deviation

    def _unscaled(self, values: Tensor) -> np.ndarray:
        return values.detach().cpu().numpy().astype(np.float64) * self.deviation + self.mean
