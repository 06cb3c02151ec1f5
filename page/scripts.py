"""Scripts: the page's JavaScript modules, served as they are, or as one text for a file that has no server."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from graphlib import TopologicalSorter
from posixpath import dirname, join, normpath

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from page.assets import PAGE

LANGUAGE = "page_language.js"  # runs before anything else
_IMPORT = re.compile(r'^import (\{[^}]+\}) from "(\.{1,2}/[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const) (\w+))", re.MULTILINE)
_DOCS = re.compile(r"^ */\*\*(?:(?!\*/).)*\*/\n", re.MULTILINE | re.DOTALL)
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}


@cache
def sources() -> dict[str, str]:
    """Every module of the page by its path under page/."""
    return {path.relative_to(PAGE).as_posix(): path.read_text(encoding="utf-8") for path in sorted(PAGE.rglob("*.js"))}


def folder() -> str:
    """Address of the modules beside that of the page; another one as soon as one of them has changed.

    Below gradio_api/, since where Node renders the page, only such addresses reach this app.
    """
    return f"gradio_api/scripts/{hashlib.sha256(json.dumps(sources()).encode()).hexdigest()[:16]}"


def route() -> Route:
    """Serves the modules and no other file; browsers may keep what they got."""

    def serve(request: Request) -> Response:
        text = sources().get(request.path_params["name"])
        if text is None:
            return Response(status_code=404)
        return Response(text, media_type="text/javascript", headers=_FOREVER)

    return Route(f"/{folder()}/{{name:path}}", serve)


def imported(name: str) -> str:
    """JavaScript for the promise of a module; relative to the page, wherever a proxy puts that."""
    return f'import(new URL("{folder()}/{name}", document.baseURI).href)'


def start(entry: str, events: tuple[str, ...]) -> str:
    """What Gradio runs for a panel: the `start` of its module, which gets what never changes, and the value of now,
    which it may set.

    Gradio takes each quoted name in it for an event.
    """
    names = ", ".join(f'"{event}"' for event in events)
    value = "get value() { return props.value; }, set value(given) { props.value = given; }"
    own = f"{{ ...JSON.parse(props.fixed), {value} }}"
    given = f"{{ element, props: {own}, watch, trigger, upload }}"
    return f"{imported(entry)}.then(({{ start }}) => start({given})); // {names}"


def call(name: str, function: str, *first: str) -> str:
    """A function of a module as an event of Gradio takes it; these texts come before what the event gives it."""
    given = "".join(f"{json.dumps(text)}, " for text in first)
    return f"async (...values) => (await {imported(name)}).{function}({given}...values)"


def needed(*entries: str) -> list[str]:
    """These modules and all that they import, each after its own imports. Raises CycleError where there is no such
    order."""
    imports: dict[str, list[str]] = {}
    left = [*entries]
    while left:
        name = left.pop()
        if name not in imports:
            found = _IMPORT.findall(sources()[name])
            imports[name] = [normpath(join(dirname(name), path)) for _, path in found]
            left += imports[name]
    return [*TopologicalSorter(imports).static_order()]


def bundle(*entries: str) -> str:
    """JavaScript that defines `modules`: what each of these modules and of those they need exports, by its path."""
    return "\n".join(["const modules = {};", *map(_wrapped, needed(*entries))])


def _wrapped(name: str) -> str:
    """A module, without its types, as the body of a function. Raises ValueError for an import or export that this does
    not know."""
    text = _DOCS.sub("", sources()[name])
    exports = ", ".join(_EXPORT.findall(text))
    body = _EXPORT.sub("", _IMPORT.sub(lambda found: _taken(name, *found.groups()), text))
    if unknown := re.search(r"^(import|export)\b.*", body, re.MULTILINE):
        raise ValueError(f"{name}: only names in braces are imported and only declarations exported: {unknown[0]}")
    return f'modules["{name}"] = (() => {{\n{body}\nreturn {{ {exports} }};\n}})();'


def _taken(name: str, names: str, path: str) -> str:
    """An import as a statement about `modules`."""
    return f'const {names.replace(" as ", ": ")} = modules["{normpath(join(dirname(name), path))}"];\n'
