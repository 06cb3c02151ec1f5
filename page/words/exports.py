"""Exports: what can be taken away of a run, and what brings it back."""

EXPORTS = {
    "name": "Take it with you",
    "lead": "Figures for a paper, a film, the numbers, or a page that replays this run without a server. "
    "Press a button: the files appear below and stay for an hour.",
    "figures": "Figures (PNG, SVG)",
    "mp4": "Film (MP4)",
    "gif": "Film (GIF)",
    "page": "Page that replays (HTML)",
    "saved": "Saved run (npz)",
    "json": "Trace (JSON)",
    "csv": "Counts per layer (CSV)",
    "files": "Ready to download",
    "code": "Copy as Python",
    "load": "Load a saved run",
    "load_lead": "A saved run (npz) comes back with its question, answers and settings; no model runs.",
    "link": "Copy a link to these settings",
    "link_name": "Link",
    "why_name": "Why?",
    "why": "A figure can be trusted if others can make it again. Figures are as wide as one or two columns of a paper, "
    "300 dots an inch, letters as outlines, colours that colour-blind readers can tell apart. The layer and the scale "
    "are those chosen under the figures above. A link holds the question and the settings, and which sample was asked "
    "about; your own video never leaves this machine by it.",
}
MAKING = {
    "figures": "Drawing the figures",
    "mp4": "Drawing the film",
    "gif": "Drawing the film",
    "page": "Packing the page",
    "saved": "Packing the run",
    "json": "Writing the trace",
    "csv": "Writing the table",
}
NOTHING_TO_EXPORT = "Ask a question or load a saved run first."
NO_COUNTS = "This file holds a trace alone: what it cost is not known. Ask on this page, then export."

SAVED_OTHER = "This is not a saved run. Choose an .npz file that this page or Trace.save has written."
SAVED_BROKEN = "This saved run is damaged or was changed: its parts do not fit together. Export it again."
SAVED_LARGE = "This saved run is larger than {most} MB when unpacked. Export it with fewer frames."
LOADED = "A saved run is on the page, with its settings as they were. Press Run to ask your own question."
LOADED_ONLY = "A saved run cannot be asked again: its video is not in the file. Ask on this page first."
LOADED_TRACE = "A trace alone: no question, answers or costs were saved with it."

LINK_OWN_FILE = "The link holds question and settings. Your own file is not in it: whoever opens it chooses one."
LINK_BAD = "This link is damaged: {names} could not be used and stayed as usual."

REPLAY = {
    "title": "A run of AIM Explorer",
    "settings": "Keep ratio {keep_ratio}, l1 {l1}, l2 {l2}, {num_frames} frames of {file}, {model}",
    "theme": "Dark or light",
    "offline": "This page is one file: it asks no server and loads nothing.",
    "trace_only": "A trace alone",
}
