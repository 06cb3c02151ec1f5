"""Touch targets: which controls of a page a finger may miss, found by asking what lies around the middle of each."""

from __future__ import annotations

SIDE = 44  # CSS pixels
# Controls that may be smaller, each with its reason.
EXCEPTIONS = (
    "p a, li a, td a",  # links within a text, which a line's height limits
    "input[type=file]",  # never shown: the area around it is the target
    "[data-testid=toast-body] *",  # gone by themselves
)
_SMALL = """async ([side, exceptions]) => {
    const kinds = 'a[href], button, input, select, textarea, summary, [role=button], [role=tab], [role=slider], '
        + '.tr-body'; // a row of samples
    const isShown = (one) => one.checkVisibility({ visibilityProperty: true }) && one.getClientRects().length
        && !one.disabled && !one.matches(exceptions);
    const found = [];
    for (const one of document.querySelectorAll(kinds)) {
        if (!isShown(one)) continue;
        one.scrollIntoView({ block: 'center', inline: 'center', behavior: 'instant' });
        const target = one.matches('[type=radio], [type=checkbox]') && one.closest('label') || one;
        const { left, top, width, height } = target.getBoundingClientRect();
        if (width <= 1 || height <= 1) continue; // for screen readers
        const [x, y] = [left + width / 2, top + height / 2];
        const holds = (dx, dy) => {
            const hit = document.elementFromPoint(x + dx, y + dy);
            return hit && (target.contains(hit) || hit.closest('label')?.control === one);
        };
        const reach = side / 2 - 0.75;
        const around = [[reach, 0], [-reach, 0], [0, reach], [0, -reach]];
        if (Math.min(width, height) >= side - 0.5 || around.every((at) => holds(...at))) continue;
        const name = one.getAttribute('aria-label') || one.textContent.trim() || one.name || one.className;
        const size = `${width.toFixed(0)}x${height.toFixed(0)}`;
        found.push(`#${one.closest('[id]')?.id}: ${one.tagName.toLowerCase()} ${name.slice(0, 40)} ${size}`);
    }
    return [...new Set(found)]; }"""


def small_targets(page) -> list[str]:
    """A line for each control in sight, folds as they are, in whose 44 by 44 pixels not every touch reaches it."""
    return page.evaluate(_SMALL, [SIDE, ", ".join(EXCEPTIONS)])
