"""
Do look-alikes look alike? Class-balanced precision@10 and rotation consistency on labelled galaxies.

    python benchmarks/retrieval.py --data DATA --imagenet mobilenet_v2_imagenet_torchvision.safetensors

Every labelled galaxy is a query against all others of its set (raw cosine, as the similarity search does it);
its precision is the share of its ten best that carry its own label. Precisions are averaged within each class
and then over classes, so that a common class counts no more than a rare one. Chance is what random neighbours
give: the share of the class among the others. Intervals hold 95 % of 1,000 bootstrap samples of the queries
(drawn within classes; the pool stays as it is). Of sets that `mini` was trained on only held-out rows count;
it never saw the Kaggle and Galaxy10 sets. Rotation consistency is the mean cosine between the embeddings of a
galaxy and of itself turned by 90, 180 and 270 degrees.

Prints Markdown tables and writes nothing.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from glue_zoobot.encoders import EncoderSpec, find, load, pixels
from glue_zoobot.encoders.mini import held_out

K = 10
Pictures = list[NDArray[np.uint8]]
Embed = Callable[[Pictures], NDArray[np.float32]]


@dataclass
class LabelledSet:
    """Pictures (H, W, 3) uint8 with one label each; only the classes in `classes` are averaged."""

    name: str
    pictures: Pictures
    labels: NDArray[np.str_]
    classes: tuple[str, ...]


# --- data ------------------------------------------------------------------------------------------


def rows_of(folder: Path) -> list[dict[str, str]]:
    """Read the ``labels.csv`` of a set as text."""
    with (folder / "labels.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def measuring(row: dict[str, str]) -> bool:
    """Whether a row of a training set was held out."""
    return held_out(row.get("dr7objid") or row["object_id"])


def read(folder: Path, rows: Iterable[dict[str, str]]) -> Pictures:
    """Decode the pictures of rows."""
    return [np.array(Image.open(folder / row["file"]).convert("RGB")) for row in rows]


def labelled(name: str, folder: Path, rows: list[dict[str, str]], labels: list[str]) -> LabelledSet:
    """Keep the classes with at least K + 1 members or, where there is none, with K."""
    values, counts = np.unique(labels, return_counts=True)
    classes = tuple(str(v) for v in values[counts >= min(K + 1, counts.max())])
    kept = [i for i, label in enumerate(labels) if label in classes]
    return LabelledSet(name, read(folder, [rows[i] for i in kept]), np.array(labels)[kept], classes)


def gz1(data: Path) -> LabelledSet:
    """Galaxy Zoo 1: spirals of both senses are one class, since `mini` does not tell handedness."""
    folder = data / "sdss_gz1"
    rows = [row for row in rows_of(folder) if measuring(row) and row["class_name"] != "dont_know"]
    spirals = {"spiral_cw": "spiral", "spiral_acw": "spiral"}
    return labelled("GZ1", folder, rows, [spirals.get(row["class_name"], row["class_name"]) for row in rows])


def gz2(data: Path) -> LabelledSet:
    """Galaxy Zoo 2 with the summary label of the source."""
    folder = data / "sdss_gz2_votes"
    rows = [row for row in rows_of(folder) if measuring(row)]
    return labelled("GZ2", folder, rows, [row["derived_label"] for row in rows])


def kaggle(data: Path) -> LabelledSet:
    """The Kaggle challenge: none of its stamps is in a training set (no two agree by pixel correlation)."""
    folder = data / "sdss_kaggle_gz"
    rows = [row for row in rows_of(folder) if row["class5"]]
    return labelled("Kaggle", folder, rows, [row["class5"] for row in rows])


def galaxy10(data: Path) -> LabelledSet:
    """Galaxy10 DECaLS, ten of each class: another survey, and at most 0.9 can be reached."""
    folder = data / "decals_galaxy10_sample"
    rows = rows_of(folder)
    return labelled("Galaxy10", folder, rows, [row["class_name"] for row in rows])


def artefacts(data: Path, galaxies: list[LabelledSet]) -> LabelledSet:
    """Held-out stars and artefacts among galaxies on stamps of the same kind."""
    folder = data / "sdss_gz2_artifacts"
    pictures = read(folder, [row for row in rows_of(folder) if measuring(row)])
    labels = ["artefact"] * len(pictures)
    for part in galaxies:
        pictures = pictures + part.pictures
        labels += ["galaxy"] * len(part.pictures)
    return LabelledSet("artefacts", pictures, np.array(labels), ("artefact",))


# --- encoders --------------------------------------------------------------------------------------


def small(pictures: Pictures, size: int, crop: float) -> NDArray[np.float32]:
    """Crop the centre and scale to (N, size * size * 3)."""
    spec = EncoderSpec("pixels", "timm", "none", "none", input_size=size, crop=crop)
    return np.stack([pixels.resize(p, spec).numpy().ravel() for p in pictures]).astype(np.float32) / 255


def pixel_pca(crop: float, n_components: int = 32, size: int = 64) -> Embed:
    """First principal components of the pixels, fitted to the very galaxies that are searched."""
    from sklearn.decomposition import PCA

    def embed(pictures: Pictures) -> NDArray[np.float32]:
        return PCA(n_components, random_state=0).fit_transform(small(pictures, size, crop))

    return embed


def network(spec: EncoderSpec, batch_size: int = 32) -> Embed:
    """Embed with an encoder of the registry."""
    encoder = load(spec)

    def embed(pictures: Pictures) -> NDArray[np.float32]:
        starts = range(0, len(pictures), batch_size)
        return np.concatenate([encoder.embed(pictures[i : i + batch_size]) for i in starts])

    return embed


# --- figures ---------------------------------------------------------------------------------------


def precision_at_k(embeddings: NDArray[np.float32], labels: NDArray[np.str_]) -> NDArray[np.float64]:
    """Return the share of each galaxy's K nearest by cosine, itself excluded, that carry its label; (N,)."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    similarity = unit @ unit.T
    np.fill_diagonal(similarity, -np.inf)
    nearest = np.argsort(-similarity, axis=1, kind="stable")[:, :K]
    return (labels[nearest] == labels[:, None]).mean(1)


