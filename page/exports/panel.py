"""Export panel: buttons for every kind of file, the code of the run, a permalink, and an upload for saved runs."""

from __future__ import annotations

from typing import Any

import gradio as gr

from page.i18n import text
from page.layout import ExportPanel

KINDS = ("figures", "mp4", "gif", "page", "saved", "json", "csv")
# Starts the download of the first file; the others wait in the list.
TAKE = (
    "([{ url, orig_name }]) => Object.assign(document.createElement('a'), { href: url, download: orig_name }).click()"
)


def export_panel() -> ExportPanel:
    """An accordion with all exports."""
    with gr.Accordion(text("EXPORTS.name"), open=False, elem_id="exports"):
        gr.Markdown(text("EXPORTS.lead"))
        with gr.Row(elem_id="export_buttons"):
            buttons = {
                kind: gr.Button(
                    text(f"EXPORTS.{kind}"), interactive=False, size="md", min_width=170, elem_id=f"export_{kind}"
                )
                for kind in KINDS
            }
        files = gr.File(label=text("EXPORTS.files"), file_count="multiple", interactive=False, elem_id="export_files")
        code = gr.Code(label=text("EXPORTS.code"), language="python", interactive=False, lines=8, elem_id="export_code")
        with gr.Row():
            with gr.Column():
                link = _button("link")
                address = gr.Textbox(
                    label=text("EXPORTS.link_name"), interactive=True, lines=2, buttons=["copy"], elem_id="link"
                )
            with gr.Column():
                name: Any = text("EXPORTS.load")  # Gradio translates it here too; its annotation says plain text
                load = gr.UploadButton(name, file_types=[".npz"], size="md", elem_id="load_run")
                note = gr.Markdown(text("EXPORTS.load_lead"), elem_id="load_note")
        with gr.Accordion(text("EXPORTS.why_name"), open=False):
            gr.Markdown(text("EXPORTS.why"))
    return ExportPanel(buttons, files, gr.State([]), code, link, address, load, note)


def _button(kind: str, **look) -> gr.Button:
    return gr.Button(text(f"EXPORTS.{kind}"), size="md", elem_id=f"export_{kind}", **look)
