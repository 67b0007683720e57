"""Objectives against their equations, labels with gaps, the probe."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from astropy.table import Table
from torch.nn import functional

from glue_zoobot.encoders.mini import held_out
from glue_zoobot.errors import CatalogueError
from glue_zoobot.training.answers import read_answers
from glue_zoobot.training.loop import cosine, rows_of_step
from glue_zoobot.training.objectives import agreement, simclr, vicreg
from glue_zoobot.training.probe import precision_at

PROJECTED = torch.randn(8, 5, generator=torch.Generator().manual_seed(0))


def test_simclr_is_equation_1_of_chen():
    unit, losses = functional.normalize(PROJECTED), []
    for i in range(8):
        partner = (i + 4) % 8
        terms = {k: math.exp(float(unit[i] @ unit[k]) / 0.2) for k in range(8) if k != i}
        losses.append(-math.log(terms[partner] / sum(terms.values())))
    assert simclr(PROJECTED).item() == pytest.approx(np.mean(losses), rel=1e-5)


def test_vicreg_is_the_sum_of_its_three_terms():
    one, two = PROJECTED.numpy().astype(float).reshape(2, 4, 5)
    expected = 25 * np.mean((one - two) ** 2)
    for z in (one, two):
        covariance = np.cov(z, rowvar=False)
        off_diagonal = (covariance**2).sum() - (np.diag(covariance) ** 2).sum()
        expected += 25 * np.maximum(0, 1 - np.sqrt(z.var(0, ddof=1) + 1e-4)).mean() + off_diagonal / 5
    assert vicreg(PROJECTED).item() == pytest.approx(expected, rel=1e-4)


def test_equal_views_agree():
    assert agreement(PROJECTED[:4].repeat(2, 1)).item() == pytest.approx(0, abs=1e-6)
    assert agreement(PROJECTED).item() > 0.1


def table_of_answers(n=60):
    ids = [f"g{i}" for i in range(n)]
    kinds = ["spiral" if i % 2 else "ring" for i in range(n)]
    kinds[3] = ""
    votes = np.linspace(0, 1, n)
    votes[4] = np.nan
    return Table({"object_id": ids, "kind": kinds, "a01_debiased": votes, "a02_debiased": 1 - votes})


def test_missing_answers_cost_nothing_and_a_fifth_is_held_out():
    table = table_of_answers()
    answers = read_answers(table, ["kind", "*_debiased"])
    names, codes = answers.classes["kind"]
    hidden = np.array([held_out(i) for i in table["object_id"]])
    assert names == ["ring", "spiral"]
    assert codes[3] == -1
    assert (codes.numpy()[hidden] == -1).all()
    assert answers.questions == ("a01_debiased", "a02_debiased")
    assert torch.isnan(answers.fractions[torch.from_numpy(hidden)]).all()
    heads = answers.heads(7)
    features = torch.randn(60, 7)
    said = {name: head(features) for name, head in heads.items()}
    nothing_known = torch.tensor(np.flatnonzero(hidden))
    some = {name: value[nothing_known] for name, value in said.items()}
    assert answers.loss(some, nothing_known).item() == 0
    assert answers.loss(said, torch.arange(60)).item() > 0


def test_a_column_that_is_neither_classes_nor_fractions():
    table = table_of_answers()
    table["redshift"] = np.linspace(0, 3, 60)
    with pytest.raises(CatalogueError, match="60 different values"):
        read_answers(table, ["redshift"])


def test_probe_of_perfect_and_of_random_embeddings():
    codes = np.repeat([0, 1], [30, 90])
    perfect = np.eye(2)[codes].astype("float32") + 0.01
    asked = np.ones(120, dtype=bool)
    found = precision_at(perfect, codes, asked)
    assert found["precision_at_10"] == 1
    assert found["chance"] == pytest.approx((29 / 119 + 89 / 119) / 2)
    assert precision_at(perfect[:5], codes[:5], asked[:5]) == {}


def test_schedule_rises_and_falls():
    rates = [cosine(step, 100, 1.0, 0.1) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == pytest.approx(1.0)
    assert rates[9] == max(rates)
    assert rates[-1] < 0.001


def test_an_epoch_shows_every_row_once_and_processes_share_it():
    from glue_zoobot.training.distributed import World

    rows = np.arange(100, 124)
    alone = [rows_of_step(rows, step, 6, 0, World(0, 1, "cpu")) for step in range(8)]
    assert sorted(np.concatenate(alone[:4])) == list(rows)
    assert list(np.concatenate(alone[:4])) != list(np.concatenate(alone[4:]))
    shared = [rows_of_step(rows, 0, 6, 0, World(rank, 2, "cpu")) for rank in (0, 1)]
    assert set(np.concatenate(shared)) == set(alone[0])
