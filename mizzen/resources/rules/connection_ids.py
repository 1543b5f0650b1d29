"""What is refused in the block `connectionIds` of an HTTP3Policy."""

from mizzen.resources.declaring.findings import Findings
from mizzen.resources.formats import checks
from mizzen.resources.mizzen.connection_ids import MOST_BYTES, ConnectionIdSettings

SERVER_ID_BYTES, NONCE_BYTES = 4, 12  # where a policy says nothing: together one block of AES


def lengths(ids: ConnectionIdSettings) -> tuple[int, int]:
    """Of server id and nonce."""
    server_id = SERVER_ID_BYTES if ids.server_id_length is None else ids.server_id_length
    if ids.nonce_length is not None:
        return server_id, ids.nonce_length
    return server_id, max(4, min(NONCE_BYTES, MOST_BYTES - server_id))


def validate_connection_ids(ids: ConnectionIdSettings, found: Findings) -> None:
    if not ids.encryption_secret:
        found.error("VAL-001", f"{ids.at}.encryptionSecret", "there is no key without a Secret")
    elif any(checks.dns_label(part) for part in ids.encryption_secret.split(".")):
        found.error("VAL-013", f"{ids.at}.encryptionSecret", "a Secret cannot be called so")
    if sum(lengths(ids)) > MOST_BYTES:
        message = f"server id and nonce have {sum(lengths(ids))} bytes together, and {MOST_BYTES} find room"
        found.error("VAL-013", f"{ids.at}.nonceLength", message, "Make one of them shorter.")
