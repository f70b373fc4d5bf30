"""What `import dcgan_tf` gives: the names of the contract, when they are used, as editors see them."""

import ast
import os
import subprocess
import sys
import time
from pathlib import Path

import dcgan_tf as dcgan
from dcgan_tf.runtime import files

ROOT = Path(__file__).resolve().parent.parent


def test_every_name_is_there_and_editors_see_the_same_ones():
    assert set(dcgan.__all__) | {"__version__"} == set(dir(dcgan))
    for name in dcgan.__all__:
        assert getattr(dcgan, name) is not None
    tree = ast.parse((ROOT / "dcgan_tf" / "__init__.py").read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    shown = {alias.asname for line in block.body for alias in line.names}
    assert shown == set(dcgan.__all__)


def test_functions_of_the_contract_are_functions_and_modules_are_modules():
    for name in ("train", "sample", "export", "load_generator", "load_discriminator", "GAN", "History"):
        assert callable(getattr(dcgan, name)), name
    assert callable(dcgan.gif.save) and callable(dcgan.datasets.load) and callable(dcgan.devices.precision)


def test_numpy_dcgan_and_the_data_do_not_start_tensorflow():
    script = "import sys, dcgan_tf as d; d.numpy_dcgan; d.datasets.load('monsters'); d.presets; d.gif; d.latent"
    script += "; assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True)


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
        (path / "images.npy").touch()
        os.utime(path, (time.time() - age,) * 2)
    files.remove_partial(tmp_path, older_than=3_600)
    assert [path.name for path in tmp_path.iterdir()] == [f"{files.PARTIAL}1-young"]


FORBIDDEN = {  # what the modules of a folder must not import, so that data flows one way
    "runtime": ("data", "training", "evaluation", "pictures", "models", "gan", "presets", "sampling", "trainer"),
    "data": ("training", "evaluation", "pictures", "models", "gan", "presets", "sampling", "trainer"),
    "training": ("evaluation", "pictures", "trainer", "commands", "cli"),
    "pictures": ("training", "evaluation", "models", "gan", "presets", "sampling", "trainer", "commands", "cli"),
    "evaluation": ("pictures", "gan", "trainer", "commands", "cli"),
}


def imports_of(path):
    """The package's modules that a module imports, as names such as data.folder; within functions too.

    What it imports for annotations alone (under `if TYPE_CHECKING`) does not count.
    """
    tree = ast.parse(path.read_text())
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "dcgan_tf":
            home = node.module.removeprefix("dcgan_tf").lstrip(".")
            for alias in node.names:
                yield f"{home}.{alias.name}".lstrip(".")


def modules():
    package = ROOT / "dcgan_tf"
    return {".".join(path.relative_to(package).with_suffix("").parts): path for path in sorted(package.rglob("*.py"))}


def test_data_flows_one_way():
    for name, path in modules().items():
        for target in imports_of(path):
            home = target.split(".")[0]
            assert home not in FORBIDDEN.get(name.split(".")[0], ()), f"{name} imports {target}"


def test_no_module_imports_itself_over_others():
    found = modules()
    del found["__init__"]  # it imports nothing until it is asked
    graph = {}
    for name, path in found.items():
        targets = {target if target in found else target.rsplit(".", 1)[0] for target in imports_of(path)}
        graph[name.removesuffix(".__init__")] = {target.removesuffix(".__init__") for target in targets} - {name}
    done, here = set(), []

    def visit(name):
        assert name not in here, " imports ".join([*here, name])
        if name in done or name not in graph:
            return
        here.append(name)
        for target in sorted(graph[name]):
            visit(target)
        done.add(here.pop())

    for name in graph:
        visit(name)


def test_every_benchmark_and_build_script_finds_what_it_imports():
    scripts = [path for folder in ("benchmarks", "gifs", "weights") for path in (ROOT / folder).glob("*.py")]
    names = [".".join(script.relative_to(ROOT).with_suffix("").parts) for script in scripts]
    names.sort(key=lambda name: name != "benchmarks.numpy_step")  # first: it sets the number of threads
    assert len(names) > 10
    program = f"import importlib, sys; sys.argv = ['script']; [importlib.import_module(name) for name in {names!r}]"
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
