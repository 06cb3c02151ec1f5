"""Site: what the documentation shows that lies outside docs/: pictures, and the card of the embedded model.

A page links them as `../assets/…`, which works where the page is read in the repository; here these links are turned
into those of the site. `mkdocs.yml` names this file as a hook, and mkdocs calls its two functions.
"""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
PICTURES = {".png", ".gif", ".webp"}
CARD = Path("assets/model/README.md")
_LINKS = {"](../assets/model/README.md": "](model_card.md", "](../assets/": "](assets/"}
_LINKS_OF_CARD = {"](../": "](assets/"}  # it lies in assets/model


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """All files of docs/, and those of assets/ that pages show."""
    for path in sorted((ROOT / "assets").rglob("*")):
        if path.suffix in PICTURES:
            name = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, name, abs_src_path=str(path)))
    files.append(File.generated(config, "model_card.md", abs_src_path=str(ROOT / CARD)))
    return files


def on_page_markdown(markdown: str, page, config: MkDocsConfig, files: Files) -> str:
    """The page's text, with links that work in the site."""
    links = _LINKS_OF_CARD if page.file.src_uri == "model_card.md" else _LINKS
    for written, shown in links.items():
        markdown = markdown.replace(written, shown)
    return markdown
