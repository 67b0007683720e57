"""A deterministic encoder and an image source in memory: the whole job without a network or a file."""

from __future__ import annotations

import dataclasses
import hashlib
import multiprocessing

import numpy as np
import pyarrow.parquet as pq
import torch

from glue_zoobot.errors import ImageError
from glue_zoobot.images import Picture


@dataclasses.dataclass(frozen=True)
class StubSpec:
    name: str = "stub"
    architecture: str = "projection"
    weights: str = "memory"
    revision: str = "1"
    sha256: str | None = "0" * 64
    width: int = 6
    input_size: int = 8

    @property
    def preprocessing_hash(self) -> str:
        return hashlib.sha256(str(self.input_size).encode()).hexdigest()


class StubEncoder:
    """Projects the picture's first pixels; float32 arithmetic on each row alone."""

    device = "cpu"
    precision = "float32"

    def __init__(self, spec: StubSpec | None = None) -> None:
        self.spec = spec or StubSpec()
        self.batch_sizes: list[int] = []

    def resize(self, image: np.ndarray) -> torch.Tensor:
        size = self.spec.input_size
        return torch.from_numpy(image[:size, :size].copy()).permute(2, 0, 1).contiguous()

    def embed(self, batch: torch.Tensor) -> np.ndarray:
        self.batch_sizes.append(len(batch))
        return self.forward(self.preprocess(batch))

    def preprocess(self, batch: torch.Tensor) -> torch.Tensor:
        return batch

    def forward(self, inputs: torch.Tensor) -> np.ndarray:
        flat = inputs.numpy().reshape(len(inputs), -1).astype(np.float32)
        weights = np.random.default_rng(0).normal(size=(flat.shape[1], self.spec.width)).astype(np.float32)
        return np.stack([row @ weights for row in flat]) / 255


class StubSource:
    """Pictures made from the identifier; some of them broken."""

    def __init__(self, object_ids, broken=()) -> None:
        self.object_ids = np.array([str(i) for i in object_ids], dtype=object)
        self.broken = set(broken)
        self.reads: list[int] = []

    def __len__(self) -> int:
        return len(self.object_ids)

    def load(self, i: int) -> Picture:
        return Picture(self.read(i))

    def read(self, i: int) -> np.ndarray:
        self.reads.append(i)
        object_id = self.object_ids[i]
        if object_id in self.broken:
            raise ImageError(object_id, "the file is empty")
        seed = int.from_bytes(hashlib.sha256(object_id.encode()).digest()[:4], "big")
        return np.random.default_rng(seed).integers(0, 256, (10, 10, 3), dtype=np.uint8)


def forkserver():
    """Child processes that need not import everything again."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.embedding.stubs", "glue_zoobot.embedding"])
    return context


def flip_a_bit(path) -> None:
    """Damage the embeddings of a shard."""
    with pq.ParquetFile(path) as file:
        column = file.metadata.row_group(0).column(1)
    data = bytearray(path.read_bytes())
    data[column.data_page_offset + column.total_compressed_size // 2] ^= 0x10
    path.write_bytes(data)


def ids(n: int) -> list[str]:
    return [f"galaxy-{i:04d}" for i in range(n)]
