"""README and docs/: their Python runs as it stands, and what they name is there.

Links and references between pages are checked by the site's strict build, which is part of `make lint`.
"""

from __future__ import annotations

import builtins
import dis
import re
import textwrap
import tomllib
from importlib import import_module
from inspect import getattr_static
from pathlib import Path
from types import CodeType

import pytest
import yaml

import aim_core
from aim_core.adapters import base, layout
from tools.docstrings import as_markdown

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *PAGES]
SHOWN = {  # pages whose Python is one program from top to bottom, and what it has to print
    "README.md": r"^down 0\.09\d* \[289 ",
    "docs/python.md": r"(?s)^down .*'down'|down",
    "docs/comparing_methods.md": r"(?s)^dense .* down .*FastV cannot go under 16\.9%.*Solved\(.*Unreachable\(",
    "docs/lab.md": r"^aim, keep_ratio=0\.1, l1=6, l2=9, 4 frames \d",
    "docs/adding_a_method.md": r"\[576(, 576){11}\]\n\w+ \[289 289 289 144 [\d ]+\]\n577\n\w+ 288 864\n",
}
ROOMS = r"(?:aim_core|aim_lab|app|page|visual|training|benchmarks|tools|tests|assets|docs)"


def blocks(path: Path) -> str:
    return "\n".join(re.findall(r"^```python\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))


@pytest.mark.slow
@pytest.mark.parametrize("name", SHOWN)
def test_the_python_of_a_page_runs(name, tmp_path, monkeypatch, capsys):
    """In an empty folder that has the repository's assets, since it writes a file."""
    (tmp_path / "assets").symlink_to(ROOT / "assets")
    monkeypatch.chdir(tmp_path)
    exec(compile(blocks(ROOT / name), name, "exec", dont_inherit=True), {"__name__": name})
    assert re.search(SHOWN[name], capsys.readouterr().out)


def test_the_adapter_of_its_page_uses_names_that_are_there():
    """It is no whole program: the model's class is made up."""
    known = {**vars(layout), **vars(base), "NewForConditionalGeneration": object}
    page = (ROOT / "docs" / "adding_a_family.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^ +```python\n(.*?)^ +```", page, re.MULTILINE | re.DOTALL)
    exec(textwrap.dedent(code), known)
    methods = [one.__code__ for one in vars(known["NewAdapter"]).values() if hasattr(one, "__code__")]
    assert methods and not {name for code in methods for name in global_names(code)} - {*known, *dir(builtins)}


def global_names(code: CodeType) -> set[str]:
    """What a function looks up outside of itself, comprehensions in it too."""
    inner = [own for own in code.co_consts if isinstance(own, CodeType)]
    own = {step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"}
    return own.union(*map(global_names, inner))


def test_the_python_of_the_readme_is_ten_lines_and_the_whole_is_short():
    assert len(blocks(ROOT / "README.md").splitlines()) <= 10
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_what_the_readme_says_that_the_lab_found_is_on_its_page():
    readme, page = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/lab_results.md"))
    told = re.findall(r"[+-]\d+\.\d(?: points)? \([+-]\d+\.\d to [+-]\d+\.\d", readme.partition("## The lab")[2])
    assert len(told) >= 2 and all(one in page for one in told)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_link_in_the_repository_leads_somewhere(name):
    """Those of docs/ are the strict build's."""
    links = re.findall(r"\]\(([^)#]+)", (ROOT / name).read_text(encoding="utf-8"))
    assert len(links) > 3 and not [link for link in links if "://" not in link and not (ROOT / link).is_file()]


def test_the_readme_gives_the_times_and_memory_of_the_benchmarks():
    """Its row of dense and of both, in docs/benchmarks.md as `make bench` prints them."""
    readme, benchmarks = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/benchmarks.md"))
    rows = dict(re.findall(r"^\| (dense|both) \| (1,669 .*|493 .*) \|$", benchmarks, re.MULTILINE))
    (_, dense_ms, *_, dense_mb), (_, both_ms, speedup, *_, both_mb) = (rows[name].split(" | ") for name in rows)
    dense_ms, both_ms = (f"{float(ms.replace(',', '')):,.0f} ms" for ms in (dense_ms, both_ms))
    assert f"| {dense_ms} | {both_ms} ({speedup}) |" in readme
    assert f"| {dense_mb} MB | {both_mb} MB |" in readme


def test_the_citation_is_of_this_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert (citation["version"], citation["license"]) == (project["version"], project["license"])
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.stem
)
def test_an_issue_form_has_what_a_form_needs(path):
    form = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert form["name"] and form["description"]
    ids = [part["id"] for part in form["body"]]
    assert len(set(ids)) == len(ids) and all(part["attributes"]["label"] for part in form["body"])


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_every_file_that_a_page_names_is_there(path):
    named = re.findall(rf"`({ROOMS}/[\w./-]*)`", path.read_text(encoding="utf-8"))
    assert not [name for name in named if not (ROOT / name).exists()]


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.stem)
def test_every_name_of_the_core_that_a_page_gives_is_there(path):
    """`Trace.group`, `aim_core.errors.Stopped`: what classes and modules have."""
    public = "|".join(aim_core.__all__)
    text = path.read_text(encoding="utf-8")
    for owner, name in re.findall(rf"`((?:aim_core\.)?(?:\w+\.)*(?:{public}|Cost|Timing))\.(\w+)`", text):
        assert has(owner, name), f"{owner}.{name}"
    for module, name in re.findall(r"`(aim_core(?:\.\w+)+)\.(\w+)`", text):
        assert hasattr(import_module(module), name), f"{module}.{name}"


def has(owner: str, name: str) -> bool:
    own = getattr(import_module("aim_core.result"), owner, None) or getattr(aim_core, owner)
    return name in getattr(own, "__annotations__", {}) or getattr_static(own, name, None) is not None


def test_a_name_that_is_not_there_is_seen():
    assert has("Trace", "group") and has("Timing", "prefill_ms") and has("Engine", "run")
    assert not has("Trace", "groups") and not has("AimConfig", "keep")


def test_the_glossary_has_the_words_of_the_page():
    texts = tomllib.loads((ROOT / "page" / "locales" / "en.toml").read_text(encoding="utf-8"))
    explorer, answers, inputs = texts["explorer"]["EXPLORER"], texts["answers"]["ANSWER_PANEL"], texts["inputs"]
    labels = [label for part in ("overlays", "scales", "fields", "tools", "steps") for label in explorer[part].values()]
    labels += [explorer["head"], explorer["kept"], inputs["KEEP_RATIO"], inputs["FRAMES"], inputs["DETAILS"]]
    labels += [
        answers["dense"],
        texts["first_token"]["FIRST_TOKEN"]["name"],
        answers["hand"],
        texts["word_frames"]["WORD_FRAMES"]["hand"],
    ]
    labels += [texts["estimate"]["ESTIMATE"][name] for name in ("name", "kv", "share")]
    glossary = (ROOT / "docs" / "glossary.md").read_text(encoding="utf-8").lower()
    known = {word for cell in re.findall(r"^\| (.*?) \|", glossary, re.MULTILINE) for word in cell.split(", ")}
    assert len(labels) > 30 and not {re.sub(r"^[+×] | \(.*\)$", "", label).lower() for label in labels} - known


def test_make_names_every_command_that_a_page_gives():
    targets = re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for path in TEXTS:
        for name in re.findall(r"\bmake ([a-z][\w-]*)", re.sub(r"[^`]*`([^`]*)`|.", r"\1\n", path.read_text())):
            assert name in targets, f"{path.name}: make {name}"


def test_entries_of_a_docstring_become_a_list():
    text = "A box.\n\nsize:  how large it is,\n       in mm.\nlid, key: what shuts it.\nRaises ValueError if it is 0."
    entries = "- `size`: how large it is,\n    in mm.\n- `lid`, `key`: what shuts it."
    assert as_markdown(text) == f"A box.\n\n{entries}\n\nRaises ValueError if it is 0."


def test_a_docstring_without_entries_stays():
    text = "Box: one line.\n\nA second paragraph: with a colon\nand another line."
    assert as_markdown(text) == text


def test_the_tree_of_the_house_is_the_tree():
    """What it names is there, and no folder of Python is left out."""
    (tree,) = re.findall(r"^```\n(.*?)^```", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE | re.DOTALL)
    above, found = [ROOT], set()
    for line in tree.splitlines():
        depth, names = (len(line) - len(line.lstrip())) // 2, re.findall(r"\w+\.py|\w+/", line)
        places = [next(above[depth].rglob(name), name) for name in names] if depth else [ROOT / names[0]]
        assert all(isinstance(place, Path) and place.exists() for place in places), places
        above[depth + 1 :] = places[:1]
        found |= set(places)
    folders = {path.parent for room in ("aim_core", "page", "visual") for path in (ROOT / room).rglob("*.py")}
    assert not folders - found
