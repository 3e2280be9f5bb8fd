"""Why the bus cannot be reached, in words that say who has to do what."""

import ssl
from dataclasses import dataclass
from datetime import datetime

# OpenSSL's verification results: X509_V_ERR_CERT_NOT_YET_VALID, _HAS_EXPIRED.
NOT_YET_VALID, EXPIRED = 9, 10
Validity = tuple[datetime, datetime]


@dataclass(frozen=True)
class Outage:
    """One kind of failure; `code` is for programs and monitoring."""

    code: str
    zh: str
    en: str


OUTAGES = {
    outage.code: outage
    for outage in (
        Outage(
            "certificate-expired",
            "本节点证书已过期；请换发证书，本服务会自动读取",
            "this node's certificate has expired; renew it, the service reads it by itself",
        ),
        Outage(
            "certificate-not-yet-valid",
            "本节点证书尚未生效；请核对本机时钟",
            "this node's certificate is not valid yet; check this machine's clock",
        ),
        Outage(
            "certificate-refused",
            "消息服务器拒绝了本节点证书；请用其认可的证书机构换发",
            "the broker refuses this node's certificate; have it issued by the broker's authority",
        ),
        Outage(
            "broker-certificate-expired",
            "消息服务器的证书已过期；请通知枢纽运维换发",
            "the broker's certificate has expired; tell the hub's operations to renew it",
        ),
        Outage(
            "broker-certificate-refused",
            "消息服务器的证书不可信（机构或主机名不符）；请核对 HUBNET_NATS_CA_FILE 与地址",
            "the broker's certificate is not trusted (authority or host name); check HUBNET_NATS_CA_FILE and the address",
        ),
        Outage(
            "tls-failed",
            "与消息服务器的 TLS 握手失败；请核对地址、端口与中间设备",
            "the TLS handshake with the broker failed; check address, port and what lies between",
        ),
        Outage(
            "key-refused",
            "消息服务器不认可本节点密钥；请核对 HUBNET_NKEY_SEED_FILE",
            "the broker does not accept this node's key; check HUBNET_NKEY_SEED_FILE",
        ),
        Outage(
            "credentials-unreadable",
            "密钥或证书文件缺失或损坏；请核对各 HUBNET_*_FILE",
            "a key or certificate file is missing or damaged; check the HUBNET_*_FILE settings",
        ),
        Outage(
            "unreachable",
            "连不上消息服务器；请核对网络与防火墙（只需一条出站连接）",
            "the broker cannot be reached; check the network and the firewall (one outgoing connection is needed)",
        ),
        Outage(
            "no-answer",
            "消息服务器没有应答；请核对网络",
            "the broker does not answer; check the network",
        ),
        Outage(
            "connection-lost",
            "与消息服务器的连接中断，正在重连",
            "the connection to the broker was lost and is being made anew",
        ),
    )
}


def why(error: BaseException, certificate: Validity | None, at: datetime) -> Outage:
    """Name what an attempt to connect failed of.

    A broker that closes on a bad certificate may be heard as a mere reset, so ours is looked at first.
    """
    if certificate is not None and not isinstance(error, ssl.SSLCertVerificationError):
        if at > certificate[1]:
            return OUTAGES["certificate-expired"]
        if at < certificate[0]:
            return OUTAGES["certificate-not-yet-valid"]
    return OUTAGES[_code(error)]


def _code(error: BaseException) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        expired = error.verify_code in (EXPIRED, NOT_YET_VALID)
        return "broker-certificate-expired" if expired else "broker-certificate-refused"
    said = str(error).lower()
    if isinstance(error, ssl.SSLError):
        if "certificate expired" in said or "certificate_expired" in said:
            return "certificate-expired"
        refused = ("certificate" in said and "alert" in said) or "unknown ca" in said
        return "certificate-refused" if refused else "tls-failed"
    if "authorization" in said or "authentication" in said:
        return "key-refused"
    if isinstance(error, FileNotFoundError | PermissionError | ValueError):
        return "credentials-unreadable"
    if isinstance(error, TimeoutError) or "timeout" in said:
        return "no-answer"
    if isinstance(error, ConnectionResetError | ConnectionAbortedError | BrokenPipeError | EOFError):
        return "connection-lost"
    return "unreachable" if isinstance(error, OSError) else "connection-lost"
