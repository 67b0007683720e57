"""
Train `mini`, the small galaxy encoder that ships with glue-zoobot, from random weights on a CPU.

It learns several questions at once from whatever labels a galaxy has (Galaxy Zoo 1 class, Galaxy Zoo 2 votes,
artefact or not, kind of a simulated galaxy; a missing answer costs nothing), while two random views of one
galaxy are pulled together (SimCLR; Chen et al. 2020, arXiv 2002.05709), so that the features do not depend on
orientation, small shifts, blur or noise. The pooled features under the heads are the embedding.

    python recipes/train_mini.py --data DATA --out glue_zoobot/encoders/mini

Killed and started again with the same arguments it continues from its last checkpoint. Every step draws its
random numbers from (seed, step), so an interrupted run equals an uninterrupted one up to the order of sums in
the threads.
"""

from __future__ import annotations

import argparse
import copy
import csv
import json
import math
import re
import time
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import timm
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn

from glue_zoobot.encoders.mini import held_out
from glue_zoobot.images.simulated import KINDS, SimulatedGalaxies

ARCHITECTURE = "regnety_002"
STORED_SIZE = 160  # pixels of the whole frame as kept in memory: its centre is then scaled little by a view
CROP = 0.65  # centre share of the frame that the encoder sees when it is used
MEAN, STD = (0.08, 0.08, 0.07), (0.14, 0.13, 0.13)
SIMULATED_SEED = 20_260  # not the seed of the built-in sample, which stays unseen
GZ1_CLASS = {"elliptical": 0, "spiral_cw": 1, "spiral_acw": 1, "edge_on": 2, "merger": 3}
# Galaxy Zoo 2 asks these questions only after these answers (Willett et al. 2013, arXiv 1308.3496).
ASKED_AFTER = {
    "t02": ("a02",),
    "t03": ("a02", "a05"),
    "t04": ("a02", "a05"),
    "t05": ("a02", "a05"),
    "t07": ("a01",),
    "t08": ("a14",),
    "t09": ("a02", "a04"),
    "t10": ("a02", "a05", "a08"),
    "t11": ("a02", "a05", "a08"),
}
N_ANSWERS = 37
SAVE_EVERY = 20  # steps


@dataclass
class Galaxies:
    """Training images and their answers, aligned by row; -1 or NaN where an answer is missing."""

    image: Tensor  # (N, 3, STORED_SIZE, STORED_SIZE) uint8
    gz1: Tensor  # (N,) int64
    kind: Tensor  # (N,) int64, of simulated galaxies
    artefact: Tensor  # (N,) float32
    votes: Tensor  # (N, N_ANSWERS) float32, debiased vote fractions
    asked: Tensor  # (N, N_ANSWERS) float32, share of the volunteers who got as far as the question

    def rows(self, index: Tensor) -> Galaxies:
        """Return the chosen rows."""
        return Galaxies(**{f.name: getattr(self, f.name)[index] for f in fields(self)})

    def sampling_weights(self) -> Tensor:
        """Weight rows so that a group of n galaxies is drawn in proportion to sqrt(n)."""
        voted = ~self.votes[:, 0].isnan()
        group = torch.stack(
            [self.gz1, self.artefact.nan_to_num(-1).long(), voted.long(), self.kind >= 0], dim=1
        )
        _, member, size = group.unique(dim=0, return_inverse=True, return_counts=True)
        return size[member].double().rsqrt()


# --- images and labels -----------------------------------------------------------------------------


def as_stored(image: Image.Image) -> Tensor:
    """Scale a picture to (3, STORED_SIZE, STORED_SIZE) uint8."""
    small = image.convert("RGB").resize((STORED_SIZE, STORED_SIZE), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(small)).permute(2, 0, 1)


def training_rows(folder: Path) -> list[dict[str, str]]:
    """Read ``labels.csv`` of a set without the galaxies that are kept for measuring."""
    with (folder / "labels.csv").open(newline="") as file:
        return [row for row in csv.DictReader(file) if not held_out(row.get("dr7objid") or row["object_id"])]


def vote_answers(row: dict[str, str]) -> tuple[list[float], list[float]]:
    """Return the debiased vote fractions of one galaxy and the share of volunteers asked each question."""
    columns = [c for c in row if c.endswith("_debiased")]
    code = {c: re.search(r"_(a\d\d)_", c)[1] for c in columns}
    fraction = {code[c]: min(float(row[c] or "nan"), 1.0) for c in columns}
    asked = [math.prod(fraction[a] for a in ASKED_AFTER.get(c[:3], ())) for c in columns]
    return list(fraction.values()), [0.0 if math.isnan(a) else a for a in asked]


