"""The defaults of shedding."""

from mizzen.http3.shedding import INTERVAL
from mizzen.model.shedding import Shedding


def test_it_goes_sooner_than_it_comes_back_and_no_single_look_decides():
    shedding = Shedding(cpu_budget=80, recover_at=60)

    assert INTERVAL * 2 < shedding.after < shedding.calm
