"""The choice of arithmetic, for machines that are not here, and of how long to train."""

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
def test_precision_suits_the_hardware_unless_one_is_asked_for(gpus, flags, policy):
    assert devices.precision("auto", gpus, flags)[0] == policy
    assert devices.precision("mixed_float16", gpus, flags)[0] == "mixed_float16"


def test_an_unknown_precision_is_refused():
    with pytest.raises(UserError, match="no precision named"):
        devices.precision("float8")


def test_flags_are_read_from_the_system(tmp_path):
    file = tmp_path / "cpuinfo"
    file.write_text("processor : 0\nflags\t\t: fpu amx_bf16 avx2\n")
    assert devices.cpu_flags(file) == {"fpu", "amx_bf16", "avx2"}
    assert devices.cpu_flags(tmp_path / "missing") == set()


@pytest.mark.parametrize("gpus", [[], [("A100", (8, 0))]])
def test_profile_follows_flag_then_environment_and_is_short_on_every_machine(monkeypatch, gpus):
    monkeypatch.setattr(devices, "gpus", lambda: gpus)
    monkeypatch.setenv("DCGAN_TF_PROFILE", "gpu")
    assert [presets.profile(name) for name in ("smoke", "short", "cpu")] == ["smoke", "short", "short"]
    assert presets.profile() == "long", "as it was named before"
    monkeypatch.delenv("DCGAN_TF_PROFILE")
    assert presets.profile() == "short"
    with pytest.raises(UserError, match="did you mean 'smoke'"):
        presets.profile("smok")


@pytest.mark.parametrize("preset", presets.PRESETS.values(), ids=lambda preset: preset.name)
def test_profiles_are_one_longer_than_the_other(preset):
    steps = [preset.schedule(name).steps for name in presets.PROFILES]
    assert steps == sorted(set(steps))


@pytest.mark.parametrize("profile", ["short", "long"])
def test_more_images_of_ones_own_take_more_steps_and_larger_ones_fewer(profile):
    by_count = [presets.own_schedules(count, (64, 64))[profile].steps for count in (50, 600, 1_500, 10_000)]
    by_size = [presets.own_schedules(2_000, size)[profile].steps for size in ((64, 64), (64, 128), (128, 128))]
    assert by_count == sorted(set(by_count)) and by_size == sorted(set(by_size), reverse=True)
    longest = presets.get("heroes" if profile == "short" else "anime").schedule(profile).steps
    assert presets.own_schedules(10**7, (28, 28))[profile].steps <= longest, "no more than the chapters' sets"
