"""AIM Explorer: read arguments, load a model, serve the page."""

from __future__ import annotations

import logging
import os

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before gradio is imported
if os.environ.get("SPACES_ZERO_GPU"):  # a Space that lends its GPU: its package must come before torch
    import spaces  # noqa: F401

from aim_core.media.kernel import hide_process
from page.build import build_page, serve
from page.state.startup import arguments, load


def main() -> None:
    hide_process()  # its environment, from decoders and others of its user
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    options = arguments()
    serve(build_page(load(options.model)), options.host, options.port)


if __name__ == "__main__":
    main()
