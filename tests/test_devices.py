"""The choice of arithmetic, for machines that are not here."""

import pytest

from dcgan_tf import devices, presets
from dcgan_tf.errors import UserError


@pytest.mark.parametrize(
    ("gpus", "flags", "policy"),
    [
        ([("A100", (8, 0))], set(), "mixed_bfloat16"),
        ([("H100", (9, 0))], set(), "mixed_bfloat16"),
        ([("T4", (7, 5))], set(), "float32"),  # until mixed_float16 with R1 has been measured there
        ([("P100", (6, 0))], {"amx_bf16"}, "float32"),
        ([("Apple", None)], set(), "float32"),
        ([], {"amx_bf16", "avx2"}, "mixed_bfloat16"),
        ([], {"avx512_bf16"}, "mixed_bfloat16"),
        ([], {"avx512f", "avx2"}, "float32"),
        ([], set(), "float32"),
    ],
)
def test_precision_suits_the_hardware(gpus, flags, policy):
    chosen, reason = devices.precision("auto", gpus, flags)
    assert chosen == policy
    assert reason


def test_a_request_overrides_the_hardware():
    assert devices.precision("float32", [], {"amx_bf16"})[0] == "float32"


def test_an_unknown_precision_is_refused():
    with pytest.raises(UserError, match="no precision named"):
        devices.precision("float8")


def test_flags_are_read_from_the_system(tmp_path):
    file = tmp_path / "cpuinfo"
    file.write_text("processor : 0\nflags\t\t: fpu amx_bf16 avx2\n")
    assert devices.cpu_flags(file) == {"fpu", "amx_bf16", "avx2"}
    assert devices.cpu_flags(tmp_path / "missing") == set()


def test_profile_follows_flag_then_environment_then_hardware(monkeypatch):
    monkeypatch.setenv("DCGAN_TF_PROFILE", "smoke")
    assert presets.profile("gpu") == "gpu"
    assert presets.profile() == "smoke"
    monkeypatch.delenv("DCGAN_TF_PROFILE")
    assert presets.profile() == ("gpu" if devices.gpus() else "cpu")
    with pytest.raises(UserError, match="did you mean 'smoke'"):
        presets.profile("smok")


def test_gpu_schedule_is_at_least_the_tutorials_fifty_epochs():
    preset = presets.get("mnist")
    assert preset.schedule("gpu").steps * preset.batch_size >= 50 * 60_000
    assert preset.schedule("smoke").steps < preset.schedule("cpu").steps <= preset.schedule("gpu").steps
