"""Notebook: run docs/explore_a_run.ipynb from its first cell to its last and keep what it prints and draws.

    python -m tools.notebook

What libraries write to stderr is left out, and so are times of day, so that the same run gives the same file.
"""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

NOTEBOOK = Path(__file__).parent.parent / "docs" / "explore_a_run.ipynb"
SECONDS = 300  # for one cell


def executed(path: Path) -> NotebookNode:
    """The notebook with new outputs. Raises nbclient's CellExecutionError if a cell fails."""
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=SECONDS, resources={"metadata": {"path": str(path.parent)}}).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    notebook.metadata.pop("language_info", None)  # names the Python that ran it
    return notebook


def printed(notebook: NotebookNode) -> list[str]:
    """What each code cell printed."""
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return ["".join(output.text for output in cell.outputs if output.output_type == "stream") for cell in codes]


if __name__ == "__main__":
    nbformat.write(executed(NOTEBOOK), NOTEBOOK)
