"""An installation's own authority, and a key that is changed step by step."""

import datetime
import json
import ssl

import pytest
from localnet import rotation
from localnet.certificates import Authority
from localnet.cli import app
from localnet.natsconf import BROKER
from localnet.paths import Folder
from localnet.secrets import Secrets
from localnet.trouble import Trouble
from typer.testing import CliRunner

NOW = datetime.datetime(2026, 11, 23, tzinfo=datetime.UTC)


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path / "tls")


def test_what_is_missing_is_made_once(authority):
    assert authority.ensure(["hub", "hohhot"], at=NOW) == [BROKER, "hub", "hohhot"]
    before = authority.files("hub").cert_file.read_bytes()
    assert authority.ensure(["hub", "hohhot"], at=NOW) == []
    assert authority.files("hub").cert_file.read_bytes() == before


def test_they_end_within_ninety_days_and_are_renewed_thirty_before(authority):
    authority.ensure(["hub"], at=NOW)
    assert authority.read("hub").days(NOW) == pytest.approx(90)
    assert authority.ensure(["hub"], at=NOW + datetime.timedelta(days=59)) == []
    assert authority.ensure(["hub"], at=NOW + datetime.timedelta(days=60)) == [BROKER, "hub"]


def test_the_broker_keeps_its_names_when_it_is_renewed(authority):
    authority.ensure([], names=["bus.example.org", "10.1.2.3"], at=NOW)
    authority.ensure([], at=NOW + datetime.timedelta(days=80))
    found = authority.read(BROKER)
    assert found.names == ("127.0.0.1", "localhost", "nats", "bus.example.org", "10.1.2.3")
    assert authority.ensure([], names=["other.example.org"], at=NOW + datetime.timedelta(days=80)) == [BROKER]


def test_files_are_the_owners_alone_and_fit_each_other(authority):
    authority.ensure(["hub"])
    files = authority.files("hub")
    for path in (authority.key_file, files.key_file, files.cert_file):
        assert path.stat().st_mode & 0o077 == 0
    context = ssl.create_default_context(cafile=files.ca_file)
    context.load_cert_chain(files.cert_file, files.key_file)
    assert [one.holder for one in authority.all(["hub", "absent"])] == ["ca", BROKER, "hub"]


def test_a_damaged_file_is_named(authority):
    authority.ensure(["hub"])
    authority.files("hub").cert_file.write_text("no certificate")
    with pytest.raises(Trouble, match=r"node\.crt"):
        authority.read("hub")
    authority.key_file.write_text("no key")
    with pytest.raises(Trouble, match=r"ca\.key"):
        authority.issue("hub")


def test_nobody_has_certificates_before_they_are_made(authority):
    assert authority.all(["hub"]) == []


def test_while_a_key_is_changed_old_and_new_are_accepted(tmp_path):
    secrets = Secrets(Folder(tmp_path).make()).make(["hohhot"])
    old = secrets.public_key("hohhot")
    assert secrets.further_keys("hohhot") == []
    rotation.prepare(secrets, "hohhot")
    (new,) = secrets.further_keys("hohhot")
    assert secrets.public_key("hohhot") == old
    rotation.hand_over(secrets, "hohhot")
    assert (secrets.public_key("hohhot"), secrets.further_keys("hohhot")) == (new, [old])
    rotation.finish(secrets, "hohhot")
    assert (secrets.public_key("hohhot"), secrets.further_keys("hohhot")) == (new, [])


def test_an_interrupted_change_of_key_goes_on(tmp_path, monkeypatch):
    secrets = Secrets(Folder(tmp_path).make()).make(["hohhot"])
    network = type("Network", (), {"secrets": secrets})()
    old, in_use, reloads = secrets.public_key("hohhot"), {secrets.public_key("hohhot")}, []
    monkeypatch.setattr(rotation, "keys_in_use", lambda network: in_use)

    def turn():
        return rotation.rotate(network, "hohhot", lambda: reloads.append(1), wait_s=0)

    assert turn() is False
    new = secrets.public_key("hohhot")
    assert new != old
    assert turn() is False  # the node still has the old one; no third key is made
    assert (secrets.public_key("hohhot"), secrets.further_keys("hohhot")) == (new, [old])
    in_use.clear()
    assert turn() is True
    assert (secrets.public_key("hohhot"), secrets.further_keys("hohhot")) == (new, [])
    assert len(reloads) == 2


def test_the_command_makes_lists_and_says_when_one_has_ended(tmp_path):
    place = ["--folder", str(tmp_path / "tls")]
    runner = CliRunner()
    made = runner.invoke(app, ["certificates", "make", "--name", "bus.example.org", *place])
    assert made.exit_code == 0, made.output
    assert runner.invoke(app, ["certificates", "list", *place]).exit_code == 0
    assert runner.invoke(app, ["certificates", "renew", "hohhot", "--days", "0", *place]).exit_code == 0
    listed = runner.invoke(app, ["certificates", "list", "--json", *place])
    assert listed.exit_code == 1
    states = {one["holder"]: one["state"] for one in json.loads(listed.output)}
    assert (states["hohhot"], states["nats"], states["ca"]) == ("expired", "valid", "valid")
