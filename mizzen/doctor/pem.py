"""PEM texts that the command line names: judged before anything is asked. Pure."""

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key


class Unreadable(ValueError):
    """Why a file cannot be used; the text is for who named it."""


def authorities(text: str) -> str:
    """Those of --cacert."""
    try:
        x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        raise Unreadable("--cacert: there is no certificate (PEM) in it") from None
    return text


def client(certificate: str, key: str) -> tuple[str, str]:
    """Certificate and key of --cert and --key, which must belong together; the key may stand beside the certificate."""
    try:
        leaf = x509.load_pem_x509_certificates(certificate.encode())[0]
    except ValueError:
        raise Unreadable("--cert: there is no certificate (PEM) in it") from None
    text = key or certificate
    try:
        private = load_pem_private_key(text.encode(), None)
    except TypeError:
        raise Unreadable("--key: it is encrypted; hand in one that is not") from None
    except ValueError:
        option = "--key" if key else "--cert"
        raise Unreadable(f"{option}: there is no private key (PEM) in it") from None
    if private.public_key() != leaf.public_key():
        raise Unreadable("--key does not belong to the certificate of --cert")
    return certificate, text
