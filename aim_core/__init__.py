"""The inference core: merge, prune, measure. Needs neither the app nor a screen.

The names below are imported when they are first asked for, so that `import aim_core` costs nothing. No module here is
called like one of them: `from aim_core import compare` is always the function.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from aim_core.import_order import refuse_decord_before_torch

if TYPE_CHECKING:  # what a type checker sees; at run time `__getattr__` answers
    from aim_core import methods as methods
    from aim_core.attach import aim as aim
    from aim_core.budget import Budget as Budget
    from aim_core.comparison import compare as compare
    from aim_core.config import AimConfig as AimConfig
    from aim_core.conversation import Conversation as Conversation
    from aim_core.engine import Engine as Engine
    from aim_core.method_comparison import MethodRun as MethodRun
    from aim_core.method_comparison import compare_methods as compare_methods
    from aim_core.method_comparison import each_method as each_method
    from aim_core.methods.base import Method as Method
    from aim_core.parity_check import parity as parity
    from aim_core.result import Result as Result
    from aim_core.trace import Trace as Trace

_MODULES = {
    "AimConfig": "config",
    "Budget": "budget",
    "Conversation": "conversation",
    "Engine": "engine",
    "Method": "methods.base",
    "MethodRun": "method_comparison",
    "Result": "result",
    "Trace": "trace",
    "aim": "attach",
    "compare": "comparison",
    "compare_methods": "method_comparison",
    "each_method": "method_comparison",
    "methods": "methods",
    "parity": "parity_check",
}

__all__ = list(_MODULES)

refuse_decord_before_torch()


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    refuse_decord_before_torch()  # again, as decord may have come since
    module = import_module(f"{__name__}.{_MODULES[name]}")
    return globals().setdefault(name, getattr(module, name, module))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
