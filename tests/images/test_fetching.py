"""Cutouts from a service: a server in this process that fails, stalls, cuts short and lies."""

from __future__ import annotations

import io
import json
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table
from PIL import Image

from glue_zoobot.errors import CatalogueError
from glue_zoobot.images import SourceSpec, open_catalogue, survey
from glue_zoobot.images.fetched import Folder
from glue_zoobot.images.fetching import count_there, fetch, request
from glue_zoobot.images.services import Client, address, host_of, template_of

from .conftest import flux, picture


def jpeg(number: int = 0) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture(number)).save(file, "JPEG")
    return file.getvalue()


class Service(BaseHTTPRequestHandler):
    """Answers by the right ascension of the galaxy: what goes wrong, and how often before it goes right."""

    def do_GET(self):
        server = self.server
        server.asked[self.path] += 1
        query = parse_qs(urlsplit(self.path).query)
        trouble, times = server.troubles.get(round(float(query["ra"][0])), ("", 0))
        if server.asked[self.path] > times:
            trouble = ""
        getattr(self, f"do_{trouble or 'right'}")()

    def answer(self, data, status=200, kind="image/jpeg", length=None, **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data) if length is None else length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def do_right(self):
        self.answer(jpeg(round(float(parse_qs(urlsplit(self.path).query)["ra"][0]))))

    def do_error(self):
        self.answer(b"oh", 500)

    def do_busy(self):
        self.answer(b"", 429, Retry_After="7")

    def do_tomorrow(self):
        self.answer(b"", 503, Retry_After="86400")

    def do_stall(self):
        time.sleep(3)

    def do_drip(self):
        self.send_response(200)
        for _ in range(30):
            self.wfile.write(b" ")
            time.sleep(0.1)

    def do_cut(self):
        self.answer(jpeg()[:500], length=len(jpeg()))
        self.close_connection = True

    def do_page(self):
        self.answer(b"<!DOCTYPE html><html>try later</html>", kind="image/jpeg")

    def do_length(self):
        self.answer(jpeg(), length=10)

    def do_long(self):
        self.answer(b"\0" * 100, length=10**12)

    def do_file(self):
        self.answer(b"", 302, Location="file:///etc/passwd")

    def do_elsewhere(self):
        self.answer(b"", 302, Location="http://127.0.0.2:9/?ra=1")

    def do_around(self):
        self.answer(b"", 302, Location=self.path)

    def do_none(self):
        self.answer(b"", 404)

    def do_blank(self):
        file = io.BytesIO()
        Image.new("RGB", (64, 64)).save(file, "JPEG")
        self.answer(file.getvalue())

    def do_fits(self):
        file = io.BytesIO()
        fits.writeto(file, flux())
        self.answer(file.getvalue(), kind="text/html")

    def log_message(self, *words):
        pass


@pytest.fixture
def service():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    server.asked, server.troubles, server.daemon_threads = Counter(), {}, True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    server.url = f"http://127.0.0.1:{server.server_port}/cutout?ra={{ra}}&dec={{dec}}&n={{pixels}}"
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def waits():
    return []


@pytest.fixture
def client(waits):
    return Client(rate=1000, timeout=0.7, retries=2, sleep=waits.append)


def ask(tmp_path, service, count=4):
    path = tmp_path / "galaxies.ecsv"
    if not path.exists():
        Table(
            {"id": [f"g{k}" for k in range(count)], "ra": np.arange(float(count)), "dec": np.zeros(count)}
        ).write(path)
    return request(SourceSpec(str(path), size="30arcsec"), service.url, 64)


def test_pictures_become_a_folder_that_opens(tmp_path, service, client):
    what = ask(tmp_path, service)
    assert "4 positions (columns 'ra' and 'dec') will be sent to 127.0.0.1" in what.text(1.0)
    assert "not encrypted" in what.text(1.0)
    assert not service.asked  # nothing is sent by preparing it
    outcome = fetch(what, Folder(tmp_path / "out"), client)
    assert outcome.fetched == 4
    catalogue = open_catalogue(tmp_path / "out")
    assert list(catalogue.source.object_ids) == ["g0", "g1", "g2", "g3"]
    for row in range(4):
        expected = np.asarray(Image.open(io.BytesIO(jpeg(row))))
        np.testing.assert_array_equal(catalogue.source.read(row), expected)


@pytest.mark.parametrize("trouble", ["error", "busy", "stall", "drip", "cut", "page", "length", "long"])
def test_what_goes_wrong_once_is_asked_again(tmp_path, service, client, waits, trouble):
    service.troubles[2] = (trouble, 1)
    outcome = fetch(ask(tmp_path, service), Folder(tmp_path / "out"), client)
    assert outcome.fetched == 4
    assert sum(service.asked.values()) == 5
    assert max(waits) >= (7 if trouble == "busy" else 0.75)
    assert not survey(open_catalogue(tmp_path / "out").source).broken


