"""
Session files that were changed.

A session is a program by glue's own doing, as `SECURITY.md` says and the last test shows. What it says of us
adds nothing to that: it is plain values, and whatever is put in their place runs no code.
"""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest

from glue_zoobot.catalog.same_galaxies import why_others

from .limits import read_bounded
from .test_checkpoints import Touch

SUBCLASSES = "().__class__.__bases__[0].__subclasses__() > 0"


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a session with catalogue, store, answer and gallery, some of what it says of us replaced."""
    monkeypatch.setenv("GLUE_TESTING", "True")
    monkeypatch.chdir(tmp_path)
    from glue_qt.app import GlueApplication
    from glue_qt.utils import get_qapp

    import glue_zoobot.qt
    from glue_zoobot.catalog import attach_embeddings, load, similar_galaxies
    from glue_zoobot.qt.gallery.viewer import GalleryViewer
    from tests.catalog.conftest import ids_of_survey, vectors, write_store, write_survey

    get_qapp()
    glue_zoobot.qt.setup()
    survey = write_survey(tmp_path)
    write_store(tmp_path / "store", ids_of_survey(), vectors())
    app = GlueApplication()
    data = load(survey)
    app.data_collection.append(data)
    attach_embeddings(data, tmp_path / "store")
    similar_galaxies(app.data_collection).find(data, [5])
    viewer = app.new_data_viewer(GalleryViewer, data)
    good = dict(data.meta["glue_zoobot"])

    def write(name, filter_text="", label="survey", **entries):
        data.meta["glue_zoobot"] = good | entries
        viewer.state.filter_text, data.label = filter_text, label
        app.save_session(tmp_path / name)
        return tmp_path / name

    yield write
    app.close()


def test_hostile_values_in_what_is_ours_run_no_code(write, tmp_path):
    canary = tmp_path / "canary"
    code = f"__import__('pathlib').Path({str(canary)!r}).touch()"
    evil = pickle.dumps(Touch(canary)).decode("latin-1")
    made = {"method": code, "uuid": evil, "metric": code, "like": [evil, 10**400], "components": 10**30}
    rich = f"<b>x</b><img src='file://{canary}'><a href='file:///{code}'>y</a>"
    sessions = {
        "good": {},
        "code": {"id_column": code, "filter_text": code, "teaching": {"target": code}, "notes": [code, rich]},
        "pickle": {"store": evil, "columns": {"similarity": evil, evil: made}},
        "columns": {"columns": {"similarity": made, "similarity_rank": {**made, "uuid": [1]}}},
        "away": {"store": "../../../../../../etc", "source": {"path": "../../../../../../etc/passwd"}},
        "devices": {"store": "/dev/zero", "source": {"path": "/dev/zero"}, "filter_text": SUBCLASSES},
        "fields": {"source": {"path": "survey.csv", "preset": code}, "ratings": "/dev/zero"},
        "numbers": {
            "source": {"path": "survey.csv", "mosaic": "/dev/zero", "size": evil, "size_factor": 10**400}
        },
        "rich": {"label": rich, "source": {"path": rich}, "store": rich, "ratings": rich},
        "long": {"source": {"path": "x" * 100_000}, "store": "../" * 50_000, "filter_text": "(" * 50_000},
    }
    sessions["columns"] |= {"encoders": [10**400, [[]]]}
    paths = [write(f"{name}.glu", **entries) for name, entries in sessions.items()]
    said = dict(zip(sessions, read_bounded("sessions", paths, megabytes=3000), strict=True))
    assert not canary.exists()
    assert {outcome for outcome, _ in said.values()} == {"read"}  # each with what is left of it
    expected = {
        "code": ["is not a condition"],
        "away": ["/etc holds no embedding"],
        "devices": ["/dev/zero holds no", "is neither a column"],
        "fields": ["/dev/zero is no file"],
        "rich": ["are not to be had"],
        "long": ["are not to be had"],
    }
    missing = {
        name: [word for word in words if word not in said[name][1]] for name, words in expected.items()
    }
    assert missing == {name: [] for name in expected}


@pytest.mark.parametrize("name", ["glue_zoobot.cli.embeddings.Path.touch", "os.remove", ""])
def test_a_moved_catalogue_is_read_by_no_function_but_ours(tmp_path, name):
    there = tmp_path / "there.csv"
    there.write_text("object_id\na\n")
    session = {"log": {"_type": "glue.core.data_factories.helpers.LoadLog", "factory": {"function": name}}}
    assert "no reader" in why_others(session, "log", there)
    assert there.read_text() == "object_id\na\n"


def test_what_glue_itself_runs_is_what_we_say(tmp_path):
    """The claim of `SECURITY.md`: a derived column of a session is evaluated, with or without us."""
    from glue.core import Data, DataCollection
    from glue.core.parse import ParsedCommand, ParsedComponentLink
    from glue.core.state import GlueSerializer, GlueUnSerializer

    canary = tmp_path / "canary"
    data = Data(x=np.arange(3.0), label="d")
    command = ParsedCommand("{x} + 1234", {"x": data.id["x"]})
    data.add_component_link(ParsedComponentLink(data.id["x"], command), "y")
    text = GlueSerializer(DataCollection([data]), include_data=True).dumps()
    assert "1234" in text
    text = text.replace("1234", f"(__import__('os').mkdir({str(canary)!r}) or 0)")
    again = GlueUnSerializer.loads(text).object("__main__")[0]
    _ = again["y"]
    assert os.path.isdir(canary)
