"""Run the notebooks from top to bottom and write their outputs: `make notebooks` for all, `python notebooks/run.py NAME ...` for some."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).resolve().parent
NOTEBOOKS = sorted(HERE.glob("[0-9]_*.ipynb"))
TIMEOUT = 120
"""Seconds that one cell may take."""


def executed(path: Path) -> Any:
    """Run a notebook; returns it with the new outputs, without widgets and without metadata that differs between runs.

    Raises:
        nbclient.exceptions.CellExecutionError: a cell failed.
        nbclient.exceptions.CellTimeoutError: a cell took longer than TIMEOUT.
    """
    os.environ["SEMP_NO_WIDGETS"] = "1"
    notebook: Any = nbformat.read(path, as_version=4)  # pyright: ignore[reportUnknownVariableType]
    NotebookClient(notebook, timeout=TIMEOUT, resources={"metadata": {"path": str(HERE)}}, store_widget_state=False).execute()
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel, "language_info": {"name": "python"}})
    for cell in notebook.cells:
        cell.metadata.clear()
    return notebook


def main() -> None:
    """Run the named notebooks, or all, and write them back to their files."""
    for path in NOTEBOOKS:
        if len(sys.argv) == 1 or path.stem in sys.argv[1:]:
            began = time.monotonic()
            path.write_text(nbformat.writes(executed(path)) + "\n", "utf-8")
            print(f"{path.stem}: {time.monotonic() - began:.0f} s, {path.stat().st_size / 1024:.0f} KiB", flush=True)


if __name__ == "__main__":
    main()
