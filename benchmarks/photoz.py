"""
How many labels does an encoder save for a redshift, a colour, a mass? All curves of the page on redshifts.

    python benchmarks/photoz.py --out FOLDER [--data DATA] [--seeds 3] [--only redshift]

*redshift*: 12,000 simulated galaxies of one angular scale with true redshifts, of which 3,500 are labelled;
an encoder is pretrained on all pictures without labels (SimCLR, a network of 0.4 million parameters at 32 px,
8 epochs: minutes on a CPU), and compared frozen, fine-tuned, and as the same network from random weights.

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

N_GALAXIES, N_LABELLED = 12_000, 3_500
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
    catalogue = write_sample(out / "sample", N_GALAXIES, random_state=7, size=64, frame=25.344)
    labels = out / "redshifts.csv"
    write_labels(labels, "redshift", table_of(catalogue)[:N_LABELLED])
    plain = without(*NO_FORGETTING, "blur")
    size = ["--input-size", 32, "--crop", 0.65]
    rate = ["--epochs", 8, "--batch-size", 128, "--learning-rate", 2e-3]
    verb("pretrain", catalogue, "-o", out / "ssl", "--architecture", "test_resnet", *size, *rate, *plain)
    given = ["--labels", labels, "--target", "redshift", "--encoder", out / "ssl", "-o", out / "redshift"]
    tuning = ["--epochs", 25, "--patience", 7, "--learning-rate", 1e-3, "--seeds", seeds]
    verb("bench", "photoz", catalogue, *given, *tuning, *plain)


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


def table_of(catalogue: Path) -> list[tuple[str, str]]:
    """Ids and redshifts of the sample."""
    from astropy.table import Table

    table = Table.read(catalogue, format="ascii.ecsv")
    return [(str(row["object_id"]), str(row["redshift"])) for row in table]


def write_labels(path: Path, column: str, rows: list[tuple[str, str]]) -> None:
    """Write ids with one number each."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("object_id", column), *rows])


def main() -> None:
    """Make what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="folder for samples, encoders, results")
    parser.add_argument("--data", type=Path, help="folder with the labelled sets; without it only redshift")
    parser.add_argument("--seeds", type=int, default=3, help="draws of each number of labels")
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
