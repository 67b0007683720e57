"""A store as a HATS catalogue: LSDB opens it, and joins it by position with the right galaxies."""

from __future__ import annotations

import numpy as np
import pyarrow.parquet as pq
import pytest

from glue_zoobot.embedding.hats import divide, export_hats
from glue_zoobot.errors import StoreError
from tests.embedding.stubs import StubSource, ids

pandas = pytest.importorskip("pandas")
dask = pytest.importorskip("dask", reason="needs the extra [hats]")
lsdb = pytest.importorskip("lsdb", reason="needs the extra [hats]")


@pytest.fixture
def sky():
    """Two hundred galaxies, some across 0 h and at a pole, one without a position."""
    rng = np.random.default_rng(0)
    ra, dec = rng.uniform(-3, 3, 200) % 360, rng.uniform(-3, 3, 200)
    ra[:20], dec[:20] = rng.uniform(0, 360, 20), rng.uniform(89, 90, 20)
    ra[30] = np.nan
    return ra, dec


def opened(path):
    return pq.read_table(path / "dataset").to_pandas().set_index("object_id")


@pytest.fixture(autouse=True)
def one_thread():
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.mark.filterwarnings("ignore")
def test_lsdb_opens_and_joins_it(make_store, sky, tmp_path):
    store, _, source, _ = make_store(200, broken=["galaxy-0050"])
    ra, dec = sky
    assert export_hats(store, tmp_path / "sky", source, ra, dec, 100, memory=4 * 6 * 60) == (198, 1)
    names, matrix = store.load()
    catalogue = lsdb.open_catalog(tmp_path / "sky")
    found = catalogue.compute().set_index("object_id")
    assert set(found.index) == set(names) - {"galaxy-0030"}
    for name in ("galaxy-0000", "galaxy-0199", "galaxy-0100"):
        row = int(name[-4:])
        np.testing.assert_array_equal(found.loc[name, "embedding"], matrix[list(names).index(name)])
        assert (found.loc[name, "ra"], found.loc[name, "dec"]) == (ra[row], dec[row])
    others = lsdb.from_dataframe(
        pandas.DataFrame({"other": np.arange(100, 150), "ra": ra[100:150], "dec": dec[100:150]})
    )
    joined = catalogue.crossmatch(others, radius_arcsec=0.1).compute()
    assert len(joined) == 50
    numbers = joined[next(c for c in joined.columns if c.startswith("other"))]
    named = joined[next(c for c in joined.columns if c.startswith("object_id"))]
    assert [f"galaxy-{number:04d}" for number in numbers] == list(named)


def test_a_catalogue_in_another_order_gives_the_same(make_store, sky, tmp_path):
    store, *_ = make_store(200)
    ra, dec = sky
    export_hats(store, tmp_path / "one", StubSource(ids(200)), ra, dec)
    export_hats(store, tmp_path / "other", StubSource(ids(200)[::-1]), ra[::-1], dec[::-1])
    one, other = opened(tmp_path / "one").sort_index(), opened(tmp_path / "other").sort_index()
    assert list(one.index) == list(other.index)
    assert list(one["ra"]) == list(other["ra"])
    np.testing.assert_array_equal(np.stack(one["embedding"]), np.stack(other["embedding"]))


def test_what_is_there_is_not_overwritten(make_store, tmp_path):
    store, _, source, _ = make_store(20)
    (tmp_path / "sky").mkdir()
    with pytest.raises(StoreError, match="exists already"):
        export_hats(store, tmp_path / "sky", source, np.zeros(20), np.zeros(20))
    with pytest.raises(StoreError, match="nothing to write"):
        export_hats(store, tmp_path / "new", source, np.full(20, np.nan), np.zeros(20))
    assert [path.name for path in tmp_path.iterdir() if "sky" not in path.name] == ["store"]


def test_pixels_hold_no_more_than_asked_and_every_galaxy_once():
    index = np.sort(np.random.default_rng(0).integers(0, 12 << 58, 5000))
    tiles = list(divide(index, 100))
    assert [tile.start for tile in tiles[1:]] == [tile.stop for tile in tiles[:-1]]
    assert (tiles[0].start, tiles[-1].stop) == (0, 5000)
    assert max(tile.stop - tile.start for tile in tiles) <= 100
    assert all((index[t.start : t.stop] >> (58 - 2 * t.order) == t.pixel).all() for t in tiles)
