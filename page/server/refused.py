"""Refusals before a request reaches the page: a status, a sentence in the visitor's language, and why, for the log."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Scope

from page.i18n import STRINGS, language_of

UPLOAD = "/gradio_api/upload"


class Refused(Exception):  # noqa: N818
    """A request that is not carried out. why: a word for the log. name: of the sentence in REFUSED, with its values."""

    def __init__(self, status: int, why: str, name: str, **values: object):
        super().__init__(why)
        self.status, self.why, self.name, self.values = status, why, name, values

    def sentence(self, scope: Scope) -> str:
        return STRINGS[language_of(Request(scope))]["REFUSED"][self.name].format(**self.values)  # type: ignore[arg-type]

    def response(self, scope: Scope) -> Response:
        """In the form that the asker shows: the page takes a failed upload's text as it is, a program of Gradio's
        client the messages of a 422, everything else `detail`."""
        said = self.sentence(scope)
        if scope["path"] == UPLOAD:
            return PlainTextResponse(said, self.status)
        if self.status == 422:
            told = {"__type__": "validate", "is_valid": False, "parameter_name": self.why, "message": said}
            return JSONResponse({"detail": [told], "error": said}, 422)
        return JSONResponse({"detail": said, "error": said}, self.status)
