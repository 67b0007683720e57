"""
Where `mini` is not ahead of an ImageNet network, say for which classes, and whether for pixels or dimensions.

    python benchmarks/imagenet_lead.py --data DATA --imagenet WEIGHTS [--draws 10] [--cache FOLDER]

Figures of ``encoders.py`` for `mini` (64 px, 368 dimensions) and for an ImageNet MobileNetV2 (224 px, 1,280):

- as it is,
- of pictures that were brought to 64 px and back to 224, which takes details away and keeps the scale,
- at 64 px, as `mini` sees them,
- of `mini`, of pictures with those 64 px enlarged to 128, so that it looks at four times as many places,
- cut to the first 368 principal components of all galaxies measured on, turned at random, since the heads
  standardise each dimension and would make the last components as loud as the first.

Beside the value, each minus ImageNet as it is, on the same galaxies and draws of labels, with 95 % bootstrap
intervals. ``--cache`` may be that of ``encoders.py``.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from encoders import (
    COUNTS,
    VOTES,
    Measure,
    Set,
    Taught,
    cross_validated,
    few_labels,
    interval_text,
    numbers,
    r_squared,
    resampled,
    sets,
)
from numpy.typing import NDArray
from retrieval import Embed, Pictures, network, table
from scipy.stats import ortho_group

from glue_zoobot.encoders import EncoderSpec, find, pixels

WHOLE, CUT = "ImageNet", "368 components"
ENCODERS = ("mini", WHOLE, "224 px of 64 px", "64 px", "mini, 128 px of 64 px", CUT)


def cut(found: dict[str, Set], width: int) -> None:
    """Add the first principal components of the whole embedding, of the galaxies of all sets together."""
    together = np.concatenate([part.embeddings[WHOLE] for part in found.values()])
    mean = together.mean(0)
    _, _, axes = np.linalg.svd(together - mean, full_matrices=False)
    turned = ortho_group.rvs(width, random_state=0).astype(np.float32) @ axes[:width]
    for part in found.values():
        part.embeddings[CUT] = (part.embeddings[WHOLE] - mean) @ turned.T


def coarse(embed: Embed, seen: EncoderSpec) -> Embed:
    """Embed pictures that have only those pixels that another encoder sees."""

    def coarsely(pictures: Pictures) -> NDArray[np.float32]:
        return embed([pixels.resize(picture, seen).permute(1, 2, 0).numpy() for picture in pictures])

    return coarsely


def line(name: str, measures: Sequence[Measure], draws: int, strata: NDArray) -> list[str]:
    """Value of each encoder, and in brackets what it has more than ImageNet as it is."""
    values, sampled = resampled(measures, draws, strata)
    whole = ENCODERS.index(WHOLE)
    cells = [f"{value:.3f}" for value in values]
    for i in set(range(len(cells))) - {whole}:
        ahead = interval_text(values[i] - values[whole], sampled[:, i] - sampled[:, whole], "+.3f")
        cells[i] += f"; {ahead}"
    return [name, str(len(strata)), *cells]


def class_lines(part: Set, title: str, labels: NDArray[np.str_], draws: int) -> list[list[str]]:
    """Balanced accuracy by number of labels."""
    lines = []
    for count in COUNTS:
        taught = [few_labels(part, labels, encoder, count, draws) for encoder in ENCODERS]
        if all(taught):
            measures = [t.balanced for t in taught]
            lines.append(line(f"{title}, {count:,} labels", measures, draws, taught[0].truth))
    return lines


def found_lines(part: Set, title: str, labels: NDArray[np.str_], count: int, draws: int) -> list[list[str]]:
    """Share of each class that is found, taught with so many labels."""
    taught = [few_labels(part, labels, encoder, count, draws) for encoder in ENCODERS]
    lines = []
    for code, name in enumerate(np.unique(labels)):
        own = taught[0].truth == code
        if own.any():
            measures = [share_right(Taught(t.said[:, own], t.truth[own])) for t in taught]
            lines.append(line(f"{title}: {name}", measures, draws, np.zeros(own.sum())))
    return lines


def share_right(taught: Taught) -> Measure:
    """Accuracy."""
    right = taught.said == taught.truth
    return lambda draws, rows: float(right[draws][:, rows].mean())


def quantity_line(part: Set, title: str, values: NDArray[np.float64]) -> list[str]:
    """R² of a quantity."""
    taught = [cross_validated(part, values, encoder) for encoder in ENCODERS]
    return line(f"R² of {title}", [r_squared(t) for t in taught], 1, np.zeros(len(taught[0].truth)))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the labelled sets")
    parser.add_argument("--imagenet", type=Path, required=True, help="MobileNetV2 weights")
    parser.add_argument("--draws", type=int, default=10, help="of each number of labels")
    parser.add_argument("--cache", type=Path, help="folder that keeps the embeddings")
    given = parser.parse_args()
    if given.cache:
        given.cache.mkdir(parents=True, exist_ok=True)
    mini = find("mini")
    whole = find(given.imagenet).replace(crop=mini.crop)
    made = [
        network(mini),
        network(whole),
        coarse(network(whole.replace(crop=1.0)), mini),
        network(whole.replace(input_size=mini.input_size)),
        coarse(network(mini.replace(crop=1.0, input_size=2 * mini.input_size)), mini),
    ]
    embedders = dict(zip(ENCODERS, made, strict=False))
    found = sets(given.data, embedders, given.cache)
    cut(found, mini.width)
    one, two, kaggle = found["gz1"], found["gz2_votes"], found["kaggle_gz"]
    senses = {"spiral_cw": "spiral", "spiral_acw": "spiral"}
    zoo = np.array([senses.get(name, name) for name in one.of("class_name")])
    lines = class_lines(one, "GZ1, 4 classes", zoo, given.draws)
    lines += found_lines(one, "GZ1 found with 500 labels", zoo, 500, given.draws)
    lines += class_lines(kaggle, "Kaggle, 5 classes", kaggle.of("class5"), given.draws)
    lines.append(quantity_line(kaggle, "stellar mass", numbers(kaggle, "log_mstar")))
    lines.append(quantity_line(two, "votes: smooth", numbers(two, VOTES["smooth"])))
    print(table(["figure", "galaxies", *ENCODERS], lines))


if __name__ == "__main__":
    main()
