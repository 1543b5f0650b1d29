"""Whatever happens."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from mizzen.http3.announcement import Phase, State, header_value
from mizzen.http3.evidence import Evidence
from mizzen.http3.life import kept, step
from tests.unit.http3.harness import DAY, NOW, an_announcement

LOOKS = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from([None, True, False]),
        st.booleans(),
        st.integers(0, 60 * 24 * 3),
        st.booleans(),
    ),
    max_size=30,
)


@given(LOOKS)
def test_whatever_happens_h3_follows_proof_and_a_promise_is_taken_back(looks):
    announcement = an_announcement()
    state, now, proven_once, remembered = State(), NOW, False, NOW - DAY
    for acked, proven, wanted, minutes, is_written in looks:
        now += timedelta(minutes=minutes)
        state = step(state, Evidence(acked=acked, proven=proven), wanted=wanted, now=now)
        if is_written:
            state = kept(state)
        proven_once = proven_once or (acked and proven is True and wanted)
        value = header_value(announcement, state)
        if value is not None and value.startswith("h3"):
            assert proven_once and wanted
            assert proven is not False
            remembered = now + DAY
        elif now < remembered:
            assert value == "clear"
        assert (state.phase is Phase.WITHHELD) == (value is None)
