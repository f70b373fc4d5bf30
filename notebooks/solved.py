"""Copies of the chapters with the solutions of their exercises as cells at the end: python notebooks/solved.py

They go to solved/. `make test` runs them, so a solution is run as often as the chapter that it belongs to.
"""

import re
import sys
from pathlib import Path

import nbformat

HERE = Path(__file__).resolve().parent
MARK = ".dcgan_tf"  # a file that lists the copies that this script has made


def solutions(notebook: nbformat.NotebookNode) -> list[str]:
    """The blocks of Python code in a notebook's text."""
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    return [block.strip() for text in texts for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL)]


def main() -> None:
    folder = HERE.parent / "solved"  # beside notebooks/, whose cells look for ../dcgan_tf
    if folder.exists() and not (folder / MARK).exists():
        sys.exit(f"{folder} was not made by this script: move it away")
    folder.mkdir(exist_ok=True)
    written = (folder / MARK).read_text().split() if (folder / MARK).exists() else []
    chapters = sorted(HERE.glob("*.ipynb"))
    (folder / MARK).write_text("\n".join(path.name for path in chapters))
    for name in written:
        (folder / name).unlink(missing_ok=True)
    for path in chapters:
        notebook = nbformat.read(path, as_version=4)
        notebook.cells += [nbformat.v4.new_code_cell(block) for block in solutions(notebook)]
        nbformat.write(notebook, folder / path.name)


if __name__ == "__main__":
    main()
