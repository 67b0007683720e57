"""Teaching classes and quantities in a session: labels on disk, columns, groups, and what survives."""

import numpy as np
from glue.core import DataCollection

from glue_zoobot.catalog import write_columns


class TestTextColumns:
    """Predicted classes as columns of words."""

    def test_new_words_keep_the_codes_of_the_old_ones(self, embedded):
        DataCollection([embedded])
        words = np.where(np.arange(60) < 30, "ring", "spiral")
        first = write_columns(embedded, {"kind_said": words})["kind_said"]
        again = write_columns(embedded, {"kind_said": np.where(np.arange(60) < 10, "merger", "spiral")})
        assert again["kind_said"] is first
        component = embedded.get_component(first)
        assert list(component.categories) == ["ring", "spiral", "merger"]
        assert component.labels[[0, 59]].tolist() == ["merger", "spiral"]
        assert embedded[first].codes[[0, 59]].tolist() == [2, 1]

    def test_numbers_after_words_are_another_column(self, embedded):
        first = write_columns(embedded, {"said": np.full(60, "ring")})["said"]
        second = write_columns(embedded, {"said": np.arange(60)})["said"]
        assert second is not first
        assert second.label == "said_2"
        assert write_columns(embedded, {"said": np.ones(60)})["said"] is second
