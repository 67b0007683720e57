"""How long a training takes, asked beforehand; and what fine-tuning gained, asked afterwards."""

from __future__ import annotations

import json
from collections import Counter
from types import SimpleNamespace

import pytest

from glue_zoobot.errors import EncoderError
from glue_zoobot.training import FinetuneRecipe, finetune, pretrain
from glue_zoobot.training.comparison import compare
from glue_zoobot.training.estimate import Estimate, Stopwatch, some_galaxies, some_labels
from tests.training.test_verbs import TINY, call, events


def test_time_of_reading_and_training_add_up():
    assert Estimate(reading_rate=100.0, rate=50.0).seconds(1000, 3000) == 10 + 60


def test_some_labels_hold_every_class():
    labels = {f"a{n}": "common" for n in range(500)} | {"b": "rare"}
    assert Counter(some_labels(labels, 20).values()) == {"common": 19, "rare": 1}


def test_some_galaxies_are_from_all_over(catalogue):
    few = some_galaxies(catalogue, 5)
    ids = list(catalogue.source.object_ids)
    assert [ids.index(name) for name in few.source.object_ids] == [0, 49, 99, 149, 199]
    assert few.source.read(1).tobytes() == catalogue.source.read(49).tobytes()
    assert list(few.table["object_id"]) == list(few.source.object_ids)


def test_a_training_that_was_not_seen_has_no_rate():
    watch = Stopwatch()
    with pytest.raises(EncoderError, match="will take seconds"):
        watch.rate("training", 0.0)
    watch.progress(SimpleNamespace(stage="training", done=10))
    assert not watch.enough()


def test_time_trains_nothing(sample, tmp_path, monkeypatch):
    monkeypatch.setattr("glue_zoobot.training.estimate.SECONDS", 0.5)
    result = call("pretrain", sample, "-o", tmp_path / "m", *TINY, "--epochs", "50", "--time", "--json")
    told = events(result.output)[-1]
    assert (told["event"], told["images"], told["shown"]) == ("estimate", 200, 200 * 50)
    assert told["seconds"] == pytest.approx(200 / told["reading_rate"] + 10_000 / told["rate"])
    assert not (tmp_path / "m").exists()


def test_frozen_and_tuned_are_measured_on_the_same_galaxies(catalogue, quick, tmp_path):
    start = pretrain(catalogue, quick(epochs=1), tmp_path / "start", "cpu")
    kinds = {str(row["object_id"]): str(row["kind"]) for row in catalogue.table}
    recipe = FinetuneRecipe(init=str(start), epochs=1, batch_size=16)
    finetune(catalogue, kinds, "kind", recipe, tmp_path / "made", "cpu")
    found = compare(catalogue, kinds, "kind", None, str(start), tmp_path / "made", "cpu", 0)
    assert 20 < found["held_out"] < 60
    names = [figure[0] for figure in found["frozen"]]
    assert names == [figure[0] for figure in found["tuned"]]
    frozen, tuned = ({f[0]: f[1] for f in found[key]} for key in ("frozen", "tuned"))
    name, value, low, high = found["gain"]
    assert value == pytest.approx(tuned[name] - frozen[name])
    assert low <= value <= high
    assert json.loads((tmp_path / "made" / "comparison.json").read_text()) == found
    assert (
        compare(catalogue, kinds, "kind", None, "gone", tmp_path / "made", "cpu", 0) == found
    )  # read, not made anew
