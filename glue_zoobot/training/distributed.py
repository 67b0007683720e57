"""Several processes that train one encoder, as ``torchrun`` starts them; one alone is a world of size 1."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import nn

from glue_zoobot.encoders import pick_device

__all__ = ["World", "world"]


@dataclass(frozen=True)
class World:
    """
    Which of how many processes this is.

    Attributes
    ----------
    rank, size : int
    device : str
        Where this one computes.
    """

    rank: int
    size: int
    device: str

    @property
    def leads(self) -> bool:
        """Whether this process writes files and reports."""
        return self.rank == 0

    def wait(self) -> None:
        """Let all arrive here before any goes on."""
        if self.size > 1:
            torch.distributed.barrier()

    def any(self, flag: bool) -> bool:
        """Whether any process says yes; the same answer for all."""
        if self.size == 1:
            return flag
        answer = torch.tensor(float(flag), device=self.device)
        torch.distributed.all_reduce(answer, torch.distributed.ReduceOp.MAX)
        return bool(answer.item())

    def share(self, network: nn.Module) -> nn.Module:
        """Wrap a network so that gradients are averaged over the processes."""
        if self.size == 1:
            return network
        if self.device.startswith("cuda"):
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)
        return nn.parallel.DistributedDataParallel(network)


@contextmanager
def world(device: str) -> Iterator[World]:
    """Join the other processes if ``torchrun`` started this one: NCCL between GPUs, gloo otherwise."""
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield World(0, 1, pick_device(device))
        return
    rank, local = int(os.environ["RANK"]), int(os.environ.get("LOCAL_RANK", "0"))
    chosen = pick_device(device)
    if chosen == "cuda":
        chosen = f"cuda:{local}"
        torch.cuda.set_device(local)
    backend = "nccl" if chosen.startswith("cuda") else "gloo"
    # The first process may decode a whole survey before the others are needed.
    torch.distributed.init_process_group(backend, timeout=timedelta(days=2))
    try:
        yield World(rank, size, chosen)
    finally:
        torch.distributed.destroy_process_group()
