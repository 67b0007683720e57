"""A folder of embeddings: manifest, plan, and one Parquet file per shard."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from glue_zoobot.embedding import manifest as manifests
from glue_zoobot.embedding.files import remove_stale
from glue_zoobot.embedding.ordered import available_cores, map_ordered
from glue_zoobot.embedding.plan import Plan
from glue_zoobot.embedding.shard import (
    BROKEN,
    DUPLICATE,
    EMBEDDED,
    PENDING,
    Header,
    read_header,
    read_shard,
    vectors_of,
    write_shard,
)
from glue_zoobot.errors import StoreError

if TYPE_CHECKING:
    from astropy.table import Table

    from glue_zoobot.embedding.verify import Agreement
    from glue_zoobot.encoders import EncoderSpec

PLAN = "plan.parquet"
SHARDS = "shards"
REPEATED = "repeats the identifier of an earlier row"


@dataclass(frozen=True)
class Status:
    """
    How much of a store is there.

    Attributes
    ----------
    done, total : int
        Galaxies in finished shards, and in the whole plan; duplicates are not counted.
    broken : int
        How many of the done have no embedding.
    shards_done, shards_total : int
        Finished shards, and all.
    duplicates : int
        Catalogue rows that repeat an earlier identifier.
    """

    done: int
    total: int
    broken: int
    shards_done: int
    shards_total: int
    duplicates: int = 0

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.shards_done == self.shards_total

    @property
    def embedded(self) -> int:
        """Galaxies that have an embedding."""
        return self.done - self.broken


class EmbeddingStore:
    """
    Embeddings of one catalogue by one encoder.

    Open it with `open`, make it with `create`. It may be read while another process fills it: what is
    there is whole, what is not there is pending.

    Attributes
    ----------
    path : Path
        The folder.
    manifest : dict
        Catalogue, encoder, precision, versions.
    """

    def __init__(self, path: Path, manifest: dict[str, Any]) -> None:
        self.path = path
        self.manifest = manifest
        self._headers: dict[int, tuple[tuple[int, int], Header]] = {}

    @classmethod
    def open(cls, path: str | Path) -> EmbeddingStore:
        """
        Open an existing store.

        Raises
        ------
        StoreError
            There is none, or its manifest cannot be read.
        """
        path = Path(path).expanduser()
        return cls(path, manifests.read_manifest(path))

    @classmethod
    def create(
        cls, path: str | Path, plan: Plan, encoder_spec: Any, precision: str | None = None
    ) -> EmbeddingStore:
        """
        Make a store, or open it where the same one exists.

        Parameters
        ----------
        path : str or Path
            A folder: new, empty, or already this store.
        plan : Plan
            The division into shards. An existing store keeps its own for the same galaxies.
        encoder_spec : EncoderSpec
        precision : {"float32", "bfloat16"}, optional
            Of the network's arithmetic; by default the first run chooses.

        Raises
        ------
        StoreError
            The folder holds other files, or a store of another catalogue, encoder, preprocessing or
            precision; both are named.
        """
        path = Path(path).expanduser()
        if not (path / manifests.FILE).exists():
            _make_folder(path)
            plan.save(path / PLAN)
            manifests.write_manifest(path, manifests.new_manifest(plan, encoder_spec, precision))
        store = cls.open(path)
        store.require_plan(plan)
        store.require_encoder(encoder_spec)
        if precision is not None and store.adopt("precision", precision) != precision:
            raise StoreError(
                f"The store {path} was computed in {store.precision}, not in {precision}. "
                "Use the same, or another folder for the store."
            )
        return store

    @classmethod
    def find_finished(cls, path: str | Path, plan: Plan, encoder_spec: Any) -> EmbeddingStore | None:
        """
        Open a store that needs no further work, before a network is loaded in vain.

        Parameters
        ----------
        path : str or Path
        plan : Plan
        encoder_spec : EncoderSpec or str
            As `find` gives it, or a name to be found.

        Returns
        -------
        EmbeddingStore or None
            None where there is no store, it is unfinished, or it is not certainly the same.
        """
        try:
            store = cls.open(path)
            store.require_plan(plan)
            store.require_encoder(_identified(encoder_spec))
        except StoreError:
            return None
        return store if store.status().finished else None

    @property
    def encoder_name(self) -> str:
        """Name of the encoder."""
        return str(self.manifest["encoder"]["name"])

    @property
    def encoder_spec(self) -> EncoderSpec:
        """What made the embeddings, also where its name alone would not find it."""
        from glue_zoobot.encoders import EncoderSpec

        return EncoderSpec.from_dict(self.manifest["encoder"])

    @property
    def width(self) -> int:
        """Dimensions D of an embedding."""
        return int(self.manifest["encoder"]["width"])

    @property
    def precision(self) -> str | None:
        """Precision of the network's arithmetic, None before the first run chose it."""
        return self.manifest["precision"]

    @functools.cached_property
    def plan(self) -> Plan:
        """The frozen plan."""
        plan = Plan.read(self.path / PLAN)
        if plan.hash != self.manifest["catalogue"]["plan"]:
            raise StoreError(
                f"{self.path / PLAN} does not belong to this store's manifest. Restore it, "
                "or start a new store in another folder."
            )
        return plan

    def require_plan(self, plan: Plan, made_of: str = "", now: str = "") -> None:
        """Raise `StoreError` unless ``plan`` holds the same galaxies; paths tell equal names apart."""
        if not self.plan.same_galaxies(plan):
            paths = [made_of, now] if self.plan.name == plan.name else ["", ""]
            theirs, ours = (f" in {Path(path).resolve().parent}" if path else "" for path in paths)
            raise StoreError(
                f"The store {self.path} belongs to the catalogue {self.plan.describe()}{theirs}, not to "
                f"{plan.describe()}{ours}. Choose another folder for the store."
            )

    def require_encoder(self, encoder_spec: Any) -> None:
        """Raise `StoreError` unless ``encoder_spec`` has the same weights and preprocessing."""
        offered = manifests.describe_encoder(encoder_spec)
        difference = manifests.encoder_difference(self.manifest["encoder"], offered)
        if difference:
            raise StoreError(
                f"The store {self.path} was made with the encoder {difference}. "
                "Choose that encoder, or another folder for the store."
            )

    def require_likely(self, encoder_spec: Any) -> None:
        """Raise `StoreError` where an encoder is certainly another one, before its weights are fetched."""
        spec, ours = _identified(encoder_spec), self.encoder_spec
        if spec.sha256 is None:  # then its name says too little: the same weights may lie in two places
            spec = spec.replace(weights=ours.weights, revision=ours.revision)
        self.require_encoder(spec)

    def adopt(self, key: str, value: Any) -> Any:
        """Record in the manifest what a first run chose, or return what is recorded already."""
        self.manifest = manifests.read_manifest(self.path)  # another worker may just have chosen
        if self.manifest.get(key) is None:
            self.manifest[key] = manifests.choose(self.path, key, value)
            manifests.write_manifest(self.path, self.manifest)
        return self.manifest[key]

    def shard_path(self, shard: int) -> Path:
        """File of a shard, whether or not it exists."""
        return self.path / SHARDS / f"{shard:06d}.parquet"

    def write(self, shard: int, vectors: Sequence[np.ndarray | None], reasons: Sequence[str | None]) -> None:
        """
        Write a finished shard.

        Parameters
        ----------
        shard : int
        vectors : sequence of (ndarray of float16, shape (D,), or None)
            In plan order, None where there is no embedding.
        reasons : sequence of (str or None)
            Why there is none.
        """
        ids = self.plan.shard_ids(shard)
        write_shard(self.shard_path(shard), ids, vectors, reasons, self.width, self._identity(shard))

    def header(self, shard: int) -> Header | None:
        """Header of a finished shard of this very store; None where it is absent, damaged or foreign."""
        path = self.shard_path(shard)
        try:
            stat = path.stat()
        except OSError:
            return None
        key = (stat.st_mtime_ns, stat.st_size)
        if shard in self._headers and self._headers[shard][0] == key:
            return self._headers[shard][1]
        try:
            header = read_header(path)
        except StoreError:
            return None
        if header.rows != self.plan.sizes[shard] or header.width != self.width:
            return None
        if header.identity != self._identity(shard):
            return None
        self._headers[shard] = (key, header)
        return header

    def done(self) -> list[int]:
        """Numbers of the finished shards."""
        return [shard for shard in self.plan.shards if self.header(shard)]

    def pending(self) -> list[int]:
        """Numbers of the shards that are still to be made."""
        return [shard for shard in self.plan.shards if not self.header(shard)]

    def status(self) -> Status:
        """Count what is there now."""
        plan = self.plan
        headers = [header for header in map(self.header, plan.shards) if header]
        done, broken = sum(header.rows for header in headers), sum(header.broken for header in headers)
        return Status(done, plan.n, broken, len(headers), len(plan.shards), plan.n_rows - plan.n)

    def load(self, dtype: Any = np.float32) -> tuple[np.ndarray, np.ndarray]:
        """
        Read all embeddings that are there now.

        Returns
        -------
        object_ids : ndarray of str, shape (M,)
            Galaxies that have an embedding, in plan order.
        matrix : ndarray of ``dtype``, shape (M, D)
            Their embeddings. M is 0 where no shard is finished yet.

        Raises
        ------
        StoreError
            A shard is damaged, or the run has ended and not one image could be read.
        """
        done, status = self.done(), self.status()
        if status.finished and status.total and not status.embedded:
            raise StoreError(
                f"The store {self.path} holds no embedding: all {status.total:,} images are broken "
                f"({self._first_reason()}). Check the image paths and formats."
            )
        count = sum(header.embedded for shard in done if (header := self.header(shard)))
        matrix = np.empty((count, self.width), dtype=dtype)
        ids: list[str] = []
        for part, vectors in self.embedded_parts(done):
            matrix[len(ids) : len(ids) + len(part)] = vectors
            ids.extend(part)
        return np.array(ids, dtype=object), matrix

    def embedded_parts(self, shards: Sequence[int]) -> Iterator[tuple[list[str], np.ndarray]]:
        """Give identifiers and float16 embeddings (m, D) of finished shards, broken ones left out."""
        threads = min(4, available_cores())
        with ThreadPoolExecutor(threads, "shard") as pool:
            yield from map_ordered(self._embedded, shards, pool, threads + 1)

    def _embedded(self, shard: int) -> tuple[list[str], np.ndarray]:
        table = read_shard(self.shard_path(shard), ["object_id", "embedding"])
        valid = table["embedding"].is_valid()
        return table["object_id"].filter(valid).to_pylist(), vectors_of(table)

    def outcomes(self) -> Table:
        """
        What became of every row of the catalogue.

        Returns
        -------
        Table
            ``object_id``, ``outcome`` ("embedded", "broken", "duplicate" or "pending"), ``reason``
            (empty where there is nothing to say), one row per catalogue row and in its order.
        """
        from astropy.table import Table

        plan = self.plan
        outcome = np.full(plan.n_rows, PENDING, dtype=object)
        reason = np.full(plan.n_rows, "", dtype=object)
        repeated = plan.shard_of_row == -1
        outcome[repeated], reason[repeated] = DUPLICATE, REPEATED
        for shard in self.done():
            table = read_shard(self.shard_path(shard), ["outcome", "reason"])
            rows = plan.shard_rows(shard)
            outcome[rows] = table["outcome"].to_numpy()
            reason[rows] = table["reason"].fill_null("").to_numpy()
        return Table({"object_id": np.array(plan.ids), "outcome": outcome, "reason": reason})

    def outcome_counts(self) -> dict[str, int]:
        """Give the number of catalogue rows with each outcome."""
        status = self.status()
        return {
            EMBEDDED: status.embedded,
            BROKEN: status.broken,
            DUPLICATE: status.duplicates,
            PENDING: status.total - status.done,
        }

    def verify(self) -> list[str]:
        """Read every finished shard; see `glue_zoobot.embedding.verify.damaged_shards`."""
        from glue_zoobot.embedding.verify import damaged_shards

        return damaged_shards(self)

    def recompute_sample(self, source: Any, encoder: Any, size: int = 32, random_state: int = 0) -> Agreement:
        """Embed a random sample again and compare; see `glue_zoobot.embedding.verify.recompute_sample`."""
        from glue_zoobot.embedding.verify import recompute_sample

        return recompute_sample(self, source, encoder, size, random_state)

    def export(self, path: str | Path) -> int:
        """Write ``object_id`` and ``embedding`` to one Parquet file; see `glue_zoobot.embedding.export`."""
        from glue_zoobot.embedding.export import export

        return export(self, path)

    def clean(self) -> int:
        """Remove temporary files that a killed process left; how many there were."""
        return sum(remove_stale(folder) for folder in (self.path, self.path / SHARDS))

    def what_happened(self) -> list[str]:
        """
        Say in sentences in what state an earlier run left the store, before the next one mends it.

        Returns
        -------
        list of str
            Empty for a store that is new, or finished and whole.
        """
        left = self.clean()
        pending = self.pending()
        spoiled = [shard for shard in pending if self.shard_path(shard).exists()]
        total = len(self.plan.shards)
        said = []
        if 0 < len(pending) < total:
            said.append(f"Going on: {total - len(pending):,} of {total:,} shards are there")
        if left:
            said.append(f"An earlier run was killed while it wrote; {left:,} unfinished files were removed")
        if spoiled:
            names = ", ".join(self.shard_path(shard).name for shard in spoiled[:5])
            more = ", …" if len(spoiled) > 5 else ""
            said.append(f"Damaged, or of another plan or encoder, and now made anew: {names}{more}")
        return said

    def mark(self) -> dict[int, tuple[int, int]]:
        """Remember what is finished now, for `grown_since`."""
        return {shard: self._headers[shard][0] for shard in self.done()}

    def grown_since(self, mark: Mapping[int, tuple[int, int]]) -> list[int]:
        """
        Shards that were finished, or made anew, since a `mark`.

        For who looks on while the store grows: ``embedded_parts(store.grown_since(mark))`` reads no more
        than what is new. A shard that was lost since is not named.
        """
        return [shard for shard, stamp in self.mark().items() if mark.get(shard) != stamp]

    def noted(self, most: int | None = None) -> Iterator[tuple[str, str, str]]:
        """
        Galaxies of which there is something to say.

        Yields
        ------
        object_id, outcome, reason : str
            In the order of the shards, repeated identifiers last; at most ``most`` of them.
        """
        yield from islice(chain(self._noted_in_shards(), self._repeated()), most)

    def incomplete(self) -> int:
        """How many galaxies have an embedding and a remark, such as a band without signal."""
        headers = [header for header in map(self.header, self.plan.shards) if header]
        if all(header.noted is not None for header in headers):
            return sum((header.noted or 0) - header.broken for header in headers)
        return sum(outcome == EMBEDDED for _, outcome, _ in self._noted_in_shards())

    def _noted_in_shards(self) -> Iterator[tuple[str, str, str]]:
        for shard in self.done():
            header = self.header(shard)
            if header is not None and header.noted != 0:
                table = read_shard(self.shard_path(shard), ["object_id", "outcome", "reason"])
                rows = table.filter(table["reason"].is_valid()).to_pylist()
                yield from ((row["object_id"], row["outcome"], row["reason"]) for row in rows)

    def _repeated(self) -> Iterator[tuple[str, str, str]]:
        return ((str(name), DUPLICATE, REPEATED) for name in self.plan.duplicates)

    def _identity(self, shard: int) -> dict[str, Any]:
        encoder = self.manifest["encoder"]
        return {
            "shard": shard,
            "plan": self.manifest["catalogue"]["plan"],
            "encoder": encoder["name"],
            "preprocessing_hash": encoder["preprocessing_hash"],
            "precision": self.precision,
        }

    def _first_reason(self) -> str:
        name, _, reason = next(self.noted(1))
        return f"{name}: {reason}"


def _identified(encoder_spec: Any) -> Any:
    """Find an encoder's description, with revision and SHA-256 where its weights are on this disk."""
    from glue_zoobot.encoders import EncoderSpec, find, weights

    spec = find(encoder_spec) if isinstance(encoder_spec, str) else encoder_spec
    file = weights.cached(spec) if isinstance(spec, EncoderSpec) else None
    return spec.replace(revision=file.revision, sha256=weights.sha256_of(file.path)) if file else spec


def _make_folder(path: Path) -> None:
    """Make the store's folders; refuse a folder that is somebody else's."""
    ours = {PLAN, SHARDS}
    try:
        if path.is_dir():
            foreign = [p.name for p in path.iterdir() if p.name not in ours and not p.name.startswith(".")]
            if foreign:
                raise StoreError(
                    f"{path} is not an embedding store and is not empty (it holds '{foreign[0]}'). "
                    "Choose a new folder for the store."
                )
        (path / SHARDS).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"The folder {path} cannot be made ({error}). Choose another one.") from error
