"""A real window on a display of its own, driven by a real mouse and real keys."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.catalog.conftest import ids_of_survey, vectors, write_store, write_survey

NEEDED = ("Xvfb", "xdotool")
missing = [name for name in NEEDED if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")

PATIENCE = 60  # seconds for something to be seen
STEP = 0.05


class Hand:
    """
    Mouse and keyboard of the display, and questions to the window.

    Parameters
    ----------
    display : str
    process : subprocess.Popen
        The window, as in `real_window_child`.
    """

    def __init__(self, display: str, process: subprocess.Popen) -> None:
        self._environment = {**os.environ, "DISPLAY": display}
        self._process = process

    def ask(self, question: str):
        self._process.stdin.write(question + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        assert not (isinstance(answer, dict) and "error" in answer), answer
        return answer

    def shown(self):
        return self.ask("shown")

    def wait_for(self, condition):
        """Wait until the window shows something, and return all that it shows."""
        end = time.monotonic() + PATIENCE
        while not condition(seen := self.shown()):
            assert time.monotonic() < end, f"it was not seen; the window shows {seen}"
            time.sleep(STEP)
        return seen

    def do(self, *words: object):
        subprocess.run(["xdotool", *map(str, words)], env=self._environment, check=True, timeout=PATIENCE)
        time.sleep(STEP)

    def move(self, place: str):
        self.do("mousemove", *self.ask(f"place {place}"))

    def click(self, place: str, button: int = 1):
        self.move(place)
        self.do("click", button)

    def drag(self, *places: str):
        self.move(places[0])
        self.do("mousedown", 1)
        for place in places[1:]:
            self.move(place)
        self.do("mouseup", 1)

    def press(self, key: str):
        self.do("key", key)


@pytest.fixture(scope="module")
def display():
    """Name of a display that nobody else uses."""
    readable, writable = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writable), "-screen", "0", "1600x900x24", "-nolisten", "tcp"],
        pass_fds=[writable],
        stderr=subprocess.DEVNULL,
    )
    os.close(writable)
    with os.fdopen(readable) as told:
        number = told.readline().strip()
    if not number:
        pytest.skip("Xvfb did not start here")
    yield f":{number}"
    server.terminate()
    server.wait(10)


@pytest.fixture(scope="module")
def hand(display, tmp_path_factory):
    """The window of a survey of 60 galaxies on a circle, whose neighbours look alike."""
    folder = tmp_path_factory.mktemp("real")
    survey = write_survey(folder / "project")
    store = folder / "store"
    write_store(store, ids_of_survey(), vectors())
    environment = {**os.environ, "DISPLAY": display, "QT_QPA_PLATFORM": "xcb", "HOME": str(folder)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.qt.real_window_child", str(survey), str(store)],
        env=environment,
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(folder / "errors").open("w"),
        text=True,
    )
    if json.loads(process.stdout.readline() or "null") != "ready":
        process.wait(10)
        pytest.skip(f"Qt opens no window under Xvfb here: {(folder / 'errors').read_text()[-300:]}")
    yield Hand(display, process)
    process.stdin.close()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()


def test_click_a_point_and_the_gallery_shows_its_look_alikes(hand):
    hand.click("axes 0.5 0.5")  # the keyboard goes to the map
    hand.press("n")
    hand.wait_for(lambda seen: seen["tool"] == "zoobot:similar")
    hand.click("point 20")
    seen = hand.wait_for(lambda seen: seen["like"] == [20])
    assert seen["groups"]["Similar galaxies"] == min(seen["count"], 59)
    hand.click("tool zoobot:gallery_most_similar_first")
    hand.wait_for(lambda seen: seen["gallery"][0] == 20 and set(seen["gallery"][1:3]) == {19, 21})


def test_drag_the_slider_and_the_answer_follows(hand):
    before = hand.shown()["count"]
    hand.drag("handle", "slider 0.6", "slider 0.4")
    seen = hand.wait_for(lambda seen: seen["count"] < min(before, 59))
    assert seen["groups"]["Similar galaxies"] == seen["count"]


def test_lasso_then_similar_then_keep(hand):
    hand.click("axes 0.5 0.5")  # glue's tools work in the view of the last click
    hand.click("tool select:polygon")
    hand.wait_for(lambda seen: seen["tool"] == "select:polygon")
    corners = ("0.35 0.6", "0.65 0.6", "0.65 0.999", "0.35 0.999", "0.35 0.6")
    hand.drag(*(f"axes {corner}" for corner in corners))
    hand.press("Return")
    seen = hand.wait_for(lambda seen: len(seen["groups"]) == 2)
    [drawn] = seen["groups"].keys() - {"Similar galaxies"}
    hand.click(f"listed {drawn}", button=3)
    hand.click("entry Find similar")
    seen = hand.wait_for(lambda seen: len(seen["like"]) > 3)
    assert all(5 < row < 25 for row in seen["like"])  # the top of the circle
    groups = len(seen["groups"])
    hand.click("button keep")
    seen = hand.wait_for(lambda seen: len(seen["groups"]) == groups + 1)
    assert seen["groups"][drawn] == len(seen["like"])  # the user's own stays as it is


def test_number_keys_rate_what_is_seen(hand):
    hand.ask("rate")
    first = hand.wait_for(lambda seen: seen["seen"])["current"]
    hand.click("picture ")
    hand.press("4")
    seen = hand.wait_for(lambda seen: seen["current"] != first and seen["seen"])
    assert seen["ratings"] == {str(first): 4}
    hand.press("BackSpace")
    hand.wait_for(lambda seen: seen["ratings"] == {})
