"""axe-core on a page of the app: what of it some people cannot read, reach or hear."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.helpers.browsing import ROOT, drawn

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"  # `make test` installs it, as package-lock.json has it
THEMES = ("light", "dark")
# Of Gradio's own markup, which only Gradio can change: rule, selector.
GRADIOS = (
    ("aria-prohibited-attr", ".empty"),  # an empty component names a box that has no role
    ("label-content-name-mismatch", ".upload-container"),  # its name leaves out the text that is on it
    ("scrollable-region-focusable", ".cm-scroller"),  # a code editor that is only read scrolls by pointer alone
)
_FOLDS = """isOpen => {
    for (const one of document.querySelectorAll('details')) one.open = isOpen;
    const folds = [...document.querySelectorAll('button.label-wrap')];
    const others = folds.filter((one) => one.classList.contains('open') !== isOpen);
    for (const one of others) one.click();
    return others.length === 0; }"""
_TABS = "[...document.querySelectorAll('#results [role=tab]')].map(({ id }) => id)"
_RUN = """async ([known, tab]) => {
    const part = tab && document.getElementById(document.getElementById(tab).getAttribute('aria-controls'));
    const rules = { 'target-size': { enabled: true } };
    const { violations } = await axe.run(part || document, { resultTypes: ['violations'], rules, elementRef: true });
    const isKnown = (id, element) => known.some(([rule, own]) => rule === id && element.matches(own));
    const told = ({ target, html, any }) =>
        `${target.join(' ')} ${any.map(({ message }) => message).join(' ').slice(0, 200)} ${html.slice(0, 120)}`;
    return violations.flatMap(({ id, nodes }) =>
        nodes.filter(({ element }) => !isKnown(id, element)).map((node) => `${id}: ${told(node)}`)); }"""


@contextmanager
def unfolded(page) -> Iterator[None]:
    """Every fold is open meanwhile."""
    page.wait_for_function(_FOLDS, arg=True, polling=300)  # there are folds within folds
    yield
    page.wait_for_function(_FOLDS, arg=False, polling=300)


def audited(page) -> list[str]:
    """A line for each element that breaks a rule while every fold is open, in both themes: of the page, then of what
    each tab shows. Folds are shut again, and the tab is the one that was chosen."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
        page.add_style_tag(content="* { transition: none !important; }")  # no colour halfway to another
    found = []
    with unfolded(page):
        for theme in THEMES:
            page.evaluate("dark => document.body.classList.toggle('dark', dark)", theme == "dark")
            chosen = page.evaluate("document.querySelector('#results [role=tab][aria-selected=true]')?.id")
            found += [f"{theme}: {line}" for line in page.evaluate(_RUN, [GRADIOS, None])]
            for tab in page.evaluate(_TABS):
                page.locator(f"#{tab}").click()
                drawn(page)
                found += [f"{theme}, {tab}: {line}" for line in page.evaluate(_RUN, [GRADIOS, tab])]
            if chosen:
                page.locator(f"#{chosen}").click()
        page.evaluate("document.body.classList.remove('dark')")
    return found
