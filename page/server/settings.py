"""Settings of the server, each with the variable of the environment that sets it."""

from __future__ import annotations

import ipaddress
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOOPBACK = ("localhost", "127.0.0.1", "::1")
SHORTEST_KEY = 16  # characters; whoever guesses it can load models
_MB = 1 << 20


class SettingError(ValueError):
    """A setting that means nothing; its text is a sentence for the operator."""


@dataclass(frozen=True)
class Addresses:
    """Single addresses and networks, or all there are."""

    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    has_all: bool = False

    @classmethod
    def read(cls, text: str, name: str) -> Addresses:
        """Of "127.0.0.1, 10.0.0.0/8", "*" or nothing. Raises SettingError."""
        words = _words(text)
        try:
            return cls(tuple(ipaddress.ip_network(word) for word in words if word != "*"), "*" in words)
        except ValueError as error:
            raise SettingError(f"{name} takes addresses, networks like 10.0.0.0/8, or *: {error}.") from error

    def __contains__(self, address: object) -> bool:
        try:
            own = ipaddress.ip_address(str(address))
        except ValueError:
            return self.has_all
        return self.has_all or any(own in network for network in self.networks)


def is_private(address: str) -> bool:
    """Whether it is of this machine or a local network, or none at all."""
    try:
        return not ipaddress.ip_address(address).is_global
    except ValueError:
        return True


@dataclass(frozen=True)
class SweepSettings:
    """What sweeps of the lab may take. folder: of their files, which outlives the server; None for one of the system's
    temporary folder.

    most_bytes, keep_seconds: of all sweeps together, and since each was last worked on.
    cells, tflops, videos, minutes: most of one sweep: settings times questions, prefills that are left, and time.
    """

    folder: Path | None = None
    most_bytes: int = 2000 * _MB
    keep_seconds: int = 48 * 3600
    cells: int = 20_000
    tflops: int = 1_000_000
    videos: int = 500
    minutes: int = 24 * 60

    @property
    def place(self) -> Path:
        return self.folder or own_parent() / "sweeps"


_SHARED_SWEEP = {"cells": 500, "tflops": 5000, "videos": 30, "minutes": 20}  # where strangers ask


@dataclass(frozen=True)
class ServerSettings:
    """hosts: names that the page answers to, () for any. origins: sites whose pages may call this server.

    proxies:       whose X-Forwarded headers are believed.
    scrapers:      who may read /metrics; nobody by default.
    has_openapi:   whether /gradio_api/openapi.json is served.
    waiting:       most runs that wait, of all visitors, of one address, of one page.
    waiting_exports, waiting_cheap: the same of files to take away that wait to be written, and of all other events.
    waiting_sweeps: the same of sweeps, those under way too.
    streams:       most requests under way at once, of one address.
    upload_bytes:  most of one request, of one address in an hour, and on the disk at once.
    export_bytes:  most that one address takes away in an hour.
    switchers:     who may let another model answer: "all", "key" (who has the owner's key) or "nobody".
    store_bytes:   of runs kept for figures and exports. keep_seconds: how long runs and files are kept.
    """

    hosts: tuple[str, ...] = LOOPBACK
    origins: tuple[str, ...] = ()
    proxies: Addresses = Addresses()
    scrapers: Addresses = Addresses()
    has_openapi: bool = False
    waiting: tuple[int, int, int] = (32, 8, 2)
    waiting_exports: tuple[int, int, int] = (64, 16, 7)
    waiting_cheap: tuple[int, int, int] = (400, 100, 20)
    waiting_sweeps: tuple[int, int, int] = (16, 4, 1)
    streams: int = 200
    upload_bytes: tuple[int, int, int] = (101 * _MB, 500 * _MB, 4000 * _MB)
    export_bytes: int = 1000 * _MB
    store_bytes: int = 1000 * _MB
    keep_seconds: int = 2 * 3600
    switchers: str = "all"
    owner_key: str = ""
    sweeps: SweepSettings = SweepSettings()


