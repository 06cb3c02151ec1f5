"""Taken files: folders for files that visitors take away, which count to the share of their address."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gradio.context import LocalContext

from page.checks import refusal
from page.i18n import strings
from page.server.share import HourlyShare
from page.server.uploads import folder_bytes


class TakenFiles(HourlyShare):
    """most: bytes that an address takes away in an hour."""

    @contextmanager
    def folder(self, cache: str) -> Iterator[Path]:
        """A new folder below `cache`; what lies in it at the end of the block counts. Raises a refusal."""
        client = getattr(LocalContext.request.get(None), "client", None)
        address = str(getattr(client, "host", ""))
        if self.left(address) <= 0:
            raise refusal(strings().REFUSED["exports_bytes"].format(most=self.most >> 20), "busy")
        folder = Path(cache) / uuid.uuid4().hex
        folder.mkdir(parents=True)
        try:
            yield folder
        finally:
            self.add(address, folder_bytes(folder))
