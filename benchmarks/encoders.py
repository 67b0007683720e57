"""
Is `mini` ahead of an ImageNet network? Every figure on galaxies that it did not learn from.

    python benchmarks/encoders.py --data DATA --imagenet WEIGHTS [--draws 10] [--cache FOLDER]

Embeddings of `mini` (or --encoder), of an ImageNet MobileNetV2 at 224 px and of 32 principal components of
the pixels, all of the same part of the frame, with the package's own heads on them:

- balanced accuracy with 20, 50, 200 and more labels, measured on two fifths of the galaxies (by a hash of
  the id), mean over draws of labels; bootstrap of draws and of measured galaxies (within classes);
- area under the curve for odd galaxies with 200 labels, likewise;
- R² of colour, stellar mass and vote fractions in cross-validation over all galaxies that have them;
  bootstrap of galaxies;
- precision@10 and the cosine of a galaxy with itself turned, as in ``retrieval.py``; bootstrap of galaxies.

The last column is the first encoder minus the second on the same galaxies and draws. Galaxy Zoo rows are the
fifth held out by a hash of the id; the Kaggle galaxies were never trained on. Prints Markdown, writes nothing
but the cache of embeddings.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from retrieval import (
    Embed,
    Pictures,
    centred_unit,
    gz1,
    measuring,
    network,
    pixel_pca,
    precision_at_k,
    read,
    rows_of,
    table,
)

from glue_zoobot.analysis.classify import GalaxyClassifier
from glue_zoobot.analysis.fewlabels import drawn, held_out
from glue_zoobot.analysis.regress import GalaxyRegressor
from glue_zoobot.encoders import find

COUNTS = (20, 50, 200, 500, 1000)
N_SAMPLES = 1000
VOTES = {
    "smooth": "t01_smooth_or_features_a01_smooth_debiased",
    "edge-on": "t02_edgeon_a04_yes_debiased",
    "bar": "t03_bar_a06_bar_debiased",
    "spiral": "t04_spiral_a08_spiral_debiased",
    "odd": "t06_odd_a14_yes_debiased",
}
COLOURS = (0.0, 5.0)  # outside are mistakes of the catalogue
Rows = list[dict[str, str]]
Measure = Callable[[NDArray[np.int64], NDArray[np.int64]], float]  # of draws and of galaxies


@dataclass
class Set:
    """Rows of a catalogue, their pictures, and an embedding by encoder."""

    name: str
    rows: Rows
    pictures: Pictures
    embeddings: dict[str, NDArray[np.float32]]

    def of(self, column: str) -> NDArray[np.str_]:
        """A column as text."""
        return np.array([row[column] for row in self.rows])


def sets(data: Path, embedders: dict[str, Embed], cache: Path | None) -> dict[str, Set]:
    """Read and embed what is measured on."""
    named = {
        "gz1": [r for r in rows_of(data / "sdss_gz1") if measuring(r) and r["class_name"] != "dont_know"],
        "gz2_votes": [r for r in rows_of(data / "sdss_gz2_votes") if measuring(r)],
        "kaggle_gz": [
            r
            for r in rows_of(data / "sdss_kaggle_gz")
            if r["class5"] or r["odd_spiral"] or r["u_minus_r"] or r["log_mstar"]
        ],
    }
    found = {}
    for name, rows in named.items():
        pictures = read(data / f"sdss_{name}", rows)
        embeddings = {}
        for encoder, embed in embedders.items():
            kept = cache / f"{name}.{encoder.replace(' ', '_')}.npy" if cache else None
            if kept is not None and kept.exists():
                embeddings[encoder] = np.load(kept, allow_pickle=False)
                continue
            embeddings[encoder] = embed(pictures)
            if kept is not None:
                np.save(kept, embeddings[encoder])
        found[name] = Set(name, rows, pictures, embeddings)
    return found


# --- heads -----------------------------------------------------------------------------------------


@dataclass
class Taught:
    """What a head said of the measured galaxies, for each draw of labels: (draws, n)."""

    said: NDArray[np.float64]
    truth: NDArray[np.float64]

    def balanced(self, draws: NDArray[np.int64], rows: NDArray[np.int64]) -> float:
        """Balanced accuracy."""
        right = self.said[draws][:, rows] == self.truth[rows]
        return float(np.mean([right[:, self.truth[rows] == c].mean() for c in np.unique(self.truth[rows])]))

    def area(self, draws: NDArray[np.int64], rows: NDArray[np.int64]) -> float:
        """Area under the curve, mean over draws."""
        from sklearn.metrics import roc_auc_score

        return float(np.mean([roc_auc_score(self.truth[rows], self.said[draw][rows]) for draw in draws]))


def few_labels(
    part: Set, labels: NDArray[np.str_], encoder: str, count: int, draws: int, probability: bool = False
) -> Taught | None:
    """Teach the automatic head with so many labels, several times; None if there are not so many to draw."""
    known = np.flatnonzero(labels != "")
    aside = held_out(part.of("object_id")[known])
    pool, test = known[~aside], known[aside]
    if count > len(pool):
        return None
    X = part.embeddings[encoder]
    _, codes = np.unique(labels, return_inverse=True)
    said = []
    for seed in range(draws):
        rows = drawn(pool, count, seed)
        if len(np.unique(codes[rows])) < 2:  # a draw of one class teaches nothing but its name
            said.append(np.full(len(test), 0.5 if probability else codes[rows[0]]))
            continue
        head = GalaxyClassifier(random_state=seed).fit(X[rows], codes[rows], X)
        found = head.predict_proba(X[test])
        said.append(found[:, -1] if probability else head.classes_[found.argmax(axis=1)])
    return Taught(np.array(said), codes[test].astype(float))


def cross_validated(part: Set, values: NDArray[np.float64], encoder: str) -> Taught:
    """Predict a quantity of every galaxy that has it by heads that were not shown it."""
    known = np.flatnonzero(np.isfinite(values))
    X = part.embeddings[encoder]
    head = GalaxyRegressor(0).fit(X[known], values[known], X)
    return Taught(head.out_of_fold_[None], values[known])


def r_squared(taught: Taught) -> Measure:
    """Share of the scatter that is explained."""
    error = np.square(taught.said[0] - taught.truth)
    return lambda draws, rows: float(1 - error[rows].mean() / np.var(taught.truth[rows]))


# --- rows of the table -----------------------------------------------------------------------------


def row(
    name: str, n: str, chance: str, measures: Sequence[Measure], draws: int, strata: NDArray
) -> list[str]:
    """One line: each encoder with its 95 % interval, and the first minus the second."""
    values, sampled = resampled(measures, draws, strata)
    cells = [interval_text(v, sampled[:, i]) for i, v in enumerate(values)]
    return [
        name,
        n,
        chance,
        *cells,
        interval_text(values[0] - values[1], sampled[:, 0] - sampled[:, 1], "+.3f"),
    ]


def resampled(
    measures: Sequence[Measure], draws: int, strata: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give each measure, and N_SAMPLES of each with draws, and galaxies within strata, drawn anew."""
    everything = np.arange(draws), np.arange(len(strata))
    random = np.random.default_rng(0)
    members = [np.flatnonzero(strata == stratum) for stratum in np.unique(strata)]
    sampled = np.empty((N_SAMPLES, len(measures)))
    for sample in sampled:
        some = random.integers(draws, size=draws)
        rows = np.concatenate([random.choice(m, len(m)) for m in members])
        sample[:] = [measure(some, rows) for measure in measures]
    return np.array([measure(*everything) for measure in measures]), sampled