def chance(labels: NDArray[np.str_], classes: tuple[str, ...]) -> dict[str, float]:
    """Return the precision of random neighbours, by class."""
    return {c: (np.sum(labels == c) - 1) / (len(labels) - 1) for c in classes}


def interval(parts: list[NDArray[np.float64]], n_samples: int = 1000) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean of the means of `parts`."""
    random = np.random.default_rng(0)
    draws = [random.choice(part, (n_samples, len(part))).mean(1) for part in parts]
    low, high = np.percentile(np.mean(draws, axis=0), [2.5, 97.5])
    return float(low), float(high)


def centred_unit(
    embeddings: NDArray[np.float32], mean: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Subtract a mean (their own if none is given) and scale to length 1."""
    centred = embeddings - (embeddings.mean(0) if mean is None else mean)
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


def rotation_consistency(embed: Embed, pictures: Pictures) -> tuple[float, float]:
    """Return the mean cosine under 90 degree turns, raw and about the mean embedding."""
    turned = [embed([np.ascontiguousarray(np.rot90(p, k)) for p in pictures]) for k in range(4)]
    means = np.zeros_like(turned[0][0]), turned[0].mean(0)
    unit = [[centred_unit(part, mean) for part in turned] for mean in means]
    raw, centred = (float(np.mean([(u[0] * other).sum(1) for other in u[1:]])) for u in unit)
    return raw, centred


# --- tables ----------------------------------------------------------------------------------------


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def class_rows(part: LabelledSet, precisions: list[NDArray[np.float64]]) -> list[list[str]]:
    """Return a row per class: set and class, members, chance, mean precision of each encoder."""
    by_chance = chance(part.labels, part.classes)
    rows = []
    for c in part.classes:
        own = part.labels == c
        means = [f"{precision[own].mean():.3f}" for precision in precisions]
        rows.append([f"{part.name}: {c}", str(own.sum()), f"{by_chance[c]:.3f}", *means])
    return rows


def balanced_row(part: LabelledSet, precisions: list[NDArray[np.float64]]) -> list[str]:
    """Return set, galaxies, chance, and each encoder's mean over the classes with its interval."""
    cells = [
        part.name,
        str(len(part.labels)),
        f"{np.mean(list(chance(part.labels, part.classes).values())):.3f}",
    ]
    for precision in precisions:
        parts = [precision[part.labels == c] for c in part.classes]
        low, high = interval(parts)
        cells.append(f"{np.mean([p.mean() for p in parts]):.3f} ({low:.3f}–{high:.3f})")
    return cells


def rotation_rows(embedders: dict[str, Embed], pictures: Pictures) -> list[list[str]]:
    """Return encoder, raw and centred rotation consistency."""
    return [[name, *(f"{c:.3f}" for c in rotation_consistency(e, pictures))] for name, e in embedders.items()]


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the labelled sets")
    parser.add_argument(
        "--encoder", action="append", help="name or folder of an encoder; repeatable; default mini"
    )
    parser.add_argument(
        "--imagenet", type=Path, help="MobileNetV2 weights with torchvision's names, to compare"
    )
    parser.add_argument(
        "--crop", type=float, help="crop of the comparisons; default: that of the first encoder"
    )
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    args = parse_arguments()
    names = args.encoder or ["mini"]
    crop = args.crop or find(names[0]).crop
    embedders = {name: network(find(name)) for name in names}
    if args.imagenet:
        embedders["ImageNet MobileNetV2"] = network(find(args.imagenet).replace(crop=crop))
    first, second, third = gz1(args.data), gz2(args.data), kaggle(args.data)
    balanced, by_class = [], []
    for part in (first, second, third, galaxy10(args.data), artefacts(args.data, [second, third])):
        embeddings = [embed(part.pictures) for embed in (*embedders.values(), pixel_pca(crop))]
        precisions = [precision_at_k(matrix, part.labels) for matrix in embeddings]
        balanced.append(balanced_row(part, precisions))
        by_class += class_rows(part, precisions)
    columns = ["n", "chance", *embedders, "pixel PCA-32"]
    print(table(["class-balanced precision@10", *columns], balanced))
    print(table(["precision@10 by class", *columns], by_class))
    turned = first.pictures[:200]
    print(
        table([f"cosine under 90° turns ({len(turned)})", "raw", "centred"], rotation_rows(embedders, turned))
    )


if __name__ == "__main__":
    main()
