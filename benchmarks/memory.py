"""
Peak memory of an embedding job against the number of galaxies.

    python benchmarks/memory.py [--galaxies 1000 100000]

Each job runs in a process of its own: 424-pixel pictures that are made when they are read, resized to
224 pixels, 640 numbers per galaxy by a stub in the place of the network, stored as usual. Most of the
memory is PyTorch itself. Prints a Markdown table; the peaks must lie within 300 MB of each other.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from glue_zoobot.embedding import EmbeddingStore, Plan, run
from glue_zoobot.encoders import EncoderSpec, pixels
from glue_zoobot.images import ImageSource, Picture

WIDTH = 640


class MadePictures(ImageSource):
    """Noise, different for every galaxy."""

    def __init__(self, n: int) -> None:
        self.object_ids = np.array([f"{587722981742084144 + i}" for i in range(n)], dtype=object)
        self._noise = np.random.default_rng(0).integers(0, 256, (1024, 424, 3), dtype=np.uint8)

    def _load(self, i: int) -> Picture:
        return Picture(self._noise[i % 600 : i % 600 + 424].copy())


class StubEncoder:
    """Resizes like an encoder; its numbers are pixels."""

    device = "cpu"
    precision = "float32"
    spec = EncoderSpec("stub", "timm", "none", "none", width=WIDTH)

    def resize(self, image: np.ndarray) -> torch.Tensor:
        """As the real one."""
        return pixels.resize(image, self.spec)

    def preprocess(self, batch: torch.Tensor) -> torch.Tensor:
        """As the real one."""
        return pixels.to_input(batch, self.spec)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """No network."""
        return inputs.flatten(1)[:, :: inputs[0].numel() // WIDTH][:, :WIDTH]

    def embed(self, batch: torch.Tensor) -> np.ndarray:
        """As the real one."""
        return self.forward(self.preprocess(batch)).numpy()


def peak_megabytes(n: int, answers: multiprocessing.Queue) -> None:
    """Embed ``n`` galaxies; answer with peak memory and images per second."""
    source, encoder = MadePictures(n), StubEncoder()
    plan = Plan.freeze(source.object_ids)
    with tempfile.TemporaryDirectory() as folder:
        store = EmbeddingStore.create(Path(folder) / "store", plan, encoder.spec, precision="float32")
        start = time.perf_counter()
        status = run(plan, store, source, encoder)
        rate = status.embedded / (time.perf_counter() - start)
    unit = 1 if sys.platform == "darwin" else 1024
    answers.put((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6, rate))


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options.add_argument("--galaxies", type=int, nargs="+", default=[1000, 100_000])
    print("| galaxies | peak memory, MB | images/s through the job |")
    print("|---|---|---|")
    context = multiprocessing.get_context("spawn")
    for n in options.parse_args().galaxies:
        answers = context.Queue()
        child = context.Process(target=peak_megabytes, args=(n, answers))
        child.start()
        peak, rate = answers.get()
        child.join()
        print(f"| {n:,} | {peak:,.0f} | {rate:,.0f} |", flush=True)


if __name__ == "__main__":
    main()
