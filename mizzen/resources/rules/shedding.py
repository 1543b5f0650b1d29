"""What is refused in the block `shedding` of an HTTP3Policy."""

from datetime import timedelta

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.mizzen.shedding import LONGEST, SheddingSettings


def validate_shedding(shedding: SheddingSettings, found: Findings) -> None:
    for name, value in (("after", shedding.after), ("calm", shedding.calm)):
        if value is not None and not timedelta(seconds=1) <= value <= LONGEST:
            found.error("VAL-009", f"{shedding.at}.{name}", "a time of 1s to 1h is wanted here")
    if shedding.recover_at is not None and shedding.recover_at >= shedding.cpu_budget:
        message = f"it comes back at {shedding.recover_at} % what goes at {shedding.cpu_budget} %: back and forth for ever"
        found.error("VAL-002", f"{shedding.at}.recoverAt", message, "Leave some percent between the two.")
