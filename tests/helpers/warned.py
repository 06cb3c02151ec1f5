"""Warned: a test in which a warning is an error."""

import pytest

# An event loop that nobody closed warns when it is collected, in whatever test runs then: Gradio leaves one with every
# app that is made outside of a loop.
no_warnings = pytest.mark.filterwarnings("error", "ignore::ResourceWarning")
