"""
How many interesting galaxies does a user find? All methods, five tasks of real galaxies, one protocol.

    python benchmarks/interest.py --data DATA --stores FOLDER --encoder mini --held-out
    python benchmarks/interest.py --data DATA --stores FOLDER --encoder mobilenet_v2.safetensors
    python benchmarks/interest.py --speed 1000000

Sets are embedded into FOLDER unless they are there already; the heading names the weights. Each seed draws a
catalogue (at most one galaxy in twenty is interesting) and a start; every method gets the same.
`glue_zoobot.analysis.protocol` says what is counted. With ``--held-out`` only galaxies are used that `mini`
did not learn from: one in five of Galaxy Zoo 1, the Galaxy Zoo 2 votes and the artefacts; all of Kaggle's.

The default was chosen on seeds 10 to 63; report on others (``--first-seed 200``). Prints Markdown tables; in
brackets the difference to the first method, same catalogues and same starts, with its standard error.

``--speed`` times a round (fit, rank, suggest) on clustered vectors 640 wide against one bare pass over
them, and measures its memory; needs 3 GB for a million rows.
"""

from __future__ import annotations

import argparse
import csv
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from similarity import clustered, timed_in_turn

from glue_zoobot.analysis.interest import InterestModel
from glue_zoobot.analysis.labels import HIGHEST
from glue_zoobot.analysis.protocol import Run, paired_difference, summarise
from glue_zoobot.analysis.protocol_report import CONTESTANTS, compare, draw
from glue_zoobot.cli.embeddings import embed_catalogue
from glue_zoobot.cli.report import TerminalReport
from glue_zoobot.embedding import EmbeddingStore
from glue_zoobot.encoders.mini import held_out
from glue_zoobot.images import open_catalogue

GZ1, GZ2, KAGGLE, ARTEFACTS = "sdss_gz1", "sdss_gz2_votes", "sdss_kaggle_gz", "sdss_gz2_artifacts"
MOST_INTERESTING = 0.05
Row = dict[str, str]
Choice = tuple[str, Callable[[Row], bool]]


@dataclass(frozen=True)
class Task:
    """What is interesting, among what: (set, which of its rows); numbers are the most that are drawn."""

    name: str
    interesting: tuple[Choice, ...]
    dull: tuple[Choice, ...]
    n_interesting: int
    n_dull: int


def class_of(*names: str) -> Callable[[Row], bool]:
    """Choose Galaxy Zoo 1 rows by class."""
    return lambda row: row["class_name"] in names


def class5_of(*names: str) -> Callable[[Row], bool]:
    """Choose Kaggle rows by class."""
    return lambda row: row["class5"] in names


def is_cigar(row: Row) -> bool:
    """Choose ellipticals of the Galaxy Zoo 2 votes that most call cigar-shaped."""
    share = float(row["t07_rounded_a18_cigar_shaped_debiased"] or 0)
    return row["derived_label"] == "elliptical" and share > 0.5


SPIRALS = ("spiral_cw", "spiral_acw")
TASKS = (
    Task(
        "artefacts",
        ((ARTEFACTS, lambda row: True),),
        ((KAGGLE, lambda row: True), (GZ1, lambda row: row["class_name"] != "dont_know")),
        200,
        6500,
    ),
    Task(
        "odd spirals",
        ((KAGGLE, lambda row: row["odd_spiral"] == "1"),),
        (
            (KAGGLE, lambda row: row["odd_spiral"] == "0"),
            (GZ1, class_of("elliptical", "edge_on", *SPIRALS)),
        ),
        200,
        5000,
    ),
    Task(
        "edge-on",
        ((GZ1, class_of("edge_on")),),
        (
            (GZ1, class_of("elliptical", "merger", *SPIRALS)),
            (KAGGLE, class5_of("smooth_round", "smooth_inbetween", "spiral")),
        ),
        150,
        3500,
    ),
    Task(
        "mergers",
        ((GZ1, class_of("merger")), (GZ2, lambda row: row["derived_label"] == "merger")),
        (
            (GZ1, class_of("elliptical", "edge_on", *SPIRALS)),
            (KAGGLE, class5_of("smooth_round", "smooth_inbetween", "edge_on")),
        ),
        150,
        3800,
    ),
    Task(
        "cigars",
        ((KAGGLE, class5_of("smooth_cigar")), (GZ2, is_cigar)),
        (
            (GZ1, class_of("elliptical", "merger", *SPIRALS)),
            (KAGGLE, class5_of("smooth_round", "smooth_inbetween", "spiral")),
        ),
        70,
        3900,
    ),
)


