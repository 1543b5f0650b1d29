"""What may be under way on an HTTP/2 connection of many clients."""

from mizzen.model.http2 import CONNECTION_WINDOW, MOST_STREAMS, STREAM_WINDOW, STREAMS


def test_all_streams_together_do_not_fill_the_window_of_their_connection() -> None:
    assert STREAMS <= MOST_STREAMS
    assert MOST_STREAMS * STREAM_WINDOW <= CONNECTION_WINDOW < 2**31  # RFC 9113, section 6.9.1
