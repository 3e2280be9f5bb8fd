"""Why the bus is away, from what an attempt to connect met."""

import ssl
from datetime import UTC, datetime, timedelta

import pytest
from common.outages import OUTAGES, why
from nats.errors import Error as NatsError

NOW = datetime(2026, 11, 23, tzinfo=UTC)
VALID = (NOW - timedelta(days=1), NOW + timedelta(days=1))


def refused(code):
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = code
    return error


@pytest.mark.parametrize(
    "error, code",
    [
        (refused(10), "broker-certificate-expired"),
        (refused(19), "broker-certificate-refused"),
        (refused(62), "broker-certificate-refused"),
        (ssl.SSLError(1, "[SSL] tlsv1 alert unknown ca"), "certificate-refused"),
        (ssl.SSLError(1, "[SSL] tlsv13 alert certificate required"), "certificate-refused"),
        (ssl.SSLError(1, "[SSL] sslv3 alert certificate expired"), "certificate-expired"),
        (ssl.SSLError(1, "[SSL] wrong version number"), "tls-failed"),
        (NatsError("nats: 'Authorization Violation'"), "key-refused"),
        (FileNotFoundError(2, "no such file"), "credentials-unreadable"),
        (ConnectionRefusedError(111, "refused"), "unreachable"),
        (TimeoutError(), "no-answer"),
        (ConnectionResetError(104, "reset"), "connection-lost"),
        (OSError(113, "no route to host"), "unreachable"),
    ],
)
def test_each_failure_has_its_name(error, code):
    assert why(error, VALID, NOW).code == code
    assert why(error, None, NOW).code == code


def test_our_own_expired_certificate_explains_a_mere_reset():
    assert why(ConnectionResetError(), VALID, NOW + timedelta(days=2)).code == "certificate-expired"
    assert why(ConnectionResetError(), VALID, NOW - timedelta(days=2)).code == "certificate-not-yet-valid"
    assert why(refused(10), VALID, NOW + timedelta(days=2)).code == "broker-certificate-expired"


def test_every_name_says_what_to_do_in_both_languages():
    assert all(one.zh and one.en and one.code == code for code, one in OUTAGES.items())
