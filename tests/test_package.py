"""What `import dcgan_tf` gives and starts, that no module imports itself over others, and files that appear whole."""

import ast
import graphlib
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import dcgan_tf as dcgan
from dcgan_tf.runtime import files

ROOT = Path(__file__).resolve().parent.parent


def test_every_name_is_there_and_a_module_is_found_in_a_file_of_its_own_name():
    assert set(dcgan.__all__) | {"__version__"} == set(dir(dcgan))
    for name in dcgan.__all__:
        found = getattr(dcgan, name)
        if isinstance(found, ModuleType):
            file = Path(found.__file__)
            assert name == (file.parent.name if file.stem == "__init__" else file.stem)
        else:
            assert callable(found) and found.__name__ == name


def test_the_command_line_and_the_data_do_not_start_tensorflow():
    script = (
        "import sys, dcgan_tf as d, dcgan_tf.cli, numpy_dcgan; d.datasets.load('monsters'); d.presets.PRESETS; d.gif"
    )
    script += "; assert not {'tensorflow', 'keras'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


def nodes(tree, within_functions):
    for node in ast.iter_child_nodes(tree):
        if within_functions or not isinstance(node, ast.FunctionDef):
            yield node
            yield from nodes(node, within_functions)


def parents(module):
    names = module.split(".")
    return {".".join(names[:i]) for i in range(1, len(names))}


def test_no_module_imports_itself_over_others():
    """For annotations too, and in functions, but for those that put TensorFlow off: in cli.py and __init__.py."""
    paths = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (ROOT / "dcgan_tf").rglob("*.py")
    }
    graph = {}
    for name, path in paths.items():
        found = set()
        for node in nodes(ast.parse(path.read_text()), path.name not in ("cli.py", "__init__.py")):
            if isinstance(node, ast.Import):
                found |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{name}: a relative import"
                inside = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= {one if one in paths else node.module for one in inside}
        on_the_way = set().union(*map(parents, found)) - parents(name) - {name}
        graph[name] = (found | on_the_way) & set(paths)
    assert len(graph) > 30
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


def test_an_unfinished_file_or_folder_leaves_what_was_there(tmp_path):
    for name in ("file", "folder"):
        path = tmp_path / name
        for content in ("old", "new", None):
            try:
                with files.atomic(path) as partial:
                    target = partial
                    if name == "folder":
                        partial.mkdir()
                        target = partial / "inside"
                    target.write_text(content or "half")
                    if content is None:
                        raise KeyboardInterrupt
            except KeyboardInterrupt:
                pass
        assert (path / "inside" if name == "folder" else path).read_text() == "new"
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder"}


def test_only_old_unfinished_files_are_removed_from_the_cache(tmp_path):
    for name, age in (("old", 7_200), ("young", 0)):
        path = tmp_path / f"{files.PARTIAL}1-{name}"
        path.mkdir()
        (path / "pixels").touch()
        os.utime(path, (time.time() - age,) * 2)
    files.remove_partial(tmp_path, older_than=3_600)
    assert [path.name for path in tmp_path.iterdir()] == [f"{files.PARTIAL}1-young"]


def test_every_benchmark_and_build_script_finds_what_it_imports():
    scripts = [path for folder in ("benchmarks", "gifs", "weights") for path in (ROOT / folder).glob("*.py")]
    names = [".".join(script.relative_to(ROOT).with_suffix("").parts) for script in scripts]
    names.sort(key=lambda name: name != "benchmarks.numpy_step")  # first: it sets the number of threads
    assert len(names) > 10
    program = f"import importlib, sys; sys.argv = ['script']; [importlib.import_module(name) for name in {names!r}]"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