@pytest.mark.parametrize("trouble", ["error", "cut", "page"])
def test_what_stays_wrong_is_left_for_the_next_time(tmp_path, service, client, waits, trouble):
    service.troubles[2] = (trouble, 3)
    outcome = fetch(ask(tmp_path, service), Folder(tmp_path / "out"), client)
    assert list(outcome.failed) == [2]
    assert waits[0] < waits[1]
    assert list(survey(open_catalogue(tmp_path / "out").source).broken) == [2]
    again = fetch(ask(tmp_path, service), Folder(tmp_path / "out"), client)
    assert (again.fetched, again.kept) == (1, 3)
    assert sum(service.asked.values()) == 7


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ("none", "404"),
        ("blank", "does not reach there"),
        ("file", "file://"),
        ("elsewhere", "127.0.0.2"),
    ],
)
def test_what_is_not_there_is_not_asked_again(tmp_path, service, client, trouble, reason):
    service.troubles[2] = (trouble, 9)
    for _ in range(2):
        outcome = fetch(ask(tmp_path, service), Folder(tmp_path / "out"), client)
        assert reason in outcome.missing[2]
    assert sum(service.asked.values()) == 4


def test_redirects_in_a_circle_end(tmp_path, service, client):
    service.troubles[2] = ("around", 99)
    fetch(ask(tmp_path, service), Folder(tmp_path / "out"), client)
    assert sum(service.asked.values()) < 20


def test_fits_whatever_it_is_called(tmp_path, service, client):
    service.troubles[1] = ("fits", 1)
    fetch(ask(tmp_path, service), Folder(tmp_path / "out"), client)
    catalogue = open_catalogue(tmp_path / "out")
    assert catalogue.table["file_loc"][1].endswith(".fits")
    assert catalogue.source.read(1).shape == (40, 40, 3)


def test_a_service_that_is_down_is_left_alone(tmp_path, service, client):
    service.troubles = dict.fromkeys(range(3, 40), ("error", 99))
    with pytest.raises(CatalogueError, match=r"failed for 5 galaxies in a row.*3 of 40 pictures.*it goes on"):
        fetch(ask(tmp_path, service, 40), Folder(tmp_path / "out"), client)
    assert sum(service.asked.values()) == 3 + 5 * 3
    service.troubles = {3: ("tomorrow", 99)}
    with pytest.raises(CatalogueError, match="asks to wait for 1,440 minutes"):
        fetch(ask(tmp_path, service, 40), Folder(tmp_path / "out"), client)


def test_files_that_were_damaged_and_a_log_cut_short(tmp_path, service, client):
    what, out = ask(tmp_path, service), tmp_path / "out"
    fetch(what, Folder(out), client)
    assert count_there(what, Folder(out)) == 4
    images = sorted(out.glob("images/*/*.jpg"))
    images[0].write_bytes(images[0].read_bytes()[:100])
    images[1].unlink()
    assert count_there(what, Folder(out)) == 2
    log = out / "fetched.jsonl"
    log.write_bytes(log.read_bytes()[:-10])
    assert fetch(what, Folder(out), client).fetched in (2, 3)
    assert count_there(what, Folder(out)) == 4
    lines = log.read_text().splitlines()
    hostile = {"url": json.loads(lines[0])["url"], "file": "../../etc/passwd", "sha256": "0"}
    log.write_text(json.dumps(hostile) + "\n[1]\n{}\nnull\n")
    assert count_there(what, Folder(out)) == 0
    assert not list(out.glob("**/.*"))


def test_the_rate_is_kept(tmp_path, service, waits):
    """Between two requests the rest of the time is waited for, and nothing before the first."""
    fetch(ask(tmp_path, service), Folder(tmp_path / "out"), Client(rate=0.001, timeout=5, sleep=waits.append))
    assert len(waits) == 3
    assert all(900 < wait <= 1000 for wait in waits)


def test_stopped_and_gone_on_with(tmp_path, service, client):
    what, seen = ask(tmp_path, service), []
    fetch(
        what, Folder(tmp_path / "out"), client, lambda done, total: seen.append(done), lambda: len(seen) == 2
    )
    assert sum(service.asked.values()) == 2
    outcome = fetch(what, Folder(tmp_path / "out"), client)
    assert (outcome.kept, outcome.fetched) == (2, 2)
    assert fetch(what, Folder(tmp_path / "out"), client, cancelled=lambda: True).kept == 4
    assert len(open_catalogue(tmp_path / "out").source) == 4, "stopped at once, it still names what is there"
    assert set(open_catalogue(tmp_path / "out").table["cutout_note"]) == {""}


def test_addresses_of_the_services():
    legacy = address(template_of("legacy"), 150.1, -0.5, 30, 256)
    assert legacy.startswith(
        "https://www.legacysurvey.org/viewer/jpeg-cutout?ra=150.100000&dec=-0.500000&size=256"
    )
    assert "pixscale=0.117188" in legacy
    hips = address(template_of("hips:CDS/P/DSS2/color"), 150.1, -0.5, 36, 200)
    assert "hips=CDS%2FP%2FDSS2%2Fcolor&ra=150.100000&dec=-0.500000&fov=0.01000000&width=200" in hips
    assert host_of(hips) == "alasky.cds.unistra.fr (encrypted)"
    for wrong in ("file:///etc/passwd?{ra}{dec}", "sky", "https://x.org/", "ftp://a/{ra}{dec}", "hips:"):
        with pytest.raises(CatalogueError, match="there is no cutout service"):
            template_of(wrong)
