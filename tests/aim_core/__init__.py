"""Tests of the core. torch is loaded before decord, whose BLAS else takes the place of its own and ends the process."""

import torch  # noqa: F401
