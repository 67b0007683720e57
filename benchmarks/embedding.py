"""
The embedding job against the bare network and against a plain loop.

    python benchmarks/embedding.py [--architecture convnext_nano] [--images 256] [--rounds 3]

Three ways to embed the same 424-pixel JPEGs on the CPU at 224 pixels, in turn, several times over,
since the speed of a shared machine changes, and the limit that no way can pass in float32:

- *bare*: only the network, on input that is ready in memory; the fastest of float32 and bfloat16
  weights, channels-last or not, 4 to 32 images at once;
- *ours*: `glue_zoobot.embedding.run` from the files to the finished store (read, decode, resize,
  network, float16, Parquet, fsync), after its first run chose precision and batch size;
- *plain*: a `torch.utils.data.DataLoader` with two workers, Pillow and torchvision transforms,
  float32, 32 at once;
- *limit*: how often the network's multiplications fit into the rate of one large float32 matrix product.

The weights are random: fine for speed, useless for anything else. Pictures are the real ones of
GLUE_ZOOBOT_DATA, or simulated ones written as JPEG. Read the ratios, not the rates. Prints a Markdown
table, writes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

from glue_zoobot.embedding import EmbeddingStore, Plan, run
from glue_zoobot.embedding.settings import WORTH_A_PROBE
from glue_zoobot.encoders import Encoder, load
from glue_zoobot.images import ImageSource, open_catalogue
from glue_zoobot.images.simulated import SimulatedGalaxies

SIZE = 424
BATCHES = (4, 8, 16, 32)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    options.add_argument("--architecture", default="convnext_nano")
    options.add_argument("--images", type=int, default=256, help="per measurement")
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--plain-loop", action=argparse.BooleanOptionalAction, default=True)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        encoder = random_encoder(given.architecture, folder / "encoder")
        images = jpegs(folder, max(given.images, WORTH_A_PROBE))
        ours = Ours(images, encoder, folder, given.images)
        network, batch, bare_of = fastest_bare(given.architecture)
        ways: dict[str, Callable[[], float]] = {
            f"bare network, {network}, {batch} at once": lambda: bare_of(given.images),
            f"glue-zoobot, {ours.settings}": ours.rate,
            "limit: its multiplications as one float32 matrix product": arithmetic_limit(given.architecture),
        }
        if given.plain_loop:
            ways["plain DataLoader loop, float32, 32 at once"] = lambda: plain_rate(
                given.architecture, ours.paths[: given.images]
            )
        rates = {name: [] for name in ways}
        for _ in range(given.rounds):
            for name, measure in ways.items():
                rates[name].append(measure())
    report(rates, given.architecture, ours.about)


def report(rates: dict[str, list[float]], architecture: str, about: str) -> None:
    """Print medians, and medians of the ratios within each round."""
    bare, *_, last = rates.values()
    load_now = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    processor = f"{torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}"
    print(f"{architecture} at 224 px, random weights, {about}; {processor}, load {load_now:.1f} at the end")
    print()
    print("| what | images/s | of bare | times plain |")
    print("|---|---|---|---|")
    for name, values in rates.items():
        of_bare = median(v / b for v, b in zip(values, bare, strict=True))
        of_plain = median(v / p for v, p in zip(values, last, strict=True))
        print(f"| {name} | {median(values):.1f} | {of_bare:.0%} | {of_plain:.2f} |")


class Ours:
    """The embedding job on one catalogue, a new store for each measurement."""

    def __init__(self, source: ImageSource, encoder: Encoder, folder: Path, images: int) -> None:
        self._source, self._encoder, self._folder = source, encoder, folder
        self._plan = Plan.freeze(source.object_ids, rows_per_shard=images)
        self._runs = 0
        self._first = self._store()
        run(self._plan, self._first, source, encoder, shards=[0])
        chosen = self._first.manifest
        self.settings = f"{chosen['precision']}, {chosen['batch_size_cpu']} at once"
        side = source.read(0).shape[0]
        self.paths = [source.path(i) for i in range(images)]  # type: ignore[attr-defined]
        self.about = f"{side}-pixel JPEGs, {images} per measurement"

    def rate(self) -> float:
        """Images per second, from the files to the finished store."""
        store = self._store()
        for key in ("precision", "batch_size_cpu"):
            store.adopt(key, self._first.manifest[key])
        start = time.perf_counter()
        status = run(self._plan, store, self._source, self._encoder, shards=[0])
        return status.embedded / (time.perf_counter() - start)

    def _store(self) -> EmbeddingStore:
        self._runs += 1
        return EmbeddingStore.create(self._folder / f"store-{self._runs}", self._plan, self._encoder.spec)


def fastest_bare(architecture: str) -> tuple[str, int, Callable[[int], float]]:
    """Try all ways to run the bare network; the fastest one's name, batch size and meter."""
    trials = []
    for dtype in (torch.float32, torch.bfloat16):
        for layout in (torch.channels_last, torch.contiguous_format):
            network = build(architecture).to(dtype, memory_format=layout)
            name = f"{str(dtype).split('.')[1]}{', channels-last' if layout is torch.channels_last else ''}"
            for batch in BATCHES:
                x = torch.rand(batch, 3, 224, 224).to(dtype).contiguous(memory_format=layout)
                if trials and bare_rate(network, x, 1) < trials[0][0] / 10:
                    break  # bfloat16 on a processor that has none
                rate = max(bare_rate(network, x, 32), bare_rate(network, x, 32))
                trials.append((rate, name, batch, network, x))
                print(f"bare {name}, {batch} at once: {rate:.1f} images/s", flush=True)
    _, name, batch, network, x = max(trials, key=lambda trial: trial[0])
    return name, batch, lambda images: bare_rate(network, x, images)