def read_settings(host: str, environment: Mapping[str, str] = os.environ) -> ServerSettings:
    """The settings of a server that listens on `host`. Raises SettingError.

    Only a page that listens on this machine alone knows its names; any other answers to all, unless it is told. On a
    Space every request comes through the proxy of the Hub, which alone knows the visitor.
    """
    given = environment.get
    on_space = bool(given("SPACE_ID"))
    usual = ",".join(LOOPBACK) if host in LOOPBACK else "*"
    hosts = tuple(name.lower() for name in _words(given("AIM_HOSTS", usual)))
    sizes: dict[str, Any] = {}
    if disk := _whole(environment, "AIM_DISK_MB"):
        sizes["upload_bytes"] = (*ServerSettings.upload_bytes[:2], disk * _MB)
    if store := _whole(environment, "AIM_STORE_MB"):
        sizes["store_bytes"] = store * _MB
    if minutes := _whole(environment, "AIM_KEEP_MINUTES"):
        sizes["keep_seconds"] = minutes * 60
    is_alone = host in LOOPBACK and not on_space
    switchers, key = _switchers(environment, is_alone)
    return ServerSettings(
        sweeps=_sweeps(environment, is_alone),
        switchers=switchers,
        owner_key=key,
        hosts=() if "*" in hosts else (*hosts, host, *LOOPBACK),
        origins=tuple(name.lower().rstrip("/") for name in _words(given("AIM_ORIGINS", ""))),
        proxies=Addresses.read(given("AIM_PROXIES", "*" if on_space else ""), "AIM_PROXIES"),
        scrapers=Addresses.read(given("AIM_METRICS", ""), "AIM_METRICS"),
        has_openapi=given("AIM_OPENAPI", "") == "1",
        **sizes,
    )


def _sweeps(environment: Mapping[str, str], is_alone: bool) -> SweepSettings:
    """What the owner says; without a word less for strangers than for whoever uses a page for this machine alone."""
    given = {name: _whole(environment, f"AIM_SWEEP_{name.upper()}") for name in _SHARED_SWEEP}
    sizes = {} if is_alone else dict(_SHARED_SWEEP)
    sizes |= {name: most for name, most in given.items() if most}
    if room := _whole(environment, "AIM_SWEEPS_MB"):
        sizes["most_bytes"] = room * _MB
    if hours := _whole(environment, "AIM_SWEEPS_HOURS"):
        sizes["keep_seconds"] = hours * 3600
    folder = environment.get("AIM_SWEEPS")
    return SweepSettings(folder=Path(folder).expanduser() if folder else own_parent(environment) / "sweeps", **sizes)


def own_parent(environment: Mapping[str, str] = os.environ) -> Path:
    """Where this app's folders of the machine lie: GRADIO_TEMP_DIR says, or the system; each user has one."""
    return Path(environment.get("GRADIO_TEMP_DIR") or Path(tempfile.gettempdir()) / f"aim-explorer-{os.getuid()}")


def _switchers(environment: Mapping[str, str], is_alone: bool) -> tuple[str, str]:
    """Who may switch, and the owner's key. Without a word of the owner: whoever uses a page for this machine alone, and
    on any other server the owner, who needs a key."""
    key = environment.get("AIM_OWNER_KEY", "")
    if key and len(key) < SHORTEST_KEY:
        raise SettingError(f"AIM_OWNER_KEY must have at least {SHORTEST_KEY} characters, got {len(key)}.")
    chosen = environment.get("AIM_SWITCH") or ("key" if key else "all" if is_alone else "nobody")
    if chosen not in ("all", "key", "nobody"):
        raise SettingError(f"AIM_SWITCH is all, key or nobody, not {chosen!r}.")
    if chosen == "key" and not key:
        raise SettingError("AIM_SWITCH=key needs AIM_OWNER_KEY.")
    return chosen, key


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _whole(environment: Mapping[str, str], name: str) -> int:
    """A number above 0, or 0 where it is not set."""
    text = environment.get(name, "")
    if text and not (text.isascii() and text.isdecimal() and int(text)):
        raise SettingError(f"{name} is a whole number above 0, not {text!r}.")
    return int(text or 0)
