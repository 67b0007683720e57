"""
How many labels does an encoder save for a redshift, a colour, a mass? All curves of the page on redshifts.

    python benchmarks/photoz.py --out FOLDER [--data DATA] [--seeds 5] [--only redshift]

*redshift*: an encoder is pretrained on 40,000 simulated galaxies of one angular scale without labels (SimCLR,
a network of 0.2 million parameters at 32 px, 20 epochs: ten minutes of an idle core), and compared frozen,
fine-tuned and as the same network from random weights, on 2,000 other galaxies with true redshifts. Rates
were chosen on a third sample, by a few trials for either.

*mass*, *colour*: `mini`, which has learnt morphology, frozen, against the same network from random weights,
on 250 galaxies of Galaxy Zoo with a stellar mass and a u - r colour (0 to 5).

Two fifths of the labelled galaxies are measured by. It runs the verbs of the command line, goes on where it
was stopped, and prints their tables.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
from pathlib import Path

from glue_zoobot.images.simulated import write_sample

N_FIELD, N_LABELLED = 40_000, 2_000
PRETRAINED_ON, MEASURED_ON = 31, 33  # random states; 32 is that of the sample on which rates were chosen
NO_FORGETTING = ("dust", "exposure", "zoom")  # what tells a redshift must not be taught to be ignored


def verb(*words: object) -> None:
    """Run a verb of the command line; end where it fails."""
    given = [sys.executable, "-m", "glue_zoobot", *map(str, words)]
    print("$ glue-zoobot", *given[3:], flush=True)
    if subprocess.run(given, check=False).returncode:
        sys.exit(1)


def without(*names: str) -> list[str]:
    """Options that leave augmentations out."""
    return [word for name in names for word in ("--without", name)]


def redshift(out: Path, seeds: int) -> None:
    """Simulated galaxies with true redshifts."""
    frame = {"size": 52, "frame": 20.8}
    field = write_sample(out / "field", N_FIELD, PRETRAINED_ON, **frame)
    measured = write_sample(out / "measured", N_LABELLED, MEASURED_ON, **frame)
    plain = without(*NO_FORGETTING, "blur")
    network = ["--architecture", "test_byobnet", "--input-size", 32, "--crop", 0.77, "--agreement", 0]
    rate = ["--epochs", 20, "--batch-size", 256, "--learning-rate", 3e-3]
    verb("pretrain", field, "-o", out / "ssl", *network, *rate, "--probe", "kind", *plain)
    given = ["--target", "redshift", "--encoder", out / "ssl", "-o", out / "redshift"]
    tuning = ["--epochs", 40, "--patience", 40, "--learning-rate", 3e-3, "--scratch-rate", 5e-3]
    heads = ["--layer-decay", 1, "--dropout", 0, "--seeds", seeds]
    verb("bench", "photoz", measured, *given, *tuning, *heads, *plain)


def real(out: Path, data: Path, name: str, column: str, seeds: int) -> None:
    """A quantity of galaxies of Galaxy Zoo."""
    source = data / "sdss_kaggle_gz" / "labels.csv"
    with source.open(newline="") as file:
        rows = [(row["object_id"], row[column]) for row in csv.DictReader(file) if row[column]]
    labels = out / f"{name}.csv"
    write_labels(labels, column, [(i, x) for i, x in rows if name != "colour" or 0 < float(x) < 5])
    given = ["--labels", labels, "--target", column, "--encoder", "mini", "-o", out / name]
    tuning = ["--epochs", 25, "--patience", 25, "--scratch-rate", 1e-3, "--counts", "38,75,150"]
    methods = ["--methods", "frozen,scratch", "--seeds", seeds]
    verb("bench", "photoz", source, *given, *tuning, *methods, *without(*NO_FORGETTING))


def write_labels(path: Path, column: str, rows: list[tuple[str, str]]) -> None:
    """Write ids with one number each."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("object_id", column), *rows])


def main() -> None:
    """Make what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for samples, encoders, results")
    parser.add_argument("--data", type=Path, help="folder with the labelled sets; without it only redshift")
    parser.add_argument("--seeds", type=int, default=5, help="draws of each number of labels")
    parser.add_argument("--only", choices=("redshift", "mass", "colour"), help="one of the three")
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    given.out.mkdir(parents=True, exist_ok=True)
    if given.only in (None, "redshift"):
        redshift(given.out, given.seeds)
    for name, column in (("mass", "log_mstar"), ("colour", "u_minus_r")):
        if given.data is not None and given.only in (None, name):
            real(given.out, given.data, name, column, given.seeds)


if __name__ == "__main__":
    main()