def interval_text(value: float, sampled: NDArray[np.float64], form: str = ".3f") -> str:
    """Write a value with its interval."""
    low, high = np.percentile(sampled, [2.5, 97.5])
    between = " to " if low < 0 else "–"
    return f"{value:{form}} ({low:.3f}{between}{high:.3f})"


def label_rows(
    part: Set, title: str, labels: NDArray[np.str_], encoders: list[str], draws: int
) -> list[list[str]]:
    """Balanced accuracy by number of labels."""
    lines = []
    for count in COUNTS:
        taught = [few_labels(part, labels, encoder, count, draws) for encoder in encoders]
        if all(taught):
            chance = f"{1 / len(np.unique(taught[0].truth)):.3f}"
            measures = [t.balanced for t in taught]
            name = f"balanced accuracy, {title}, {count:,} labels"
            lines.append(row(name, str(len(taught[0].truth)), chance, measures, draws, taught[0].truth))
    return lines


def quantity_row(part: Set, title: str, values: NDArray[np.float64], encoders: list[str]) -> list[str]:
    """R² of a quantity."""
    taught = [cross_validated(part, values, encoder) for encoder in encoders]
    n = len(taught[0].truth)
    return row(f"R² of {title}", str(n), "0", [r_squared(t) for t in taught], 1, np.zeros(n))


