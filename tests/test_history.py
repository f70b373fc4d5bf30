"""The table that a run keeps."""

import pytest

from dcgan_tf import figures
from dcgan_tf.errors import UserError
from dcgan_tf.training.history import COLUMNS, SCORES, History


def rows(steps):
    return [{c: s if c == "step" else s / 7 for c in COLUMNS} for s in steps]


def test_a_history_survives_its_file(tmp_path):
    History(rows([2, 4])).save(tmp_path / "history.csv")
    again = History.load(tmp_path / "history.csv")
    assert again["step"].tolist() == [2, 4]
    assert again["d_real"] == pytest.approx([2 / 7, 4 / 7], rel=1e-5)


def test_a_missing_file_is_an_empty_history(tmp_path):
    assert len(History.load(tmp_path / "history.csv")) == 0


def test_rows_past_a_step_are_cut():
    assert History(rows([2, 4, 6])).until(4)["step"].tolist() == [2, 4]


def test_a_file_with_other_columns_is_refused(tmp_path):
    (tmp_path / "history.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UserError, match="not a history"):
        History.load(tmp_path / "history.csv")


def test_a_row_needs_every_column():
    with pytest.raises(KeyError):
        History().append(step=1)


def test_the_best_row_is_the_lowest_kid_and_rows_without_one_survive_the_file(tmp_path):
    history = History()
    for step, scores in ((1, {}), (2, {"kid": 0.5}), (3, {"kid": 0.1, "fid": 7.0, "kid_error": 0.2}), (4, {})):
        history.append(**{**rows([step])[0], "fid": float("nan"), "kid": float("nan"), **scores})
    history.append(**{name: value for name, value in rows([5])[0].items() if name not in SCORES})
    history.save(tmp_path / "history.csv")
    again = History.load(tmp_path / "history.csv")
    assert again.best()["step"] == 3 and again.best()["fid"] == 7
    assert [bool(x) for x in again["kid"] == again["kid"]] == [False, True, True, False, False]
    assert History(history.rows[:1]).best() is None


def test_a_loop_of_ones_own_may_leave_out_the_metrics():
    history = History()
    for step, kid in ((1, 0.2), (2, 0.1)):
        row = {name: value for name, value in rows([step])[0].items() if name not in SCORES}
        history.append(**row, kid=kid)
    assert history.best()["step"] == 2
    assert figures.plot_history(history)


def test_the_history_of_an_older_version_is_read_without_the_columns_that_there_are_no_more(tmp_path):
    (tmp_path / "history.csv").write_text("step,g_loss,size,frozen\n1,0.5,16,1\n2,0.25,32,0\n")
    history = History.load(tmp_path / "history.csv")
    assert history["g_loss"].tolist() == [0.5, 0.25] and set(history.rows[0]) == set(COLUMNS)


def test_a_row_that_is_cut_short_is_one_line(tmp_path):
    (tmp_path / "history.csv").write_text("step,epoch,g_loss\n1,0.1,0.5\n2,0.2\n")
    with pytest.raises(UserError, match=r"history.csv is damaged in line 3"):
        History.load(tmp_path / "history.csv")
