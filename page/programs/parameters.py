"""Parameters: what an endpoint takes and gives, typed and told for Gradio's page about the API."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.components.api_component import Api


class ProgramFile(gr.File):
    """A file that a program uploads, shown nowhere but on that page; its handler gets the path."""

    def get_block_name(self) -> str:
        return "file"

    def api_info(self) -> dict[str, Any]:
        return super().api_info() | {"additional_description": f"{self.label}; in Python `handle_file(path)`"}


def parameter(label: str, kind: str | list[str], about: str, default: Any = None) -> Api:
    """A value that is given as JSON.

    kind: its type as JSON's schemas call it, or the words it may be. default: None where it has to be given.
    """
    schema: Any = {"type": kind} if isinstance(kind, str) else {"enum": kind}
    return Api(default, schema | {"additional_description": about}, label)


def allow(own: Api, words: list[str]) -> None:
    """Let a parameter be one of these words."""
    about: Any = own._api_info["additional_description"]
    own._api_info = {"enum": words, "additional_description": about}  # type: ignore[dict-item]


def record(label: str, about: str) -> Api:
    """A dict that is given back; about: what is in it."""
    schema: Any = {"type": "object", "additionalProperties": {}, "description": about}
    return Api(None, schema, label)
