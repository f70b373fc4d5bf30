"""requirements.txt and requirements-dev.txt, from which make and CI install, ask for what pyproject.toml does."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def listed(name):
    """The requirements in a file, without comments and without those of other files."""
    lines = [line.split("#")[0].strip() for line in (ROOT / name).read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("-r ")]


def test_the_requirements_are_those_of_the_package_and_its_extras():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    extras = [line for line in extras if not line.startswith(project["name"])]  # an extra that names others
    notebooks, tools = listed("requirements.txt"), listed("requirements-dev.txt")
    assert set(project["dependencies"]) <= set(notebooks)
    assert sorted(notebooks + tools) == sorted(project["dependencies"] + extras)
    assert "-r requirements.txt" in (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
