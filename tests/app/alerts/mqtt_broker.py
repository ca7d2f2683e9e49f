"""An MQTT broker (3.1.1) on this machine, as far as what publishes needs one: QoS 0 and 1, wills, passwords and TLS."""

import socket
import ssl
import threading
from contextlib import suppress
from typing import NamedTuple

_CONNECT, _CONNACK, _PUBLISH, _PUBACK, _PING, _PONG, _DISCONNECT = 1, 2, 3, 4, 12, 13, 14
_WRONG_PASSWORD = 5


class Message(NamedTuple):
    """A message as a client published it."""

    topic: str
    payload: str
    qos: int
    retain: bool


class FakeBroker:
    """Listens on `port` until close().

    published: every message in its order, wills among them. passwords: by user; None: everybody may connect.
    certificate: a file that holds one and its key; with it connections are by TLS. silent: while True, what comes is
    read and dropped, as by a network that fails without a word.
    """

    def __init__(self, *, passwords=None, certificate=None):
        self.published = []
        self.silent = False
        self._passwords = passwords
        self._clients, self._threads = [], []
        self._closing = threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            # The handshake comes with the first byte that is read, on the client's own thread.
            self._listening = context.wrap_socket(self._listening, server_side=True, do_handshake_on_connect=False)
        self._start(self._accept)

    def drop(self):
        """Break every connection, as a network that fails does."""
        for client in self._clients:
            with suppress(OSError):
                socket.socket.shutdown(client, socket.SHUT_RDWR)

    def close(self):
        """Listen no more, and end every thread."""
        self._closing.set()
        socket.create_connection(("127.0.0.1", self.port), 60).close()  # ends the wait for clients, on every system
        self._threads[0].join(60)
        self._listening.close()
        self.drop()
        for thread in self._threads:
            thread.join(60)

    def _start(self, what, *arguments):
        self._threads.append(threading.Thread(target=what, args=arguments, daemon=True))
        self._threads[-1].start()

    def _accept(self):
        while True:
            client, _ = self._listening.accept()
            if self._closing.is_set():
                client.close()
                return
            self._clients.append(client)
            self._start(self._serve, client)

    def _serve(self, client):
        will = None
        with suppress(OSError), client, client.makefile("rb") as stream:
            for kind, flags, body in _packets(stream):
                if self.silent:
                    continue
                if kind == _CONNECT:
                    will, refused = self._greeted(body)
                    client.sendall(bytes((_CONNACK << 4, 2, 0, refused)))
                    if refused:
                        break
                elif kind == _PUBLISH:
                    self._take(client, flags, body)
                elif kind == _PING:
                    client.sendall(bytes((_PONG << 4, 0)))
                elif kind == _DISCONNECT:
                    will = None
        if will is not None:
            self.published.append(will)

    def _greeted(self, body):
        """The client's will, and 0 or why it is refused."""
        _, rest = _text(body)  # "MQTT"
        flags, rest = rest[1], rest[4:]
        _, rest = _text(rest)  # the client's name
        will = None
        if flags & 4:
            topic, rest = _text(rest)
            payload, rest = _text(rest)
            will = Message(topic, payload, flags >> 3 & 3, bool(flags & 32))
        user, rest = _text(rest) if flags & 128 else ("", rest)
        password, rest = _text(rest) if flags & 64 else ("", rest)
        wrong = self._passwords is not None and self._passwords.get(user) != password
        return (None, _WRONG_PASSWORD) if wrong else (will, 0)

    def _take(self, client, flags, body):
        qos = flags >> 1 & 3
        topic, rest = _text(body)
        number, payload = (rest[:2], rest[2:]) if qos else (b"", rest)
        self.published.append(Message(topic, payload.decode(), qos, bool(flags & 1)))
        if qos:
            client.sendall(bytes((_PUBACK << 4, 2)) + number)


def _packets(stream):
    """Kind, flags and body of what a client sends until it goes."""
    while first := stream.read(1):
        length, shift, more = 0, 0, True
        while more:
            (part,) = stream.read(1)
            length |= (part & 127) << shift
            shift, more = shift + 7, part > 127
        yield first[0] >> 4, first[0] & 15, stream.read(length)


def _text(data):
    """The text at the beginning, and what comes after it."""
    end = 2 + int.from_bytes(data[:2], "big")
    return data[2:end].decode(), data[end:]
