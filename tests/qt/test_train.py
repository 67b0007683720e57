"""Training encoders as jobs: asked for, watched, stopped, gone on with, used."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest
from glue_qt.utils import process_events
from qtpy import QtWidgets
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest

from glue_zoobot.catalog.encoders import encoder_folder, trained_encoders, unfinished_trainings
from glue_zoobot.images import SourceSpec
from glue_zoobot.qt import actions
from glue_zoobot.qt.jobs_panel import jobs_panel
from glue_zoobot.qt.teach.panel import teach_panel
from glue_zoobot.qt.train.card import CardDialog
from glue_zoobot.qt.train.columns import class_columns, fraction_columns
from glue_zoobot.qt.train.encoder import TrainEncoderDialog
from glue_zoobot.qt.train.finetune import FinetuneDialog
from glue_zoobot.qt.train.jobs import TrainRequest, as_options, gain_text
from glue_zoobot.qt.train.start import start_training
from glue_zoobot.qt.train.time import Estimator
from tests.qt.conftest import wait_until

STUB = str(Path(__file__).with_name("stub_training.py"))


@pytest.fixture
def behave(monkeypatch):
    """Say what the child process shall do in its second epoch; no estimate is made."""
    what = ["done"]
    monkeypatch.setattr(TrainRequest, "arguments", lambda self, spec: [STUB, str(self.folder), what[0]])
    monkeypatch.setattr(Estimator, "ask", lambda *_, **__: None)

    def change(wish):
        what[0] = wish

    return change


@pytest.fixture
def start(app, plain, behave):
    """Start a training whose child behaves as wished; gives its line in the panel."""

    def start_job(wish, target="ring"):
        behave(wish)
        folder = encoder_folder(plain, "made")
        verb = "finetune" if target else "pretrain"
        request = TrainRequest(verb, folder, ("--epochs", "4"), target)
        job = start_training(app, plain, request, {"1": "yes", "2": "no"} if target else None)
        process_events()
        return next(line for line in jobs_panel(app).lines if line.job is job)

    return start_job


def done_with(line):
    wait_until(lambda: line.job.state in ("done", "failed", "cancelled"))
    return line.job


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def click(button):
    QTest.mouseClick(button, Qt.LeftButton)


def test_curves_grow_and_the_best_epoch_is_marked(start, plain):
    line = start("done")
    seen = set()
    line.job.changed.connect(lambda: seen.add(line.text.text()))
    assert done_with(line).state == "done", line.job.message
    assert "Epoch 2 of 4 · loss 0.500 · 50 images/s · 9 s left" in seen
    assert [row["epoch"] for row in line.job.epochs] == [0, 1, 2, 3, 4]
    assert line.view.loss.best == 3
    assert set(line.view.loss.lines) == {"loss", "held_out_loss"}
    assert "0.60 in epoch 3 (best so far" in line.view.text.text()
    assert "cannot tell the two apart" in line.text.text()
    assert trained_encoders(plain) == [line.job.request.folder]


def test_stopped_gone_on_with_and_used(app, start, behave):
    line = start("wait")
    wait_until(lambda: len(line.job.epochs) == 2 and line.job.done == 15)
    pid = line.job.pid
    click(line.cancel_button)
    assert done_with(line).state == "cancelled"
    assert not alive(pid)
    assert "Resume goes on" in line.text.text()
    behave("done")
    click(line.resume_button)
    assert done_with(line).state == "done"
    assert [row["epoch"] for row in line.job.epochs] == [0, 1, 2, 3, 4]
    assert not line.offers[0].isHidden()
    click(next(button for button in line.offers if button.text() == "Card…"))
    card = app.findChild(CardDialog)
    assert "A galaxy encoder" in card.text.toPlainText()
    card.close()


def test_a_full_gpu_is_explained_and_nothing_is_lost(start, behave):
    line = start("memory")
    assert done_with(line).state == "failed"
    assert "The memory of cuda:0 is full" in line.text.text()
    assert "smaller batch" in line.text.text()
    assert "--" not in line.text.text()
    behave("done")
    click(line.resume_button)
    assert done_with(line).state == "done"


def test_a_killed_training_can_be_resumed(start):
    line = start("die")
    assert done_with(line).state == "failed"
    assert "memory ran out" in line.text.text()
    assert not line.resume_button.isHidden()


def test_closing_glue_stops_it_and_a_later_window_goes_on(app, plain, start, behave):
    line = start("wait", target="")
    wait_until(lambda: line.job.done == 15)
    pid, folder = line.job.pid, line.job.request.folder
    app.close()
    process_events()
    assert not alive(pid)
    [(found, record)] = unfinished_trainings(plain).items()
    assert found == folder
    again = TrainRequest.recall(found, record)
    assert (again.verb, again.options) == ("pretrain", ("--epochs", "4"))


def test_a_stopped_training_is_offered(app, plain, start, behave):
    line = start("wait", target="")
    wait_until(lambda: line.job.done == 15)
    click(line.cancel_button)
    done_with(line)
    behave("done")
    dialog = TrainEncoderDialog(app, plain)
    dialog.show()
    assert "go on with made" in dialog.unfinished.text()
    dialog.unfinished.linkActivated.emit(str(line.job.request.folder))
    wait_until(lambda: trained_encoders(plain) == [line.job.request.folder])
    assert unfinished_trainings(plain) == {}


def test_labels_are_kept_beside_the_encoder(start):
    line = start("done")
    with (line.job.request.folder / "labels.csv").open(encoding="utf-8") as stream:
        assert list(csv.reader(stream)) == [["object_id", "ring"], ["1", "yes"], ["2", "no"]]
    done_with(line)


def test_the_same_encoder_is_not_trained_twice_at_once(app, plain, start):
    line = start("wait")
    assert start_training(app, plain, line.job.request) is line.job
    line.job.stop_now()


def test_a_folder_that_cannot_be_written_is_said(app, plain, behave, tmp_path):
    (tmp_path / "file").write_text("")
    dialog = TrainEncoderDialog(app, plain)
    wait_until(lambda: dialog.begin_from.count() > 0)
    dialog.folder.setText(str(tmp_path / "file" / "x"))
    click(dialog.start_button)
    assert "choose another place" in dialog.estimate.text()
    dialog.close()


def test_names_of_new_encoders_do_not_collide(plain):
    first = encoder_folder(plain, "a b/c")
    assert first.parent.name == "survey.csv.encoders"
    assert first.name == "a_b_c"
    first.mkdir(parents=True)
    assert encoder_folder(plain, "a b/c").name == "a_b_c-2"


def test_choices_become_a_command_without_a_shell(tmp_path):
    options = as_options(
        {"n_blocks": -1, "grouped": True, "other": False, "init": None, "without": ["dust", "blur"]}
    )
    assert options == ("--n-blocks", "-1", "--grouped", "--without", "dust", "--without", "blur")
    request = TrainRequest.of_labels(tmp_path / "a; rm b", "ring", "classes", "mini", {"epochs": 3})
    words = request.arguments(SourceSpec("g.csv", id_column="id"))
    assert words[:6] == ["-m", "glue_zoobot", "finetune", "g.csv", "-o", str(tmp_path / "a; rm b")]
    assert words[words.index("--labels") + 1] == str(tmp_path / "a; rm b" / "labels.csv")
    assert words[words.index("--id-column") + 1] == "id"


@pytest.mark.parametrize(
    ("gain", "text"),
    [((0.1, 0.02, 0.2), "better than before"), ((-0.1, -0.2, -0.02), "keep the encoder you had"),
     ((0.1, -0.02, 0.2), "cannot tell"), ((None, None, None), "too few"), ((0, 0, 0), "Nothing was gained")],
)  # fmt: skip
def test_a_gain_is_called_one_only_if_it_is(gain, text):
    assert text in gain_text({"held_out": 40, "gain": ["R²", *gain]})


class TestDialogs:
    """What is asked before."""

    def test_train_encoder(self, app, plain, behave):
        assert class_columns(plain) == ["kind"]
        assert "redshift" in fraction_columns(plain)
        actions.train_encoder(plain, app.data_collection)
        dialog = app.findChild(TrainEncoderDialog)
        wait_until(lambda: dialog.begin_from.count() > 1)
        dialog.augmentations["dust"].setChecked(False)
        dialog.supervise.item(0).setCheckState(Qt.Checked)
        words = dialog.request().options
        assert words[words.index("--architecture") + 1] == "regnety_002"
        assert words[words.index("--without") + 1] == "dust"
        assert words[words.index("--supervise") + 1] == "kind"
        assert words[words.index("--probe") + 1] == "kind"
        dialog.begin_from.setCurrentIndex(dialog.begin_from.findData("mini"))
        assert "--init" in dialog.request().options
        assert "--architecture" not in dialog.request().options
        click(dialog.start_button)
        wait_until(lambda: len(trained_encoders(plain)) == 1)

    def test_without_images_the_menu_says_what_to_do(self, app):
        from glue.core import Data

        data = Data(x=[1.0, 2.0], label="bare")
        app.data_collection.append(data)
        actions.train_encoder(data, app.data_collection)
        [box] = app.findChildren(QtWidgets.QMessageBox)
        assert "Attach images" in box.text()
        box.close()

    def test_finetune(self, app, data, behave):
        panel = teach_panel(app)
        panel.show_panel()
        state = panel.state
        panel.start(data, "ring")
        wait_until(lambda: state.target == "ring" and not panel.work.running)
        assert not panel.train_row.tune.isEnabled()
        state.label(range(0, 20), "no")
        wait_until(lambda: "label some galaxies as something else" in panel.train_row.tune.toolTip())
        assert not panel.train_row.tune.isEnabled()
        state.label(range(40, 60), "yes")
        wait_until(panel.train_row.tune.isEnabled)
        click(panel.train_row.tune)
        dialog = app.findChild(FinetuneDialog)
        assert "20 no, 20 yes" in dialog.heading.text()
        assert "seldom beats" in dialog.warning.text()
        wait_until(lambda: dialog.begin_from.count() > 0)
        dialog.epochs.setValue(4)
        words = dialog.request().options
        assert words[words.index("--target") + 1] == "ring"
        assert words[words.index("--n-blocks") + 1] == "-1"
        click(dialog.start_button)
        job = jobs_panel(app).lines[0].job
        wait_until(lambda: job.state == "done")
        click(jobs_panel(app).lines[0].offers[0])
        wait_until(lambda: panel.result.tuned.which.count() == 1)
        assert panel.tabs.currentWidget() is panel.result
        assert "as it was" in panel.result.tuned.table.text()
        assert "40 galaxies held out" in panel.result.tuned.gain.text()