def precision_row(part: Set, title: str, labels: NDArray[np.str_], encoders: list[str]) -> list[str]:
    """Class-balanced precision@10 of classes with eleven members."""
    names, counts = np.unique(labels[labels != ""], return_counts=True)
    kept = np.isin(labels, names[counts > 10])
    own = labels[kept]
    chance = np.mean([((own == c).sum() - 1) / (len(own) - 1) for c in np.unique(own)])
    each = [precision_at_k(part.embeddings[encoder][kept], own) for encoder in encoders]

    def balanced(precision: NDArray[np.float64]) -> Measure:
        return lambda draws, rows: float(
            np.mean([precision[rows][own[rows] == c].mean() for c in np.unique(own)])
        )

    measures = [balanced(precision) for precision in each]
    return row(f"precision@10, {title}", str(len(own)), f"{chance:.3f}", measures, 1, own)


def rotation_row(embedders: dict[str, Embed], pictures: Pictures) -> list[list[str]]:
    """Mean cosine of a galaxy with itself under quarter turns, raw and about the mean embedding."""
    cosines: dict[str, list[NDArray[np.float64]]] = {"raw": [], "centred": []}
    for embed in embedders.values():
        turned = [np.ascontiguousarray(np.rot90(p, k)) for k in range(4) for p in pictures]
        parts = np.split(embed(turned), 4)
        for name, mean in (("raw", np.zeros_like(parts[0][0])), ("centred", parts[0].mean(0))):
            unit = [centred_unit(part, mean) for part in parts]
            cosines[name].append(np.mean([(unit[0] * other).sum(1) for other in unit[1:]], axis=0))
    return [
        row(
            f"cosine under 90° turns, {name}",
            str(len(pictures)),
            "–",
            [lambda draws, rows, c=c: float(c[rows].mean()) for c in each],
            1,
            np.zeros(len(pictures)),
        )
        for name, each in cosines.items()
    ]


def numbers(part: Set, column: str, low: float = -np.inf, high: float = np.inf) -> NDArray[np.float64]:
    """A column as numbers, NaN where it is empty or out of range."""
    values = np.array([float(text) if text else np.nan for text in part.of(column)])
    return np.where((values > low) & (values < high), values, np.nan)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the labelled sets")
    parser.add_argument("--encoder", default="mini", help="name or folder of an encoder")
    parser.add_argument("--imagenet", type=Path, required=True, help="MobileNetV2 weights")
    parser.add_argument("--draws", type=int, default=10, help="of each number of labels")
    parser.add_argument("--cache", type=Path, help="folder that keeps the embeddings")
    given = parser.parse_args()
    if given.cache:
        given.cache.mkdir(parents=True, exist_ok=True)
    spec = find(given.encoder)
    embedders = {
        given.encoder: network(spec),
        "ImageNet": network(find(given.imagenet).replace(crop=spec.crop)),
        "pixel PCA": pixel_pca(spec.crop),
    }
    encoders = list(embedders)
    found = sets(given.data, embedders, given.cache)
    one, two, kaggle = found["gz1"], found["gz2_votes"], found["kaggle_gz"]
    senses = {"spiral_cw": "spiral", "spiral_acw": "spiral"}
    zoo = np.array([senses.get(name, name) for name in one.of("class_name")])
    odd = np.array([{"1": "yes", "0": "no"}.get(text[:1], "") for text in kaggle.of("odd_spiral")])
    lines = label_rows(kaggle, "Kaggle, 5 classes", kaggle.of("class5"), encoders, given.draws)
    lines += label_rows(kaggle, "Kaggle, odd spiral or not", odd, encoders, given.draws)
    lines += label_rows(one, "GZ1, 4 classes", zoo, encoders, given.draws)
    taught = [few_labels(kaggle, odd, encoder, 200, given.draws, True) for encoder in encoders]
    strata = taught[0].truth
    measures = [t.area for t in taught]
    lines.append(row("area, odd spirals, 200 labels", str(len(strata)), "0.5", measures, given.draws, strata))
    lines.append(quantity_row(kaggle, "colour u - r", numbers(kaggle, "u_minus_r", *COLOURS), encoders))
    lines.append(quantity_row(kaggle, "stellar mass", numbers(kaggle, "log_mstar"), encoders))
    lines += [
        quantity_row(two, f"votes: {name}", numbers(two, column), encoders) for name, column in VOTES.items()
    ]
    lines.append(precision_row(kaggle, "Kaggle", kaggle.of("class5"), encoders))
    lines.append(precision_row(one, "GZ1", zoo, encoders))
    lines.append(precision_row(two, "GZ2", two.of("derived_label"), encoders))
    lines += rotation_row({k: embedders[k] for k in encoders[:2]}, gz1(given.data).pictures[:200])
    header = ["figure", "galaxies", "chance", *encoders, f"{encoders[0]} - {encoders[1]}"]
    print(table(header, [line if len(line) == len(header) else [*line[:5], "–", line[5]] for line in lines]))


if __name__ == "__main__":
    main()
