"""Run notebooks and keep their outputs: python notebooks/run.py 01_mnist [00_theory ...] [--profile short]

The outputs are those of one real run from top to bottom. Progress bars are kept as they stood at the end; the machine's
paths and the run's time stamps are taken out, so that two runs differ only in what they computed.
"""

import argparse
import os
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from dcgan_tf.runtime import files

WIDGET = "application/vnd.jupyter.widget-view+json"
HERE = Path(__file__).resolve().parent
RUNS = os.environ.get("DCGAN_TF_RUNS", str(HERE.parent / "runs"))


def run(path, profile):
    """Execute one notebook in its own folder and write it back; returns the number of code cells."""
    os.environ["DCGAN_TF_PROFILE"] = profile
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=None, resources={"metadata": {"path": HERE}}, coalesce_streams=True)
    client.execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.get("outputs"):  # a slider is nothing without a kernel
            cell.outputs = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr":
                raise SystemExit(f"{path.name} wrote to stderr: {output['text'][:300]}")
            if "image/png" in output.get("data", {}):
                output["data"].pop("image/jpeg", None)  # Pillow gives both
            if "text" in output:
                output["text"] = output["text"].replace(RUNS, "../runs").replace(str(HERE.parent), "..")
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    with files.atomic(path) as partial:
        nbformat.write(notebook, partial)
    return sum(cell.cell_type == "code" for cell in notebook.cells)


def main():
    parser = argparse.ArgumentParser(description="Run notebooks and keep their outputs.")
    parser.add_argument("names", nargs="+", metavar="NOTEBOOK", help="such as 01_mnist")
    parser.add_argument("--profile", default="short", choices=("smoke", "short", "long"))
    options = parser.parse_args()
    for name in options.names:
        path = HERE / f"{name.removesuffix('.ipynb')}.ipynb"
        if not path.exists():
            sys.exit(f"no notebook {path.name}: there are {', '.join(sorted(p.stem for p in HERE.glob('*.ipynb')))}")
        print(f"running {path.name} in its {options.profile} profile ...", flush=True)
        then = time.perf_counter()
        try:
            cells = run(path, options.profile)
        except CellExecutionError as error:
            sys.exit(f"{path.name} failed; it was left as it was.\n{error}")
        print(f"{path.name}: {cells} code cells in {(time.perf_counter() - then) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
