"""
Cutout services: which address gives the picture of a place on the sky, and how it is asked for politely.

A service is one GET per galaxy, so that the standard library does; astroquery would bring eight packages and
neither bounds what an answer may hold nor says where a redirect leads.
"""

from __future__ import annotations

import email.utils
import http.client
import random
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, TypeVar

from glue_zoobot.errors import CatalogueError

_LEGACY = (
    "https://www.legacysurvey.org/viewer/{kind}-cutout?ra={ra}&dec={dec}&size={pixels}&pixscale={pixscale}"
)
_HIPS = (
    "https://alasky.cds.unistra.fr/hips-image-services/hips2fits?hips={hips}&ra={ra}&dec={dec}&fov={degrees}"
    "&width={pixels}&height={pixels}&projection=TAN&coordsys=icrs&format=jpg"
)
#: Name of a service to its address.
SERVICES = {
    "legacy": _LEGACY.replace("{kind}", "jpeg") + "&layer=ls-dr10",
    "legacy-fits": _LEGACY.replace("{kind}", "fits") + "&layer=ls-dr10&bands=grz",
    "sdss": _HIPS.replace("{hips}", "CDS%2FP%2FSDSS9%2Fcolor"),
    "panstarrs": _HIPS.replace("{hips}", "CDS%2FP%2FPanSTARRS%2FDR1%2Fcolor-i-r-g"),
}
MAX_BYTES = 32 * 1024**2
_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_LONGEST_WAIT = 600.0  # seconds that a service may ask for
Answer = TypeVar("Answer")


class NotNow(Exception):
    """A request that may succeed later; carries the seconds that the service asked to wait, or None."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class Never(Exception):
    """A request that is answered, and not with a picture."""


def template_of(service: str) -> str:
    """
    Address of a service, with ``{ra}`` and so on to fill in.

    Parameters
    ----------
    service : str
        A key of `SERVICES`, ``hips:ID`` for any survey of the CDS (``hips:CDS/P/DSS2/color``), or an address
        that has ``{ra}`` and ``{dec}`` in it, and may have ``{pixels}``, ``{pixscale}`` (arcsec),
        ``{arcsec}``, ``{degrees}``.

    Raises
    ------
    CatalogueError
        There is no such service.
    """
    if service in SERVICES:
        return SERVICES[service]
    if service.startswith("hips:") and len(service) > len("hips:"):
        return _HIPS.replace("{hips}", urllib.parse.quote(service.removeprefix("hips:"), safe=""))
    if re.match(r"https?://[^/{}]+/", service) and "{ra}" in service and "{dec}" in service:
        return service
    raise CatalogueError(
        f"there is no cutout service {service!r}; there are {', '.join(SERVICES)}, hips:ID of any survey of "
        "the CDS, or an address https://… with {ra} and {dec} in it"
    )


def host_of(template: str) -> str:
    """Host that an address is on, as a user is told."""
    parts = urllib.parse.urlsplit(template)
    return f"{parts.netloc} ({'encrypted' if parts.scheme == 'https' else 'not encrypted'})"


def address(template: str, ra: float, dec: float, arcsec: float, pixels: int) -> str:
    """Fill in the address of one cutout."""
    values = {
        "ra": f"{ra:.6f}",
        "dec": f"{dec:.6f}",
        "pixels": str(pixels),
        "pixscale": f"{arcsec / pixels:.6g}",
        "arcsec": f"{arcsec:.6g}",
        "degrees": f"{arcsec / 3600:.8f}",
    }
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template


class _SameHost(urllib.request.HTTPRedirectHandler):
    """Redirects within the host that the user was told of; positions go nowhere else."""

    max_redirections = 3

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        old, new = urllib.parse.urlsplit(req.full_url), urllib.parse.urlsplit(newurl)
        if new.netloc != old.netloc or new.scheme not in (old.scheme, "https"):
            raise Never(f"it sends elsewhere, to {new.scheme}://{new.netloc}, where nothing is asked")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """Build what opens http and https and nothing else: no file, ftp or data addresses."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        urllib.request.HTTPErrorProcessor,
        _SameHost,
    ):
        opener.add_handler(handler())
    opener.addheaders = [("User-Agent", f"glue-zoobot/{version('glue-zoobot')}")]
    return opener


@dataclass
class Client:
    """
    Asks one service, one request after the other.

    Parameters
    ----------
    rate : float
        Requests per second, at most.
    timeout : float
        Seconds for one request in all, from the name of the host to the last byte.
    retries : int
        How often a request is made again that failed as services fail: overload, time, a broken line.
    sleep : callable
        Waits; another one ends the wait, and returns True, when a user stops.
    """

    rate: float = 1.0
    timeout: float = 60.0
    retries: int = 4
    sleep: Callable[[float], Any] = time.sleep
    _last: float = field(default=-1e9, repr=False)

    def get(self, url: str, check: Callable[[bytes], Answer]) -> Answer:
        """
        Ask for an address until there is an answer that passes the check.

        Parameters
        ----------
        url : str
            The address.
        check : callable
            Makes something of the bytes; raises `NotNow` for what is worth asking for again.

        Raises
        ------
        NotNow
            It failed each time.
        Never
            The service has no picture there.
        """
        for attempt in range(self.retries + 1):
            self._wait_for_turn()
            try:
                return check(within(self.timeout, lambda: _fetch(url, self.timeout)))
            except NotNow as error:
                if attempt == self.retries or (error.wait or 0) > _LONGEST_WAIT:
                    raise
                doubled = 2.0**attempt * random.uniform(0.75, 1.25)  # not in step with others
                if self.sleep(max(error.wait or 0.0, doubled)):
                    raise
        raise AssertionError("the loop ends by return or raise")

    def _wait_for_turn(self) -> None:
        left = self._last + 1 / self.rate - time.monotonic()
        if left > 0:
            self.sleep(left)
        self._last = time.monotonic()


def within(seconds: float, work: Callable[[], Answer]) -> Answer:
    """
    Do something in so much time, or raise `NotNow`.

    A service that sends a byte now and then never exceeds the time limit of its socket; the thread that
    waits for it is left behind then, and ends with the program.
    """
    done: list[Answer] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        raise NotNow(f"no whole answer within {seconds:g} s")
    return done[0]


def _fetch(url: str, timeout: float) -> bytes:
    request = urllib.request.Request(url)  # noqa: S310  template_of lets http and https pass only
    try:
        with _opener().open(request, timeout=timeout) as response:
            data = response.read(MAX_BYTES + 1)
            said = response.headers.get("Content-Length")
    except urllib.error.HTTPError as error:
        with error:
            if error.code in _AGAIN:
                wait = _retry_after(error.headers.get("Retry-After"))
                raise NotNow(f"the service answers {error.code} {error.reason}", wait) from error
            raise Never(f"the service answers {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotNow(f"no answer ({error or type(error).__name__})") from error
    if len(data) > MAX_BYTES:
        raise Never(f"an answer of more than {MAX_BYTES / 1e6:.0f} MB is no cutout")
    if said is not None and said.isdigit() and int(said) != len(data):
        raise NotNow(f"cut short: {len(data):,} of {int(said):,} bytes")
    return data


def _retry_after(text: str | None) -> float | None:
    """Seconds that a service asks to wait: a number, or a date."""
    if text is None:
        return None
    if re.fullmatch(r"\d{1,9}", text.strip()):
        return float(text)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError):
        return None
