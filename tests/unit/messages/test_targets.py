"""What a patch can be applied to has a message of Envoy's."""

from mizzen.messages.targets import MESSAGE_OF
from mizzen.model.patch import Target


def test_each_target_has_the_message_that_envoy_takes_there() -> None:
    assert set(MESSAGE_OF) == set(Target)
    assert MESSAGE_OF[Target.HTTP_ROUTE].DESCRIPTOR.full_name == "envoy.config.route.v3.Route"
