"""HTTP POST to this machine and to private networks, and elsewhere only where the user has named the host."""

import contextlib
import io
import ipaddress
import json
import socket
import ssl
import time
from collections.abc import Collection, Mapping, Sequence
from http.client import HTTPS_PORT, HTTPConnection, HTTPException, HTTPResponse, InvalidURL
from typing import Any
from urllib.parse import urlsplit

from app.alerts.look_up import look_up
from app.alerts.rules import AlertError
from pose.address import public_name

TIMEOUT_S = 5.0  # from connecting to the answer

# Of `is_private` Python also thinks of addresses that lead elsewhere; these are the ones that RFC 1918, 4193 and the
# loopback ranges give. Link-local ones (169.254/16) are not among them: clouds keep their secrets there.
_PRIVATE = tuple(
    ipaddress.ip_network(net)
    for net in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
)


def post(
    url: str, values: Mapping[str, Any], allowed_hosts: Collection[str] = (), place: str = "the file of the rules"
) -> None:
    """Send the values as JSON. Redirects are not followed. Raises AlertError where it fails or is not allowed.

    place: the file with allowed_hosts, for the message.
    """
    shown = public_name(url)
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or parts.scheme not in ("http", "https"):
        raise AlertError(f"cannot post to {shown!r}: give an address like http://127.0.0.1:8000/alert")
    port = port or (443 if parts.scheme == "https" else 80)
    addresses = _addresses(host, port, shown, place, host.lower() in allowed_hosts)
    connection = _connection(parts.scheme, host, port, addresses)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", path, json.dumps(values), {"Content-Type": "application/json"})
        status = connection.getresponse().status
    except (OSError, HTTPException, ValueError) as error:
        raise AlertError(f"{shown} did not take the message: {_reason(error)}") from None
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise AlertError(f"{shown} answered with status {status}")


def _addresses(host: str, port: int, shown: str, place: str, allowed: bool) -> list[str]:
    """What the host's name stands for and may be posted to, in the system's order: looked up once, so that what was
    checked is what is connected to."""
    try:
        found = look_up(host, port, TIMEOUT_S)
    except (OSError, ValueError) as error:
        why = "no host can have this name" if isinstance(error, ValueError) else _reason(error)
        raise AlertError(f"{shown}: its host is not known ({why})") from None
    if addresses := [address for address in found if allowed or _is_private(address)]:
        return addresses
    name = repr(host) if host in shown.lower() else "its host"
    raise AlertError(
        f"{shown} is outside this machine and private networks; to send there, add {name} to allowed_hosts in {place}"
    )


def _is_private(address: str) -> bool:
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return any(ip in net for net in _PRIVATE if net.version == ip.version)


def _connection(scheme: str, host: str, port: int, addresses: Sequence[str]) -> HTTPConnection:
    if scheme == "https":
        return _PinnedTls(host, port, addresses)
    return _Pinned(host, port, addresses)


def _connected(addresses: Sequence[str], port: int) -> socket.socket:
    """To the first of them that takes the connection: "localhost" is often two, and a server may listen on one. OSError
    of the last one."""
    timeout_s = TIMEOUT_S / len(addresses)
    for address in addresses[:-1]:
        with contextlib.suppress(OSError):
            return socket.create_connection((address, port), timeout_s)
    return socket.create_connection((addresses[-1], port), timeout_s)


class _Timely(io.RawIOBase):
    """What a socket receives until a time: its own timeout begins anew with every byte."""

    def __init__(self, opened: socket.socket, deadline_s: float) -> None:
        self._socket, self._deadline_s = opened, deadline_s

    def readable(self) -> bool:
        """io's."""
        return True

    def readinto(self, buffer: Any) -> int:
        """io's. Raises TimeoutError."""
        _give_until(self._deadline_s, self._socket)
        return self._socket.recv_into(buffer)


class _TimelyAnswer(HTTPResponse):
    """Has to be complete in the time that its socket has left when the message has been sent."""

    def __init__(self, opened: socket.socket, *given: Any, **named: Any) -> None:
        super().__init__(opened, *given, **named)
        self.fp.close()
        self.fp = io.BufferedReader(_Timely(opened, time.monotonic() + (opened.gettimeout() or TIMEOUT_S)))


def _give_until(deadline_s: float, opened: socket.socket) -> None:
    left_s = deadline_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    opened.settimeout(left_s)


class _Pinned(HTTPConnection):
    """Connects to addresses that are already known."""

    response_class = _TimelyAnswer

    def __init__(self, host: str, port: int, addresses: Sequence[str]) -> None:
        super().__init__(host, port)
        self._addresses = addresses
        self._deadline_s = time.monotonic() + TIMEOUT_S

    def connect(self) -> None:
        """http.client's."""
        self.sock = _connected(self._addresses, self.port)
        _give_until(self._deadline_s, self.sock)


class _PinnedTls(_Pinned):
    default_port = HTTPS_PORT

    def connect(self) -> None:
        """http.client's."""
        super().connect()
        self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
        _give_until(self._deadline_s, self.sock)


def _reason(error: Exception) -> str:
    """Never the error's own text where that repeats the address, or what a server answered, which may be the same."""
    if isinstance(error, TimeoutError):
        return f"no answer within {TIMEOUT_S:.0f} s"
    if isinstance(error, InvalidURL | UnicodeError):
        return "the address has a space or another character that must be percent-encoded (a space is %20)"
    if isinstance(error, HTTPException | ValueError) and not isinstance(error, OSError):
        return "its answer is not HTTP"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)
