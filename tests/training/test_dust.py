"""Dust as published: coefficients, factors, distributions, columns of catalogues."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from astropy.table import Table

from glue_zoobot.training import dust
from glue_zoobot.training.augment import redden
from glue_zoobot.training.loop import generator


@pytest.mark.parametrize(
    ("survey", "bands", "published"),
    [
        ("sdss", "ugriz", [4.239, 3.303, 2.285, 1.698, 1.263]),
        ("legacy", "grz", [3.214, 2.165, 1.211]),
    ],
)
def test_flux_loses_the_published_magnitudes(survey, bands, published):
    ebv = 0.3
    passed = dust.transmission(torch.tensor([ebv]), dust.coefficients(survey, bands))[0]
    magnitudes = -2.5 * np.log10(passed.numpy())
    np.testing.assert_allclose(magnitudes, np.array(published) * ebv, rtol=1e-5)


def test_legacy_coefficients_are_the_exponents_of_stein():
    exponents = -dust.coefficients("legacy", "grz") / 2.5
    np.testing.assert_allclose(exponents, [-1.286, -0.866, -0.484], atol=5e-4)


def test_dereddening_undoes_reddening():
    flux = torch.rand(4, 3, 5, 5) + 0.1
    coefficients = dust.coefficients("sdss", "irg")
    ebv = torch.tensor([0.0, 0.1, 0.3, 0.5])
    seen = redden(flux, ebv, None, coefficients)
    torch.testing.assert_close(redden(seen, torch.zeros(4), ebv, coefficients), flux)
    factor = 10 ** (-torch.tensor([1.698, 2.285, 3.303]) * 0.5 / 2.5)
    torch.testing.assert_close(seen[3], flux[3] * factor[:, None, None])


def test_unknown_dust_is_left_in_place():
    flux, coefficients = torch.ones(1, 3, 2, 2), dust.coefficients("legacy", "zrg")
    unknown, fresh = torch.tensor([torch.nan]), torch.tensor([0.2])
    assert torch.equal(redden(flux, fresh, unknown, coefficients), redden(flux, fresh, None, coefficients))


def test_uniform_dust_is_that_of_hayat():
    drawn = dust.random_ebv(20_000, "uniform", generator("cpu", 0))
    assert 0 <= drawn.min() < 0.001
    assert 0.499 < drawn.max() <= 0.5


def test_lognormal_dust_is_that_of_stein():
    from scipy.stats import lognorm

    published = lognorm(s=0.673, loc=0.0011, scale=0.0334)
    drawn = dust.random_ebv(20_000, "lognormal", generator("cpu", 0)).numpy()
    for share in (0.1, 0.5, 0.9):
        assert np.quantile(drawn, share) == pytest.approx(published.ppf(share), rel=0.03)


@pytest.mark.parametrize("name", ["ebv", "EBV", "E(B-V)", "e_bv", "ebv_sfd", "sfd_ebv"])
def test_catalogue_dust_by_its_names(name):
    table = Table({"object_id": ["a", "b", "c"], name: [0.02, -99.0, np.nan]})
    found = dust.catalogue_ebv(table)
    assert found[0] == 0.02
    assert np.isnan(found[1:]).all()


def test_sdss_extinctions_are_divided_by_those_of_sfd():
    per_ebv = {"u": 5.155, "g": 3.793, "r": 2.751, "i": 2.086, "z": 1.479}
    table = Table({f"extinction_{band}": [0.04 * factor] for band, factor in per_ebv.items()})
    assert dust.catalogue_ebv(table) == pytest.approx([0.04])
    assert dust.catalogue_ebv(Table({"ra": [1.0]})) is None
