"""What a training run recorded: a table with a row every few steps, kept as history.csv."""

import csv
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from dcgan_tf.errors import UserError
from dcgan_tf.runtime import files

COLUMNS = (
    "step",  # batches trained on so far
    "epoch",  # passes over the data so far, a fraction
    "g_loss",  # of this step, -E[log D(G(z))]
    "d_loss_real",  # -E[log D(x)]
    "d_loss_fake",  # -E[log(1 - D(G(z)))]
    "d_real",  # D(x), the mean probability given to reals, or a critic's mean score
    "d_fake",  # D(G(z)), the same for fakes
    "generator_learning_rate",
    "discriminator_learning_rate",
    "images_per_second",  # reals trained on, since the row before
    "fid",  # of the moving average against held-out images, at the steps where it was judged, else nan
    "kid",
    "kid_error",  # its standard error
    "inception_score",  # where the extractor has classes
)
SCORES = COLUMNS[-4:]


class History:
    """The rows of a run. `history["g_loss"]` is a column as a float64 array; `len(history)` counts the rows."""

    interrupted = False  # set by training.loop.fit when Ctrl-C or SIGTERM ended the run

    def __init__(self, rows: Iterable[dict] = ()):
        self.rows = [dict(row) for row in rows]

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, column):
        return np.array([row[column] for row in self.rows], dtype=np.float64)

    def seconds(self, batch_size: int) -> float:
        """The wall time of the recorded steps, samples and checkpoints included."""
        return float((np.diff(self["step"], prepend=0) * batch_size / self["images_per_second"]).sum())

    def append(self, **row: float) -> None:
        """Add a row, a keyword for each of COLUMNS; those of SCORES may be left out."""
        row = dict.fromkeys(SCORES, np.nan) | row
        self.rows.append({column: row[column] for column in COLUMNS})

    def best(self) -> dict | None:
        """The row of the lowest KID, or None where none was taken."""
        judged = [row for row in self.rows if not np.isnan(row["kid"])]
        return min(judged, key=lambda row: row["kid"], default=None)

    def until(self, step: int) -> "History":
        """The rows up to and including a step: what a run resumed there has really been through."""
        return History(row for row in self.rows if row["step"] <= step)

    def save(self, path: str | Path) -> None:
        """Write a CSV file; it appears whole or not at all."""
        with files.atomic(path) as partial, partial.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, COLUMNS)
            writer.writeheader()
            writer.writerows({k: v if k == "step" else f"{v:.6g}" for k, v in row.items()} for row in self.rows)

    @classmethod
    def load(cls, path: str | Path) -> "History":
        """Read what `save` wrote; a missing file is an empty history."""
        path = Path(path)
        if not path.exists():
            return cls()
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            known = set(reader.fieldnames or ()) & set(COLUMNS)  # an older version's has others
            if not {"step", "g_loss"} <= known:
                raise UserError(f"{path} is not a history: its columns differ. Move it away to start a new one")
            try:
                rows = [{k: (int if k == "step" else float)(row[k]) for k in known} for row in reader]
            except (TypeError, ValueError):
                raise UserError(f"{path} is damaged in line {reader.line_num}: mend it, or move it away") from None
        return cls(dict.fromkeys(COLUMNS, np.nan) | row for row in rows)
