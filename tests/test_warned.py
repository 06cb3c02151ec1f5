"""A test in which a warning is an error fails for its own warnings, not for what others left open."""

import asyncio
import gc
import warnings

import pytest

from tests.helpers.warned import no_warnings


@no_warnings
def test_a_loop_that_others_left_open_is_no_error():
    asyncio.new_event_loop()
    gc.collect()


@no_warnings
def test_a_warning_of_its_own_is_an_error():
    with pytest.raises(RuntimeWarning):
        warnings.warn("a number that is none", RuntimeWarning, stacklevel=1)
