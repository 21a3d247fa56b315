import pytest

from vae_cli.kl_schedule.base import KlSchedule
from vae_cli.kl_schedule.constant import ConstantSchedule
from vae_cli.kl_schedule.cyclical import CyclicalSchedule
from vae_cli.kl_schedule.linear import LinearSchedule

CONSTANTS = [ConstantSchedule(), ConstantSchedule(weight=0), ConstantSchedule(weight=4.0)]
MOVING = [
    LinearSchedule(),
    LinearSchedule(warmup_steps=7),
    LinearSchedule(start=0.01, warmup_steps=10_000),
    LinearSchedule(start=0.7, warmup_steps=100),
    CyclicalSchedule(),
    CyclicalSchedule(cycle_steps=10, cycles=3, ratio=0.5),
    CyclicalSchedule(cycle_steps=50, cycles=2, ratio=0.28),
    CyclicalSchedule(cycle_steps=7, cycles=1, ratio=1.0),
    CyclicalSchedule(cycle_steps=8, cycles=4, ratio=1.0),
]
SCHEDULES = [*CONSTANTS, *MOVING]
ROWS = pytest.mark.parametrize("schedule", SCHEDULES, ids=repr)


@ROWS
def test_settles_at_the_step_it_says(schedule: KlSchedule) -> None:
    last = schedule.settled_at
    weights = [schedule(step) for step in range(last, last + 1000)]
    assert set(weights) == {weights[0]}
    # The one before may be 1 already, by the rounding of the step, but not the one before that.
    assert all(schedule(step) != weights[0] for step in range(last - 2, last - 1) if step >= 0)


@ROWS
def test_has_no_state(schedule: KlSchedule) -> None:
    steps = [0, 500, 3, 20_000, 1, 0, 7]
    alone = {step: schedule(step) for step in sorted(set(steps))}
    assert [schedule(step) for step in steps] == [alone[step] for step in steps]
    assert schedule == type(schedule)(**vars(schedule))


@pytest.mark.parametrize("schedule", MOVING, ids=repr)
def test_goes_to_one_within_bounds(schedule: KlSchedule) -> None:
    weights = [schedule(step) for step in range(12_000)]
    assert min(weights) == weights[0] < 1
    assert min(weights) >= 0
    assert max(weights) == weights[-1] == 1


@pytest.mark.parametrize("schedule", CONSTANTS, ids=repr)
def test_constant_is_constant(schedule: ConstantSchedule) -> None:
    assert schedule.settled_at == 0
    assert {schedule(step) for step in (0, 1, 10_000)} == {schedule.weight}


def test_linear_is_that_of_rezende() -> None:
    schedule = LinearSchedule(start=0.01, warmup_steps=10_000)
    for step in range(12_000):
        assert schedule(step) == min(1, 0.01 + step / 10_000)
    assert schedule.settled_at == 9900


def test_cyclical_is_that_of_fu() -> None:
    schedule = CyclicalSchedule(cycle_steps=4, cycles=2, ratio=0.5)
    assert [schedule(step) for step in range(10)] == [0, 0.5, 1, 1, 0, 0.5, 1, 1, 1, 1]
    assert schedule.settled_at == 6
