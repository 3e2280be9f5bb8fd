"""What a node proves itself with to the bus: its nkey seed, and its certificate where there is TLS.

Read anew for every connection, so that a renewed certificate or a new key needs no restart.
"""

import ssl
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from common.settings import Settings


@dataclass(frozen=True)
class Credentials:
    """One reading of the files. `certificate` is its validity, None without TLS."""

    seed: str
    context: ssl.SSLContext | None
    certificate: tuple[datetime, datetime] | None


def files(settings: Settings) -> list[Path]:
    named = (
        settings.nkey_seed_file,
        settings.nats_ca_file,
        settings.nats_cert_file,
        settings.nats_key_file,
    )
    return [path for path in named if path is not None]


def stamp(settings: Settings) -> tuple[tuple[int, int] | None, ...]:
    """What changes when one of the files does; nothing is read."""
    return tuple(map(_stamp, files(settings)))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino


def read(settings: Settings) -> Credentials:
    """Raises: OSError, ssl.SSLError or ValueError when a file is missing or damaged."""
    assert settings.nkey_seed_file is not None
    return Credentials(
        settings.nkey_seed_file.read_text().strip(), tls(settings), validity(settings.nats_cert_file)
    )


def tls(settings: Settings) -> ssl.SSLContext | None:
    """How this node proves itself to the broker, and the broker to it; None without certificates."""
    if settings.nats_ca_file is None:
        return None
    context = ssl.create_default_context(cafile=str(settings.nats_ca_file))
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    if settings.nats_cert_file and settings.nats_key_file:
        context.load_cert_chain(settings.nats_cert_file, settings.nats_key_file)
    return context


def validity(certificate: Path | None) -> tuple[datetime, datetime] | None:
    """From when until when a certificate holds. Raises: OSError, ValueError."""
    if certificate is None:
        return None
    from cryptography import x509  # noqa: PLC0415  (only nodes with certificates pay for it)

    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    return found.not_valid_before_utc, found.not_valid_after_utc
