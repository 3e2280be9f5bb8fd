"""What a token is got with."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class ClientSecret:
    """A machine: the key of a platform, or a client that an operator made."""

    id: str
    secret: str = field(repr=False)

    def grant(self) -> dict[str, str]:
        return {"grant_type": "client_credentials", "client_id": self.id, "client_secret": self.secret}


@dataclass(frozen=True)
class ApiKey:
    """A key that somebody made for their own programs."""

    key: str = field(repr=False)

    def grant(self) -> dict[str, str]:
        return {"grant_type": "urn:hubnet:grant:api-key", "api_key": self.key}


@dataclass(frozen=True)
class Password:
    """A person."""

    username: str
    password: str = field(repr=False)

    def grant(self) -> dict[str, str]:
        return {"grant_type": "password", "username": self.username, "password": self.password}


@dataclass(frozen=True)
class Bearer:
    """A token that was got elsewhere, as of an external issuer. It is not renewed."""

    token: str = field(repr=False)


Credentials = ClientSecret | ApiKey | Password | Bearer
