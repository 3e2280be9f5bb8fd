"""The image's health check: exit code 0 when this container's service is ready to work."""

import os
import socket
import sys


def ready(port: int) -> bool:
    """A bare socket, because it is run every ten seconds in every container and HTTP libraries load slowly."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.5) as link:
            link.settimeout(2.5)
            link.sendall(b"GET /readyz HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return link.recv(32).split(b" ", 2)[1:2] == [b"200"]
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if ready(int(os.environ.get("HUBNET_PORT", "8000"))) else 1)