def is_artefact(row: dict[str, str]) -> float:
    """Return 1 for artefacts, 0 for galaxies, NaN for what the volunteers could not tell."""
    if row.get("class_name") == "dont_know":
        return math.nan
    return float(row.get("label") == "artifact")


def real_galaxies(data: Path) -> Galaxies:
    """Read the training part of the three SDSS sets."""
    images, gz1, artefact, votes, asked = [], [], [], [], []
    no_votes = [math.nan] * N_ANSWERS, [0.0] * N_ANSWERS
    for name in ("sdss_gz1", "sdss_gz2_votes", "sdss_gz2_artifacts"):
        for row in training_rows(data / name):
            with Image.open(data / name / row["file"]) as image:
                images.append(as_stored(image))
            gz1.append(GZ1_CLASS.get(row.get("class_name", ""), -1))
            artefact.append(is_artefact(row))
            answers = vote_answers(row) if name == "sdss_gz2_votes" else no_votes
            votes.append(answers[0])
            asked.append(answers[1])
    kind = torch.full((len(images),), -1)
    tensors = torch.tensor(artefact), torch.tensor(votes), torch.tensor(asked)
    return Galaxies(torch.stack(images), torch.tensor(gz1), kind, *tensors)


def simulated_galaxies(n: int) -> Galaxies:
    """Draw simulated galaxies, which have a kind and, like it, are artefacts or not."""
    sample = SimulatedGalaxies(n=n, random_state=SIMULATED_SEED)
    images = torch.stack([as_stored(Image.fromarray(sample.read(i))) for i in range(n)])
    kinds = sample.table()["kind"].tolist()
    artefact = torch.tensor([float(kind == "artefact") for kind in kinds])
    no_votes = torch.full((n, N_ANSWERS), math.nan)
    kind = torch.tensor([KINDS.index(kind) for kind in kinds])
    return Galaxies(images, torch.full((n,), -1), kind, artefact, no_votes, torch.zeros(n, N_ANSWERS))


def joined(parts: list[Galaxies]) -> Galaxies:
    """Put sets of galaxies below each other."""
    return Galaxies(*(torch.cat([getattr(part, f.name) for part in parts]) for f in fields(Galaxies)))


# --- views -----------------------------------------------------------------------------------------


def uniform(n: int, low: float, high: float) -> Tensor:
    """Draw n numbers in a shape that multiplies a batch of images."""
    return torch.empty(n, 1, 1, 1).uniform_(low, high)


def random_view(image: Tensor, size: int) -> Tensor:
    """
    Look at each galaxy again: any orientation, handedness, shift, field of view, seeing, noise, sky.

    Shapes are never sheared, since axis ratio is morphology.

    Parameters
    ----------
    image : Tensor
        (B, 3, H, H) in 0-1, whole frames.
    size : int
        Pixels of the views.

    Returns
    -------
    Tensor
        (B, 3, size, size) float32 in 0-1.
    """
    n = len(image)
    angle = uniform(n, 0, 2 * math.pi).flatten()
    flip = torch.randint(0, 2, (n,)) * 2.0 - 1
    field = CROP * torch.exp(torch.empty(n).uniform_(math.log(0.75), math.log(1.3)))
    cos, sin, shift = field * angle.cos(), field * angle.sin(), torch.empty(n, 2).uniform_(-0.04, 0.04)
    rows = torch.stack([cos * flip, -sin, shift[:, 0]], 1), torch.stack([sin * flip, cos, shift[:, 1]], 1)
    grid = F.affine_grid(torch.stack(rows, 1), [n, 3, size, size], align_corners=False)
    view = F.grid_sample(image, grid, padding_mode="reflection", align_corners=False)
    blurred = F.avg_pool2d(F.avg_pool2d(view, 3, 1, 1), 3, 1, 1)
    view = torch.lerp(view, blurred, uniform(n, -0.3, 1.0))
    gain = uniform(n, 0.8, 1.25) * torch.empty(n, 3, 1, 1).uniform_(0.94, 1.06)
    sky = uniform(n, -0.02, 0.06) + torch.empty(n, 3, 1, 1).uniform_(-0.01, 0.01)
    noise = torch.randn_like(view) * uniform(n, 0, 0.03)
    return (view * gain + sky + noise).clamp_(0, 1)