def embed(source: Path, path: Path, encoder: str) -> EmbeddingStore:
    """Embed a labelled set."""
    return embed_catalogue(open_catalogue(source), path, encoder, "auto", TerminalReport())


class Sets:
    """Labels and embeddings of the labelled sets."""

    def __init__(self, data: Path, stores: Path, encoder: str, only_held_out: bool) -> None:
        self._parts: dict[str, tuple[list[Row], np.ndarray]] = {}
        for name in (GZ1, GZ2, KAGGLE, ARTEFACTS):
            path = stores / f"{name}.{Path(encoder).stem}"
            store = EmbeddingStore.open(path) if path.exists() else embed(data / name, path, encoder)
            self.weights = str(store.manifest["encoder"]["sha256"])[:12]
            ids, matrix = store.load()
            with (data / name / "labels.csv").open(newline="") as file:
                labels = {row["object_id"]: row for row in csv.DictReader(file)}
            rows = [labels[object_id] for object_id in ids]
            if only_held_out and name != KAGGLE:
                kept = [i for i, row in enumerate(rows) if held_out(row.get("dr7objid") or row["object_id"])]
                rows, matrix = [rows[i] for i in kept], matrix[kept]
            self._parts[name] = rows, matrix

    def draw(self, task: Task, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return embeddings (N, D) and ratings (N,) of a catalogue."""
        random = np.random.default_rng(seed)
        dull = self._choose(task.dull, task.n_dull, random)
        most = min(task.n_interesting, int(MOST_INTERESTING * len(dull)))
        interesting = self._choose(task.interesting, most, random)
        order = random.permutation(len(dull) + len(interesting))
        ratings = np.concatenate([np.zeros(len(dull)), np.full(len(interesting), float(HIGHEST))])
        return np.concatenate([dull, interesting])[order], ratings[order]

    def _choose(self, choices: tuple[Choice, ...], most: int, random: np.random.Generator) -> np.ndarray:
        parts = []
        for name, wanted in choices:
            rows, matrix = self._parts[name]
            parts.append(matrix[[i for i, row in enumerate(rows) if wanted(row)]])
        together = np.concatenate(parts)
        return together[random.permutation(len(together))[:most]]


def cells(results: dict[str, dict[str, list[Run]]], method: str, first: str) -> list[str]:
    """Return the cells of a method: each task, mean, weak starts, seconds."""
    made = []
    for runs in results.values():
        mean = summarise(runs[method])
        gap, error = paired_difference(runs[first], runs[method])
        note = "" if method == first else f" ({-gap:+.1f} ± {error:.1f})"
        made.append(f"{mean['found']:.1f} · {mean['seen']:.1f}{note}")
    every = [run for runs in results.values() for run in runs[method]]
    mean = summarise(every)
    gaps = [paired_difference(runs[method], runs[first]) for runs in results.values()]
    gap, error = np.mean([gap for gap, _ in gaps]), np.linalg.norm([error for _, error in gaps]) / len(gaps)
    note = "" if method == first else f" ({gap:+.1f} ± {error:.1f})"
    made.append(f"**{mean['found']:.1f} · {mean['seen']:.1f}**{note}")
    made.append(f"{mean['weak']:.0f} of {len(every)}")
    made.append(f"{mean['P@100 unrated']:.2f} · {mean['P@100 paper']:.2f}")
    made.append(f"{mean['AP unrated']:.2f} · {mean['AP paper']:.2f}")
    made.append(f"{mean['seconds']:.3f}")
    return made


def table(results: dict[str, dict[str, list[Run]]], sizes: dict[str, str]) -> str:
    """Return a Markdown table: methods against tasks."""
    methods = list(next(iter(results.values())))
    heads = [f"{task} ({sizes[task]})" for task in results]
    heads += ["mean", "weak starts", "P@100 unrated · paper's", "AP unrated · paper's", "s a round"]
    lines = ["| found · seen 400 | " + " | ".join(heads) + " |", "|---" * (len(heads) + 1) + "|"]
    lines += [f"| {method} | " + " | ".join(cells(results, method, methods[0])) + " |" for method in methods]
    return "\n".join(lines)


def mean_of_tasks(results: dict[str, dict[str, list[Run]]]) -> dict[str, list[Run]]:
    """Average what was found over the tasks, seed by seed, so that the spread is that of the starts."""
    return {
        method: [
            replace(runs[0], found=np.mean([run.found for run in runs], axis=0))
            for runs in zip(*(runs[method] for runs in results.values()), strict=True)
        ]
        for method in next(iter(results.values()))
    }


def speed(n: int, width: int = 640, n_rated: int = 200) -> str:
    """Say what a round costs, against a bare pass over the matrix, and how much memory it takes beside it."""
    matrix = clustered(n, width)
    random = np.random.default_rng(0)
    rows = random.choice(n, n_rated, replace=False)
    ratings = HIGHEST * (random.random(n_rated) < 0.2)
    model = InterestModel()

    def one_round() -> None:
        model.fit(matrix, rows, ratings).ranks()
        model.suggest(10)

    tracemalloc.start()
    one_round()
    megabytes = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    direction = random.standard_normal(width).astype(np.float32)
    bare, taken = timed_in_turn(lambda: matrix @ direction, one_round)
    return f"| {n:,} x {width} | {bare:.0f} | {taken:.0f} | {taken / bare:.2f} | {megabytes:.0f} |"


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", type=Path, help="folder with the labelled sets")
    parser.add_argument("--stores", type=Path, help="folder for the embeddings")
    parser.add_argument("--encoder", default="mini")
    parser.add_argument("--held-out", action="store_true", help="only galaxies that mini did not learn from")
    parser.add_argument("--start", default="example", help="example, spread or random")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--first-seed", type=int, default=200)
    parser.add_argument(
        "--method", action="append", choices=list(CONTESTANTS), help="repeatable; default all"
    )
    parser.add_argument("--task", action="append", choices=[task.name for task in TASKS])
    parser.add_argument("--figure", type=Path, help="found against rated, the mean of all tasks")
    parser.add_argument(
        "--speed", type=int, action="append", metavar="N", help="only time N galaxies; repeatable"
    )
    args = parser.parse_args()
    if not args.speed and not (args.data and args.stores):
        parser.error("name --data and --stores, or --speed")
    return args


def main() -> None:
    """Measure and print."""
    args = parse_arguments()
    if args.speed:
        print("| galaxies | bare pass (ms) | a round (ms) | round / bare | MB beside the matrix |")
        print("|---|---|---|---|---|")
        for n in args.speed:
            print(speed(n), flush=True)
        return
    sets = Sets(args.data, args.stores, args.encoder, args.held_out)
    results: dict[str, dict[str, list[Run]]] = {}
    sizes = {}
    for task in TASKS:
        if args.task and task.name not in args.task:
            continue
        runs: dict[str, list[Run]] = {}
        for seed in range(args.first_seed, args.first_seed + args.seeds):
            matrix, ratings = sets.draw(task, seed)
            for method, made in compare(matrix, ratings, [seed], args.method, args.start).items():
                runs.setdefault(method, []).extend(made)
        results[task.name] = runs
        sizes[task.name] = f"{int((ratings > 0).sum())} of {len(ratings):,}"
        found = {method: round(summarise(made)["seen"], 1) for method, made in runs.items()}
        print(task.name, sizes[task.name], found, flush=True)
    print(f"\n{Path(args.encoder).stem} ({sets.weights}), start: {args.start}, ", end="")
    print(f"{args.seeds} seeds from {args.first_seed}\n")
    print(table(results, sizes))
    if args.figure:
        draw(mean_of_tasks(results), args.figure)


if __name__ == "__main__":
    main()
