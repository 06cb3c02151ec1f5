"""The page's JavaScript modules in a real browser, without the app: their functions, and a panel alone on a page."""

from __future__ import annotations

from typing import Any

from page import assets, scripts

ORIGIN = "http://page.test/"  # every request to it is answered here
GREY = "data:image/gif;base64,R0lGODlhAQABAIAAAMLCwgAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw=="  # a picture
_EVALUATE = """async ([addresses, expression, argument]) => {
    const modules = await Promise.all(addresses.map((address) => import(address)));
    const scope = Object.assign({ argument }, ...modules);
    return Function(...Object.keys(scope), `return ${expression}`)(...Object.values(scope)); }"""
_MOUNT = """async ([address, template, props]) => {
    const element = Object.assign(document.createElement("div"), { id: "host", innerHTML: template });
    document.getElementById("host").replaceWith(element);
    const watch = (_, changed) => { window.changed = changed; };
    Object.assign(window, { props, asked: [] });
    const { start } = await import(address);
    start({ element, props, watch, trigger: (...event) => asked.push(event) }); }"""


def module_page(browser, content: str = "", **settings):
    """A page of its own from which the modules can be imported."""
    page = browser.new_page(**settings)
    page.route(f"{ORIGIN}**", _answer)
    page.goto(ORIGIN)
    page.set_content(content)
    return page


def evaluate(page, modules: tuple[str, ...], expression: str, argument: Any = None) -> Any:
    """The value of an expression about `argument` and what these modules under page/ export."""
    return page.evaluate(_EVALUATE, [[ORIGIN + name for name in modules], expression, argument])


def panel_page(browser, name: str, props: dict, **settings):
    """A panel, started with these props, which are `props` there; `asked` has what it triggered."""
    css = assets.text("components/common.css", f"components/{name}/{name}.css")
    page = module_page(browser, f"<style>#host {{ {css} }}</style><div id=host></div>", **settings)
    mount(page, name, props)
    return page


def mount(page, name: str, props: dict) -> None:
    """Start a panel in the place of the one that is there, as Gradio does when it makes a component again."""
    page.evaluate(
        _MOUNT, [f"{ORIGIN}components/{name}/{name}.js", assets.text(f"components/{name}/{name}.html"), props]
    )


def _answer(route) -> None:
    text = scripts.sources().get(route.request.url.removeprefix(ORIGIN))
    if text is None:
        return route.fulfill(body="<!doctype html>", content_type="text/html")
    return route.fulfill(body=text, content_type="text/javascript")
