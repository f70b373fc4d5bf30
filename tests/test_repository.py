"""The repository as a visitor finds it: notebooks, badges, links, the set-up cell."""

import importlib.util
import io
import json
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def load_script(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ADDRESS = load_script(ROOT / "notebooks" / "stamp.py").address()


def cells(path, kind):
    return [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == kind]


def source(cell):
    return "".join(cell["source"])


def setup_cell(path):
    (found,) = [cell for cell in cells(path, "code") if "setup" in cell["metadata"].get("tags", [])]
    return source(found)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestNotebook:
    def test_opens_with_badges_that_lead_to_itself(self, path):
        first = source(cells(path, "markdown")[0])
        owner = ADDRESS.removeprefix("https://github.com/")
        assert first.startswith("# ")
        assert f"colab.research.google.com/github/{owner}/blob/main/notebooks/{path.name}" in first
        assert f"kernels/welcome?src={ADDRESS}/blob/main/notebooks/{path.name}" in first

    def test_set_up_cell_names_the_repository(self, path):
        assert f'REPOSITORY = "{ADDRESS}"' in setup_cell(path)
        assert setup_cell(path) == setup_cell(NOTEBOOKS[0]), "one set-up cell for all"

    def test_solutions_parse_and_use_only_names_that_the_chapter_has(self, path):
        code = "\n".join(source(cell) for cell in cells(path, "code"))
        code = re.sub(r"^%.*$", "", code, flags=re.MULTILINE)
        for cell in cells(path, "markdown"):
            code += "\n" + "\n".join(re.findall(r"```python\n(.*?)```", source(cell), re.DOTALL))
        command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F821,E9", "-"]
        result = subprocess.run(command, input=code, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout

    def test_outputs_are_those_of_one_clean_run(self, path):
        code = cells(path, "code")
        assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
        outputs = [output for cell in code for output in cell["outputs"]]
        assert not [output for output in outputs if output["output_type"] == "error" or output.get("name") == "stderr"]
        assert not re.search(r"/(root|home|tmp|work|Users)/", json.dumps(outputs))

    def test_ends_with_exercises_and_the_way_to_the_next(self, path):
        text, last = "\n".join(map(source, cells(path, "markdown"))), source(cells(path, "markdown")[-1])
        assert "\n## Summary\n" in text and "\n## Exercises\n" in text and "<details>" in text
        after = NOTEBOOKS[NOTEBOOKS.index(path) + 1].name if path != NOTEBOOKS[-1] else "../README.md"
        assert f"]({after})" in last.split("**Next:**")[1]

    def test_is_spelled_right(self, path):
        text = "\n\n".join(map(source, cells(path, "markdown") + cells(path, "code")))
        command = [sys.executable, "-m", "codespell_lib", "-"]
        found = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True)
        assert (found.returncode, found.stdout) == (0, "")

    def test_relative_links_lead_somewhere(self, path):
        text = "\n".join(map(source, cells(path, "markdown")))
        links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
        assert [link for link in links if not (path.parent / link).exists()] == []


def anchors(page):
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"(?m)^#+ (.+)$", page.read_text())
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_links_of_pages_lead_somewhere():
    folders = ("datasets", "docs", "benchmarks", "weights")
    for page in [*ROOT.glob("*.md"), *(path for folder in folders for path in (ROOT / folder).glob("*.md"))]:
        text = page.read_text()
        links = ["".join(link) for link in re.findall(r"\]\(([^)#]+)[)#]|(?:src|href)=\"([^\"#]+)\"", text)]
        assert [link for link in links if "://" not in link and not (page.parent / link).exists()] == [], page
        for file, anchor in re.findall(r"\]\(([^):#]*)#([^)]+)\)", text):
            assert anchor in anchors(page.parent / file if file else page), f"{page.name}: {file}#{anchor}"


def test_gifs_are_small():
    sizes = {path.name: path.stat().st_size for path in (ROOT / "gifs").glob("*.gif")}
    assert sizes and max(sizes.values()) < 3_000_000 and sum(sizes.values()) < 15_000_000


@pytest.mark.slow
def test_set_up_cell_installs_the_package_where_there_is_none(tmp_path):
    """As on Colab: google.colab is there, dcgan_tf is not; a local clone stands for the address."""
    (tmp_path / "modules" / "google" / "colab").mkdir(parents=True)
    (tmp_path / "modules" / "google" / "colab" / "__init__.py").touch()
    work = tmp_path / "content" / "here"
    work.mkdir(parents=True)
    origin = tmp_path / "origin"
    archive = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(origin, filter="data")
    for command in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["-c", "user.name=test", "-c", "user.email=test@localhost", "commit", "--quiet", "-m", "all"],
        ["config", "uploadpack.allowFilter", "true"],  # pip clones without the files of other commits
        ["config", "uploadpack.allowAnySHA1InWant", "true"],
    ):
        subprocess.run(["git", *command], cwd=origin, check=True)
    program = "import google.colab\n" + setup_cell(NOTEBOOKS[0]) + "\nimport dcgan_tf\n"
    program += "print(dcgan_tf.__file__, RUNS)\nprint(dcgan_tf.datasets.load('monsters').shape)\n"
    packages = tmp_path / "packages"
    packages.mkdir()
    environment = {
        **os.environ,
        "DCGAN_TF_REPOSITORY": f"file://localhost{origin}",
        "PYTHONPATH": f"{tmp_path / 'modules'}{os.pathsep}{packages}",
        "PIP_TARGET": str(packages),
        "PIP_NO_DEPS": "1",  # they are here, and this test needs no network
        "PIP_NO_BUILD_ISOLATION": "0",  # pip reads this one as "is there isolation?"
    }
    environment.pop("DCGAN_TF_RUNS")
    for _ in range(2):  # the second run does nothing
        result = subprocess.run(
            [sys.executable, "-c", program], cwd=work, env=environment, capture_output=True, text=True, timeout=300
        )
        assert result.returncode == 0, result.stderr
        first, second = result.stdout.splitlines()
        assert first == f"{packages / 'dcgan_tf' / '__init__.py'} {work / 'runs'}"
        assert second == "(592, 64, 64, 3)"


def test_stamp_changes_badges_and_cells_together(tmp_path):
    pages = "README.md", "CONTRIBUTING.md", "playground/index.html", "playground/pictures.html"
    stamped = f"notebooks/{NOTEBOOKS[0].name}", *pages
    for name in ("pyproject.toml", "CITATION.cff", "notebooks/stamp.py", *stamped):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    command = [sys.executable, tmp_path / "notebooks" / "stamp.py"]
    subprocess.run([*command, "https://github.com/somebody/fork.git"], check=True, capture_output=True)
    owner, name = ADDRESS.removeprefix("https://github.com/").split("/")
    for file in ("pyproject.toml", *stamped):
        text = (tmp_path / file).read_text()
        assert "https://github.com/somebody/fork" in text
        assert f"{owner}/{name}" not in text and f"{owner}.github.io" not in text
    assert "https://somebody.github.io/fork/" in (tmp_path / "README.md").read_text()
    assert subprocess.run([*command, "ftp://nowhere"], capture_output=True).returncode == 1
