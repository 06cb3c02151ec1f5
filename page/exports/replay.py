"""Replay page: one HTML file that shows a run with the page's own panels, without a server or a network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from page import assets, scripts
from page.components.base import Panel

_REPLAY = "exports/replay.js"


def replay_page(panels: Sequence[tuple[Panel, Any]], heading: dict[str, str], language: str = "en") -> str:
    """The file's text.

    panels:  a panel of the page and the value it would get there; its template, style and script are the panel's own.
    heading: "title", "question", "settings", "theme", "offline" as plain texts.
    Everything typed or answered is in the file as escaped text or as JSON without a "<", and a policy in the file lets
    no other script run and nothing be loaded.
    """
    script = _script([panel.entry for panel, _ in panels])
    if re.search(r"</script|<!--", script, re.IGNORECASE):
        raise ValueError("a panel's script holds a mark that would end it inside an HTML file")
    styles = [assets.text("exports/replay.css")]
    styles += [f"#panel-{at} {{\n{panel.css_template}\n}}" for at, (panel, _) in enumerate(panels)]
    parts = {name: html.escape(text) for name, text in heading.items()} | {
        "lang": html.escape(language),
        "policy": _policy(script),
        "style": "\n".join(styles),
        "script": script,
        "panels": "\n".join(
            f'<div id="panel-{at}" data-panel="{panel.folder}">{panel.html_template}</div>'
            for at, (panel, _) in enumerate(panels)
        ),
        "data": "\n".join(_data(at, panel, value) for at, (panel, value) in enumerate(panels)),
    }
    return re.sub("@([a-z]+)@", lambda found: parts[found[1]], assets.text("exports/replay.html"))


def _script(entries: list[str]) -> str:
    """The modules of the panels, and their start in this order."""
    starts = ", ".join(f'modules["{entry}"].start' for entry in entries)
    return f'{scripts.bundle(_REPLAY, *entries)}\nmodules["{_REPLAY}"].replay([{starts}]);'


def _data(at: int, panel: Panel, value: Any) -> str:
    """Value of a panel and what never changes as a block of JSON that no text in it can end."""
    shown: Any = panel.postprocess(value)
    shown = shown.model_dump() if hasattr(shown, "model_dump") else shown
    text = json.dumps({"value": _inlined(shown), **panel.fixed}).replace("<", "\\u003c")
    return f'<script type="application/json" id="record-{at}">{text}</script>'


def _inlined(value: Any) -> Any:
    """The same with every file as a data URI."""
    if isinstance(value, dict):
        if (value.get("meta") or {}).get("_type") == "gradio.FileData":
            picture = base64.b64encode(Path(value["path"]).read_bytes()).decode("ascii")
            return {"url": f"data:image/png;base64,{picture}"}
        return {name: _inlined(part) for name, part in value.items()}
    return [_inlined(part) for part in value] if isinstance(value, list) else value


def _policy(script: str) -> str:
    """Only this script, given by its hash; pictures only from the file itself; nothing from anywhere else."""
    digest = base64.b64encode(hashlib.sha256(f"\n{script}\n".encode()).digest()).decode("ascii")
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )
