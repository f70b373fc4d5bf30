"""Put the repository's address into every notebook and the README: python notebooks/stamp.py [ADDRESS]

The address stands in pyproject.toml (tool.dcgan_tf.repository). With an argument it is changed there first; the old one
is then replaced wherever it was stamped.
"""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "pyproject.toml"


def address():
    """The repository's address, https://github.com/OWNER/NAME."""
    return tomllib.loads(PROJECT.read_text(encoding="utf-8"))["tool"]["dcgan_tf"]["repository"]


def main():
    old = address()
    new = (sys.argv[1] if len(sys.argv) > 1 else old).rstrip("/").removesuffix(".git")
    if not new.startswith("https://github.com/") or new.count("/") != 4:
        sys.exit(f"not an address of the form https://github.com/OWNER/NAME: {new}")
    old_path, new_path = (url.removeprefix("https://github.com/") for url in (old, new))
    old_page, new_page = (f"https://{'.github.io/'.join(path.split('/'))}/" for path in (old_path, new_path))
    names = "README.md", "CONTRIBUTING.md", "CITATION.cff", "playground/index.html", "playground/pictures.html"
    pages = [ROOT / name for name in names]
    for file in (PROJECT, *pages, *sorted((ROOT / "notebooks").glob("*.ipynb"))):
        text = file.read_text(encoding="utf-8")
        stamped = (
            text.replace(old, new).replace(f"github/{old_path}/", f"github/{new_path}/").replace(old_page, new_page)
        )
        if stamped != text:
            file.write_text(stamped, encoding="utf-8")
            print(f"stamped {file.relative_to(ROOT)}")
    print(f"the repository's address is {new}")


if __name__ == "__main__":
    main()
