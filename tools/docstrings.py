"""Docstrings: the lists of arguments and fields in them, shown as lists in the reference of the site.

Docstrings here name an argument and say what it is on one line, `keep_ratio:  share of visual tokens …`, and go on in
lines set further in. Markdown would run these lines into one paragraph. `mkdocs.yml` names this file as an extension of
griffe, which reads the docstrings for mkdocstrings.
"""

from __future__ import annotations

import re

import griffe

_ENTRY = re.compile(r"^(\w+(?:, \w+)*):\s+(?=\S)")
_RAISES = re.compile(r"^Raises ")


class Lists(griffe.Extension):
    """Rewrites every docstring as it is read."""

    def on_instance(self, *, obj: griffe.Object, **kwargs) -> None:
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(text: str) -> str:
    """A docstring with its entries as items of a list, and a blank line before and after each run of them.

    >>> as_markdown("A box.\\n\\nsize:  how large it is,\\n       in mm.\\nRaises ValueError if it is 0.")
    'A box.\\n\\n- `size`: how large it is,\\n    in mm.\\n\\nRaises ValueError if it is 0.'
    """
    lines, within = [], False
    for line in text.splitlines():
        entry = lines and _ENTRY.match(line)  # the first line is a sentence, whatever it looks like
        if within and not line[:1].isspace() and not entry and line:
            lines, within = [*lines, ""], False
        if entry:
            names = ", ".join(f"`{name}`" for name in entry[1].split(", "))
            lines += ([] if within or not lines or not lines[-1] else [""]) + [f"- {names}: {line[entry.end() :]}"]
            within = True
        elif within:
            lines.append("    " + line.strip() if line else line)
        elif _RAISES.match(line) and lines and lines[-1] and not lines[-1].startswith("Raises"):
            lines += ["", line]
        else:
            lines.append(line)
    return "\n".join(lines)
