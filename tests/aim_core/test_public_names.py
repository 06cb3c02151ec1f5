"""The public names: what `from aim_core import …` gives, in whatever order, and that nothing is loaded before."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import aim_core

FRONT = Path(aim_core.__file__)
NAMES = {
    "AimConfig": "aim_core.config",
    "Budget": "aim_core.budget",
    "Conversation": "aim_core.conversation",
    "Engine": "aim_core.engine",
    "Method": "aim_core.methods.base",
    "MethodRun": "aim_core.method_comparison",
    "Result": "aim_core.result",
    "Trace": "aim_core.trace",
    "aim": "aim_core.attach",
    "compare": "aim_core.comparison",
    "compare_methods": "aim_core.method_comparison",
    "each_method": "aim_core.method_comparison",
    "parity": "aim_core.parity_check",
}


def python(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=FRONT.parent.parent, capture_output=True, text=True, timeout=180
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_what_its_module_defines(name):
    value = getattr(aim_core, name)
    assert callable(value) and value.__module__ == NAMES[name] and value.__name__ == name


def test_methods_is_the_package_and_an_unknown_name_is_an_error():
    assert aim_core.methods.__name__ == "aim_core.methods"
    assert set(aim_core.__all__) == {*NAMES, "methods"} <= set(dir(aim_core))
    with pytest.raises(AttributeError, match="has no attribute 'prune'"):
        _ = aim_core.prune
    with pytest.raises(ImportError):
        from aim_core import prune  # noqa: F401


def test_no_module_is_called_like_a_public_name():
    """Importing such a module would put it in the place of the name."""
    modules = {path.stem for path in FRONT.parent.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert modules & set(aim_core.__all__) == {"methods"}


@pytest.mark.slow
def test_a_function_stays_a_function_after_its_module_is_imported():
    code = "import aim_core.parity_check, aim_core.comparison, aim_core.attach, aim_core.methods.aim\n"
    code += "from aim_core import aim, compare, parity; print(aim.__name__, compare.__name__, parity.__name__)"
    assert python(code) == "aim compare parity"


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, aim_core; print(sorted({'numpy', 'torch', 'transformers', 'PIL'} & {*sys.modules}))"
    assert python(code) == "[]"


def test_a_type_checker_sees_the_same_names():
    """The imports under TYPE_CHECKING are never run, so they are compared with the table that is."""
    block = next(node for node in ast.parse(FRONT.read_text()).body if isinstance(node, ast.If))
    seen = {alias.asname: node.module for node in block.body for alias in node.names}
    assert seen == NAMES | {"methods": "aim_core"}