# --- network and objectives ------------------------------------------------------------------------


class MultiTask(nn.Module):
    """The encoder with one linear head per set of questions, and the projection of the contrastive term."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = timm.create_model(ARCHITECTURE, num_classes=0)
        width = self.encoder.num_features
        self.gz1 = nn.Linear(width, max(GZ1_CLASS.values()) + 1)
        self.votes = nn.Linear(width, N_ANSWERS)
        self.artefact = nn.Linear(width, 1)
        self.kind = nn.Linear(width, len(KINDS))
        self.project = nn.Sequential(
            nn.Linear(width, width), nn.BatchNorm1d(width), nn.ReLU(), nn.Linear(width, 128)
        )

    def embed(self, view: Tensor) -> Tensor:
        """Return the embedding (B, D) of views (B, 3, S, S) in 0-1."""
        mean, std = (view.new_tensor(v)[:, None, None] for v in (MEAN, STD))
        return self.encoder(((view - mean) / std).contiguous(memory_format=torch.channels_last))


def answer_loss(net: MultiTask, features: Tensor, galaxies: Galaxies) -> Tensor:
    """Return the sum over all sets of questions of the mean loss of the answers that exist."""
    gz1 = class_cross_entropy(net.gz1(features), galaxies.gz1)
    kind = class_cross_entropy(net.kind(features), galaxies.kind)
    artefact = masked_cross_entropy(
        net.artefact(features)[:, 0], galaxies.artefact, torch.ones(len(features))
    )
    votes = masked_cross_entropy(net.votes(features), galaxies.votes, galaxies.asked)
    return gz1 + kind + artefact + 2 * votes


def class_cross_entropy(logit: Tensor, target: Tensor) -> Tensor:
    """Return the mean cross-entropy to classes, -1 where missing."""
    total = F.cross_entropy(logit, target, ignore_index=-1, label_smoothing=0.05, reduction="sum")
    return total / (target >= 0).sum().clamp(min=1)


def masked_cross_entropy(logit: Tensor, fraction: Tensor, weight: Tensor) -> Tensor:
    """Return the weighted mean binary cross-entropy to soft targets in 0-1, NaN where missing."""
    weight = weight * ~fraction.isnan()
    loss = F.binary_cross_entropy_with_logits(logit, fraction.nan_to_num(), reduction="none")
    return (loss * weight).sum() / weight.sum().clamp(min=1e-6)


def contrastive_loss(projected: Tensor, temperature: float = 0.2) -> Tensor:
    """Return NT-Xent (Chen et al. 2020) of (2B, P) projections; rows i and i + B are one galaxy."""
    unit = F.normalize(projected)
    similarity = (unit @ unit.T / temperature).fill_diagonal_(-math.inf)
    return F.cross_entropy(similarity, torch.arange(len(unit)).roll(len(unit) // 2))


def view_disagreement(features: Tensor) -> Tensor:
    """Return the mean of 1 - cosine of the two views of a galaxy, about the batch mean; features (2B, D)."""
    first, second = (features - features.mean(0)).chunk(2)
    return 1 - F.cosine_similarity(first, second).mean()


# --- training --------------------------------------------------------------------------------------


@dataclass
class Training:
    """What a checkpoint holds: networks (trained and averaged), optimiser, number of steps done."""

    net: MultiTask
    average: MultiTask
    optimiser: torch.optim.Optimizer
    step: int = 0

    @classmethod
    def start(cls, seed: int) -> Training:
        """Begin with random weights."""
        torch.manual_seed(seed)
        net = MultiTask().to(memory_format=torch.channels_last)
        return cls(net, copy.deepcopy(net).eval(), torch.optim.AdamW(net.parameters(), weight_decay=0.05))

    def save(self, path: Path) -> None:
        """Write a checkpoint; the file is either the old or the new one, never half of it."""
        parts = (self.net, self.average, self.optimiser)
        temporary = path.with_suffix(".tmp")
        torch.save({"state": [part.state_dict() for part in parts], "step": self.step}, temporary)
        temporary.replace(path)

    def load(self, path: Path) -> None:
        """Continue from a checkpoint."""
        saved = torch.load(path, weights_only=True)
        for part, state in zip((self.net, self.average, self.optimiser), saved["state"], strict=True):
            part.load_state_dict(state)
        self.step = saved["step"]


def learning_rate(step: int, n_steps: int, peak: float, warm_up: int = 100) -> float:
    """Rise linearly, then fall along a cosine to zero."""
    return peak * min(1, (step + 1) / warm_up) * 0.5 * (1 + math.cos(math.pi * step / n_steps))


def train_step(state: Training, galaxies: Galaxies, size: int) -> Tensor:
    """Take one step on two views of each galaxy and return the loss."""
    image = galaxies.image.float() / 255
    views = torch.cat([random_view(image, size), random_view(image, size)])
    features = state.net.embed(views)
    answers = sum(answer_loss(state.net, half, galaxies) for half in features.chunk(2)) / 2
    loss = answers + 0.5 * contrastive_loss(state.net.project(features)) + 0.5 * view_disagreement(features)
    if not loss.isfinite():
        raise FloatingPointError(
            f"The loss is {loss.item()} at step {state.step}; lower --peak-rate and resume."
        )
    state.optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(state.net.parameters(), 5.0)
    state.optimiser.step()
    return loss.detach()


@torch.no_grad()
def update_average(state: Training, decay: float = 0.998) -> None:
    """Move the averaged network towards the trained one (exponential average, shorter at the start)."""
    decay = min(decay, (state.step + 1) / (state.step + 10))
    for slow, fast in zip(state.average.state_dict().values(), state.net.state_dict().values(), strict=True):
        if slow.is_floating_point():
            slow.lerp_(fast, 1 - decay)
        else:
            slow.copy_(fast)


def train(galaxies: Galaxies, args: argparse.Namespace) -> Training:
    """Train from the last checkpoint, if any, to the end of the schedule."""
    state = Training.start(args.seed)
    if args.checkpoint.exists():
        state.load(args.checkpoint)
        print(f"continuing after step {state.step}")
    weights = galaxies.sampling_weights()
    n_steps = math.ceil(args.epochs * len(weights) / args.batch_size)
    began, first = time.monotonic(), state.step
    while state.step < n_steps:
        torch.manual_seed(args.seed * 1_000_003 + state.step)
        for group in state.optimiser.param_groups:
            group["lr"] = learning_rate(state.step, n_steps, args.peak_rate)
        batch = galaxies.rows(torch.multinomial(weights, args.batch_size))
        loss = train_step(state, batch, args.input_size).item()
        update_average(state)
        state.step += 1
        if state.step % SAVE_EVERY == 0 or state.step == n_steps:
            state.save(args.checkpoint)
            rate = 2 * args.batch_size * (state.step - first) / (time.monotonic() - began)
            print(f"step {state.step}/{n_steps}  loss {loss:.3f}  {rate:.0f} views/s", flush=True)
    return state


def export(encoder: nn.Module, args: argparse.Namespace) -> None:
    """Write float16 weights and the configuration that the encoder registry reads."""
    args.out.mkdir(parents=True, exist_ok=True)
    weights = {
        k: (v.half() if v.is_floating_point() else v).contiguous() for k, v in encoder.state_dict().items()
    }
    save_file(weights, args.out / "model.safetensors", metadata={"format": "pt"})
    (args.out / "model.safetensors").chmod(0o644)
    config = {
        "architecture": ARCHITECTURE,
        "num_classes": 0,
        "num_features": encoder.num_features,
        "input_size": args.input_size,
        "crop": CROP,
        "interpolation": "bilinear",
        "mean": MEAN,
        "std": STD,
        "channels": 3,
        "licence": "BSD-3-Clause",
        "citation": "glue-zoobot mini; see README.md beside the weights for the surveys to acknowledge",
    }
    (args.out / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the three SDSS sets")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for model.safetensors and config.json"
    )
    parser.add_argument("--checkpoint", type=Path, default=Path("mini-checkpoint.pt"), help="resumed from")
    parser.add_argument("--epochs", type=float, default=22, help="galaxies drawn, in units of the sample")
    parser.add_argument("--simulated", type=int, default=2000, help="number of simulated galaxies")
    parser.add_argument("--batch-size", type=int, default=96, help="galaxies per step, two views each")
    parser.add_argument("--input-size", type=int, default=64, help="pixels of a view")
    parser.add_argument("--peak-rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def main() -> None:
    """Train, then write the averaged encoder."""
    args = parse_arguments()
    parts = [real_galaxies(args.data)]
    if args.simulated:
        parts.append(simulated_galaxies(args.simulated))
    galaxies = joined(parts)
    print(f"{len(galaxies.gz1)} galaxies")
    export(train(galaxies, args).average.encoder, args)


if __name__ == "__main__":
    main()
