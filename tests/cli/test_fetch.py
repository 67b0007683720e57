"""Pictures from a service through the verb."""

from __future__ import annotations

import signal

import pytest

from ..images.test_fetching import ask, service  # noqa: F401  a fixture


@pytest.fixture(autouse=True)
def _signals():
    """The verb takes the signals; they are given back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_nothing_is_sent_unasked_and_then_all(tmp_path, service, call, failure):  # noqa: F811
    ask(tmp_path, service)
    words = [
        "fetch",
        tmp_path / "galaxies.ecsv",
        "--cutouts",
        service.url,
        "--size",
        "30",
        "-o",
        tmp_path / "out",
    ]
    words += ["--rate", "10"]
    assert "--yes" in failure(*words)
    assert not service.asked
    done = call(*words, "--yes")
    assert done.exit_code == 0, done.output
    assert "4 positions (columns 'ra' and 'dec') will be sent to 127.0.0.1" in done.output
    assert "4 pictures in" in done.output
    again = call(*words)  # nothing to send, nothing to ask
    assert again.exit_code == 0
    assert "4 of them are done already" in again.output
    assert sum(service.asked.values()) == 4
    assert call("check", tmp_path / "out").exit_code == 0
    service.troubles = dict.fromkeys(range(360), ("none", 99))
    words[words.index(tmp_path / "out")] = tmp_path / "nothing"
    assert "not one picture came" in failure(*words, "--yes")
    assert "no cutout service" in failure(
        "fetch", tmp_path / "galaxies.ecsv", "--cutouts", "x", "--size", "30", "-o", "x"
    )
