"""Copies of the chapters with the solutions of their exercises as cells at the end: python notebooks/solved.py

They go to solved/. `make test` runs them, so a solution is run as often as the chapter that it belongs to.
"""

import re
import shutil
import sys
from pathlib import Path

import nbformat

HERE = Path(__file__).resolve().parent
MARK = ".dcgan_tf"  # what a folder of this script holds


def solutions(notebook: nbformat.NotebookNode) -> list[str]:
    """The blocks of Python code in a notebook's text."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return [block.strip() for text in texts for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]


def main() -> None:
    folder = HERE.parent / "solved"  # beside notebooks/, whose cells look for ../dcgan_tf
    if folder.exists():
        if not (folder / MARK).exists():
            sys.exit(f"{folder} was not made by this script: move it away")
        shutil.rmtree(folder)  # with the runs that its cells have left there
    folder.mkdir()
    (folder / MARK).touch()
    for path in sorted(HERE.glob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        notebook.cells += [nbformat.v4.new_code_cell(block) for block in solutions(notebook)]
        nbformat.write(notebook, folder / path.name)


if __name__ == "__main__":
    main()
