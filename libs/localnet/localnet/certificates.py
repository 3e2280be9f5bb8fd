"""The certificate authority of one installation, and what it issues: the broker and each node prove themselves.

One folder for each holder, as the containers and the nodes at other sites take it: `nats/` has server.crt and
server.key, a node's folder node.crt and node.key, both ca.crt.
"""

import datetime
import ipaddress
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from localnet.natsconf import BROKER, Tls, tls_files
from localnet.paths import refused_by_disk
from localnet.trouble import Trouble

CA_YEARS = 10
DAYS = 90
RENEW_DAYS = 30
BACKDATED = datetime.timedelta(minutes=10)  # clocks of other sites may lag
HERE = ("127.0.0.1", "localhost")


@dataclass(frozen=True)
class Certificate:
    """What is told of one: whose it is, the names it holds for, and until when."""

    holder: str
    names: tuple[str, ...]
    expires_at: datetime.datetime

    def days(self, at: datetime.datetime) -> float:
        return (self.expires_at - at).total_seconds() / 86_400


@dataclass(frozen=True)
class Authority:
    """The folder of an installation's certificates; the authority's key never leaves it."""

    folder: Path

    @property
    def certificate_file(self) -> Path:
        return self.folder / "ca.crt"

    @property
    def key_file(self) -> Path:
        return self.folder / "ca.key"

    def files(self, holder: str) -> Tls:
        return tls_files(self.folder, holder)

    def ensure(
        self, nodes: Iterable[str], *, names: Sequence[str] = (), at: datetime.datetime | None = None
    ) -> list[str]:
        """Make what is missing, and renew what ends within 30 days; whose certificates are new.

        Raises: Trouble when a file is damaged or the disk refuses.
        """
        now = at or clock()
        renewed: list[str] = []
        for holder in (BROKER, *nodes):
            found = self.read(holder)
            asked = tuple(names) if holder == BROKER else ()
            if found and found.days(now) > RENEW_DAYS and set(asked) <= set(found.names):
                continue
            self.issue(holder, names=(*(found.names if found else ()), *asked), at=now)
            renewed.append(holder)
        return renewed

    def issue(
        self,
        holder: str,
        *,
        names: Sequence[str] = (),
        days: float = DAYS,
        at: datetime.datetime | None = None,
    ) -> Certificate:
        """A new key and certificate; the old files are replaced whole.

        Raises: Trouble.
        """
        now, server = at or clock(), holder == BROKER
        try:
            issuer, signer = self._authority(now)
            key = ec.generate_private_key(ec.SECP256R1())
            held = tuple(dict.fromkeys((*HERE, BROKER, *names) if server else (holder,)))
            # The servers of a cluster call each other.
            usage = [ExtendedKeyUsageOID.SERVER_AUTH] if server else []
            ends = min(now + datetime.timedelta(days=days), issuer.not_valid_after_utc)
            made = (
                x509.CertificateBuilder()
                .subject_name(_name(holder))
                .issuer_name(issuer.subject)
                .public_key(key.public_key())
                .serial_number(x509.random_serial_number())
                .not_valid_before(min(now, ends) - BACKDATED)
                .not_valid_after(ends)
                .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                .add_extension(
                    x509.ExtendedKeyUsage([*usage, ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
                )
                .add_extension(x509.SubjectAlternativeName([_general(name) for name in held]), critical=False)
                .add_extension(
                    x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
                )
                .sign(signer, hashes.SHA256())
            )
            files = self.files(holder)
            files.key_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            write(files.ca_file, issuer.public_bytes(serialization.Encoding.PEM))
            # The key first: who reads between the two finds a pair that does not fit, and reads again.
            write(files.key_file, _pem(key))
            write(files.cert_file, made.public_bytes(serialization.Encoding.PEM))
        except OSError as error:
            raise refused_by_disk(self.folder, error) from error
        return _told(holder, made)

    def read(self, holder: str) -> Certificate | None:
        """Raises: Trouble when it cannot be read."""
        path = self.files(holder).cert_file
        try:
            return _told(holder, x509.load_pem_x509_certificate(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise damaged(path, error) from error

    def all(self, nodes: Iterable[str]) -> list[Certificate]:
        """The authority's own first, then the broker's, then the nodes'; those that are there."""
        try:
            own = _told("ca", x509.load_pem_x509_certificate(self.certificate_file.read_bytes()))
        except FileNotFoundError:
            return []
        except (OSError, ValueError) as error:
            raise damaged(self.certificate_file, error) from error
        return [own, *(found for holder in (BROKER, *nodes) if (found := self.read(holder)))]

    def _authority(self, now: datetime.datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
        if self.key_file.exists():
            try:
                key = serialization.load_pem_private_key(self.key_file.read_bytes(), None)
                assert isinstance(key, ec.EllipticCurvePrivateKey)
                return x509.load_pem_x509_certificate(self.certificate_file.read_bytes()), key
            except (OSError, ValueError, TypeError, AssertionError) as error:
                raise damaged(self.key_file, error) from error
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("Hubnet bus authority")
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKDATED)
            .not_valid_after(now + datetime.timedelta(days=365 * CA_YEARS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=False, content_commitment=False, key_encipherment=False,
                    data_encipherment=False, key_agreement=False, key_cert_sign=True, crl_sign=True,
                    encipher_only=False, decipher_only=False,
                ),
                critical=True,
            )
            .sign(key, hashes.SHA256())
        )  # fmt: skip
        write(self.certificate_file, made.public_bytes(serialization.Encoding.PEM))
        write(self.key_file, _pem(key))  # last: with the key there, the certificate is too
        return made, key


def clock() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def damaged(path: Path, error: Exception) -> Trouble:
    return Trouble(
        (f"证书文件损坏：{path}", f"the certificate file is damaged: {path} ({error})"),
        ("证书与密钥成对保存", "a certificate and its key belong together"),
        (
            "从备份恢复，或删除该持有者的目录后运行 hubnet certificates renew",
            "restore it from a backup, or delete that holder's folder and run hubnet certificates renew",
        ),
    )


def write(path: Path, content: bytes) -> None:
    """Replace a file whole, for the owner only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    draft.replace(path)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _told(holder: str, found: x509.Certificate) -> Certificate:
    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return Certificate(holder, (), found.not_valid_after_utc)
    return Certificate(holder, tuple(str(name.value) for name in names), found.not_valid_after_utc)