def bare_rate(network: torch.nn.Module, x: torch.Tensor, images: int) -> float:
    """Images per second of the network alone."""
    calls = max(1, images // len(x))
    start = time.perf_counter()
    with torch.inference_mode():
        for _ in range(calls):
            network(x)
    return calls * len(x) / (time.perf_counter() - start)


def arithmetic_limit(architecture: str, side: int = 3072) -> Callable[[], float]:
    """Meter of the images per second that the processor's arithmetic allows the network in float32."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter, torch.no_grad():
        build(architecture)(torch.rand(1, 3, 224, 224))
    a = np.random.default_rng(0).random((side, side), dtype=np.float32)

    def product_seconds() -> float:
        start = time.perf_counter()
        a @ a
        return time.perf_counter() - start

    return lambda: 2 * side**3 / min(product_seconds() for _ in range(4)) / counter.get_total_flops()


class PlainImages(torch.utils.data.Dataset):
    """What a tutorial does: Pillow, resize, float tensor."""

    def __init__(self, paths: list[str]) -> None:
        from torchvision import transforms

        self.paths = paths
        self.transform = transforms.Compose([transforms.Resize((224, 224)), transforms.ToTensor()])

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, i: int) -> torch.Tensor:
        return self.transform(Image.open(self.paths[i]).convert("RGB"))


def plain_rate(architecture: str, paths: list[str]) -> float:
    """Images per second of a plain loop."""
    network = build(architecture)
    loader = torch.utils.data.DataLoader(PlainImages(paths), batch_size=32, num_workers=2)
    start = time.perf_counter()
    with torch.no_grad():
        vectors = torch.cat([network(batch) for batch in loader])
    return len(vectors) / (time.perf_counter() - start)


def build(architecture: str) -> torch.nn.Module:
    """Network with random weights."""
    import timm

    torch.manual_seed(0)
    return timm.create_model(architecture, pretrained=False, num_classes=0).eval()


def random_encoder(architecture: str, folder: Path) -> Encoder:
    """The same network as an encoder of ours, loaded the usual way."""
    network = build(architecture)
    width = getattr(network, "head_hidden_size", None) or network.num_features
    view = {"input_size": 224, "crop": 1 / 1.2, "interpolation": "bilinear", "mean": [0] * 3, "std": [1] * 3}
    folder.mkdir()
    config = {"architecture": architecture, "num_features": width, **view}
    (folder / "config.json").write_text(json.dumps(config))
    save_file(network.state_dict(), folder / "model.safetensors")
    return load(str(folder), device="cpu")


def jpegs(folder: Path, n: int) -> ImageSource:
    """``n`` JPEGs of 424 pixels as a folder to open: links to real ones, else to simulated ones."""
    default = Path(__file__).resolve().parents[2] / "shared" / "data"
    data = Path(os.environ.get("GLUE_ZOOBOT_DATA", default))
    files = sorted(data.glob("sdss_kaggle_gz/images/*.jpg")) or simulated_jpegs(folder / "simulated")
    target = folder / "images"
    target.mkdir()
    for i in range(n):
        (target / f"{i:05d}.jpg").symlink_to(files[i % len(files)].resolve())
    return open_catalogue(target).source


def simulated_jpegs(folder: Path, n: int = 300) -> list[Path]:
    """Write simulated galaxies as JPEG files."""
    folder.mkdir()
    simulated = SimulatedGalaxies(n, size=SIZE)
    paths = [folder / f"{i}.jpg" for i in range(n)]
    for i, path in enumerate(paths):
        Image.fromarray(simulated.read(i)).save(path, quality=90)
    return paths


if __name__ == "__main__":
    main()
