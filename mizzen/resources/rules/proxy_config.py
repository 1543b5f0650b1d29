"""What is refused in a ProxyConfig, and what has no effect in it."""

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.istio.proxy_config import ProxyConfig
from mizzen.resources.rules import shared_rules


def validate_proxy_config(config: ProxyConfig, found: Findings) -> None:
    spec = config.spec
    if spec.selector is not None:
        shared_rules.selector(spec.selector.match_labels, f"{spec.selector.at}.matchLabels", found)
    if spec.image is not None and spec.image.image_type:
        message = "proxies run in the image of mizzen, of which there is one kind"
        found.warning("VAL-103", f"{spec.image.at}.imageType", message, "Leave it out.")
