"""AIM Explorer: read arguments, load a model, serve the page."""

from __future__ import annotations

import importlib.util
import logging
import os
import sys

if importlib.util.find_spec("fcntl") is None:  # Windows, where nothing confines the decoder of strangers' files either
    sys.exit(
        "The page runs on Linux and macOS only. On Windows start it in WSL or a container, or use aim_core from Python."
    )
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported
from page.state.space import is_zero_gpu

if is_zero_gpu():
    import spaces  # noqa: F401  (before torch)

from aim_core.media.kernel import hide_process
from page.build import build_page, serve
from page.server.ending import ended_by_signals
from page.server.folder import OwnFolder
from page.server.process import let_open_many_files
from page.server.settings import SettingError, read_settings
from page.state.startup import arguments, load


def main() -> None:
    hide_process()  # its environment, from decoders and others of its user
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # what Gradio asks itself when it starts
    options = arguments()
    try:
        settings = read_settings(options.host)
    except SettingError as error:
        sys.exit(str(error))
    let_open_many_files()
    with ended_by_signals(), OwnFolder.made():
        serve(build_page(load(options.model), settings), options.host, options.port)


if __name__ == "__main__":
    main()
