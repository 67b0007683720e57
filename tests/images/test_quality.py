"""Artefact flags: what is wrong is flagged, and ordinary galaxies are not."""

import csv

import numpy as np
import pytest
from PIL import Image

from glue_zoobot.images.quality import FLAGS, STATISTICS, flags_of, quality_table, statistics_of
from glue_zoobot.images.simulated import SimulatedGalaxies


@pytest.fixture(scope="module")
def galaxy():
    """Return a round galaxy on a noisy sky."""
    y, x = np.mgrid[:200, :200] - 100
    light = 200 * np.exp(-np.hypot(x, y) / 15)
    noise = np.random.default_rng(0).normal(8, 3, (200, 200, 3))
    return np.clip(light[..., None] + noise, 0, 255).astype(np.uint8)


def flags(image):
    return {name for name, raised in flags_of(statistics_of(image)).items() if raised}


def test_a_plain_galaxy_has_no_flag(galaxy):
    assert flags(galaxy) == set()


def test_trail(galaxy):
    image = galaxy.copy()
    for row in range(200):
        column = int(30 + 0.6 * row)
        image[row, column : column + 4] = (90, 20, 20)
    assert "trail" in flags(image)


def test_halo_of_a_bright_star(galaxy):
    y, x = np.mgrid[:200, :200]
    star = 255 * np.exp(-np.hypot(x - 190, y - 20) / 40)
    image = np.clip(galaxy + star[..., None], 0, 255).astype(np.uint8)
    assert "halo" in flags(image)
    assert statistics_of(image)["outer_light"] > statistics_of(galaxy)["outer_light"]


def test_tinted_sky(galaxy):
    assert "tinted_sky" in flags(np.clip(galaxy + np.array([60, 0, 0]), 0, 255).astype(np.uint8))


def test_missing_band(galaxy):
    image = galaxy.copy()
    image[..., 1] = 0
    assert "missing_band" in flags(image)


def test_truncated_stamp(galaxy):
    image = galaxy.copy()
    image[150:] = 0
    assert "truncated" in flags(image)
    measured = statistics_of(image)
    assert measured["flat_border"] == pytest.approx(0.25)
    assert measured["missing_fraction"] >= 0.25


def test_saturation_is_measured(galaxy):
    image = galaxy.copy()
    image[:20, :20] = 255
    assert statistics_of(image)["saturated_fraction"] == pytest.approx(0.01, abs=0.001)


@pytest.mark.parametrize("value", [0, 128, 255])
@pytest.mark.parametrize("size", [(3, 3), (40, 70)])
def test_a_constant_picture_has_no_contrast_and_no_error(value, size):
    measured = statistics_of(np.full((*size, 3), value, dtype=np.uint8))
    assert np.isnan(measured["line_contrast"])
    assert flags_of(measured)["truncated"]


def test_table_has_one_row_per_readable_picture():
    table = quality_table(SimulatedGalaxies(n=12, random_state=0), rows=[3, 5])
    assert table.colnames == ["object_id", *STATISTICS, *FLAGS]
    assert len(table) == 2


def test_artefacts_of_galaxy_zoo_stand_out(galaxy_data):
    from sklearn.metrics import roc_auc_score

    measured, artefact = [], []
    for folder in ("sdss_gz2_artifacts", "sdss_kaggle_gz"):
        with (galaxy_data / folder / "labels.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        for row in rows[:: len(rows) // 60][:60]:
            image = np.array(Image.open(galaxy_data / folder / row["file"]).convert("RGB"))
            measured.append(statistics_of(image))
            artefact.append(folder == "sdss_gz2_artifacts")
    assert roc_auc_score(artefact, [figures["outer_light"] for figures in measured]) > 0.8
    flagged = np.array([any(flags_of(figures).values()) for figures in measured])
    artefact = np.array(artefact)
    assert flagged[~artefact].mean() < 0.1 < flagged[artefact].mean()
