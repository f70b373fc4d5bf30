"""Downloads: a file appears when it is complete and its checksum is right."""

import logging
from pathlib import Path

from dcgan_tf.errors import UserError
from dcgan_tf.runtime.progress import bar


def download(url: str, path: str | Path, sha256: str, timeout: float = 30, attempts: int = 4) -> Path:
    """Download a file unless it is there already; returns its path.

    It is written to a temporary file, checked and renamed. A connection that breaks or stalls, or a wrong checksum, is
    tried again after 1, 2, ... seconds.

    Args:
        url: where it is (http or https; redirects are followed).
        path: where it is to be.
        sha256: of the content, 64 hexadecimal digits.
        timeout: seconds without a byte after which the connection counts as broken.
        attempts: how often it is tried in all.

    Raises:
        UserError: it cannot be had; the reason in one line.
    """
    import pooch

    path = Path(path)
    pooch.get_logger().setLevel(logging.ERROR)
    shown = bar(total=1, unit="B", unit_scale=True, desc=path.name, leave=False)
    store = pooch.create(
        path.parent, "", registry={path.name: sha256}, urls={path.name: url}, retry_if_failed=attempts - 1
    )
    try:
        store.fetch(path.name, downloader=pooch.HTTPDownloader(timeout=timeout, progressbar=shown))
    except (ValueError, OSError) as error:  # those of requests are OSErrors
        reason = "it is not the file that was published" if "hash of downloaded" in str(error) else _reason(error)
        raise UserError(f"{path.name} cannot be downloaded from {url}: {reason}") from None
    finally:
        shown.close()
    return path


def _reason(error):
    """The innermost cause of an error, in one line."""
    while getattr(error, "__context__", None) or (error.args and isinstance(error.args[0], Exception)):
        error = error.__context__ or error.args[0]
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
