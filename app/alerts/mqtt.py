"""Messages to an MQTT broker, and the sensor that Home Assistant finds there. Needs the extra `alerts`."""

import contextlib
import json
import os
import ssl
import threading
import time
from collections.abc import Mapping
from typing import Any

from app.alerts.look_up import look_up
from app.alerts.rules import AlertError, Broker

STATE = "actionlens/action"
AVAILABLE = "actionlens/available"
DISCOVERY = "homeassistant/sensor/actionlens/action/config"
_CONNECT_S = 2.0  # as much before it for the name server, and again for TLS
_TIMEOUT_S = 4.0  # from then until the broker has confirmed a message; an alert has ten seconds in all
_NEED = "needs paho-mqtt: pip install 'actionlens[alerts]'"


class MqttLink:
    """A connection that is made with the first message and comes back by itself. One thread at a time.

    After a message that fails the next one makes a new connection: paho would send the failed one again, late, when the
    old one is back.

    ca_file: certificates to trust besides the system's, for brokers that signed their own.
    """

    def __init__(self, broker: Broker, ca_file: str | None = None) -> None:
        self._broker = broker
        self._ca_file = ca_file
        self._client: Any = None
        self._connected = threading.Event()
        self._refused = ""
        self._state = ""  # the sensor's, for the next connection

    def publish(self, topic: str, values: Mapping[str, Any] | str, *, retain: bool = False) -> None:
        """Wait until the broker has it (QoS 1). Raises AlertError."""
        if "#" in topic or "+" in topic or not topic:
            raise AlertError(f"MQTT cannot publish to {topic!r}: a topic has no + and no #")
        payload = values if isinstance(values, str) else json.dumps(values)
        try:
            self._send(topic, payload, retain=retain)
        except AlertError:
            self._disconnect()
            raise

    def show_action(self, action: str) -> None:
        """The sensor's new state. Raises AlertError; a connection that is made later shows it all the same."""
        self._state = ""  # a connection that is made now is to show nothing else first
        try:
            self.publish(STATE, action, retain=True)
        finally:
            self._state = action

    def close(self) -> None:
        """Say that the sensor is away, and end."""
        if self._client is not None:
            if self._connected.is_set() and self._broker.home_assistant:
                with contextlib.suppress(RuntimeError, ValueError):  # just lost: then the broker says so, by the will
                    self._client.publish(AVAILABLE, "offline", qos=1, retain=True).wait_for_publish(1.0)
            self._disconnect()

    def _send(self, topic: str, payload: str, *, retain: bool) -> None:
        client, deadline_s = self._ready()
        message = client.publish(topic, payload, qos=1, retain=retain)
        try:
            message.wait_for_publish(max(0.0, deadline_s - time.monotonic()))
        except (RuntimeError, ValueError) as error:
            raise AlertError(f"{self._name()} did not take the message: {error}") from None
        if not message.is_published():
            raise AlertError(f"{self._name()} did not confirm the message within {_TIMEOUT_S:.0f} s")

    def _disconnect(self) -> None:
        """Nothing that is not confirmed yet is sent again."""
        client, self._client = self._client, None
        if client is not None:
            client.disconnect()
            client.loop_stop()
            self._connected.clear()
            self._refused = ""

    def _ready(self) -> tuple[Any, float]:
        """The connected client, and until when it has time."""
        if self._client is None:
            self._client = self._connect()
        deadline_s = time.monotonic() + _TIMEOUT_S
        if not self._connected.wait(_TIMEOUT_S):
            raise AlertError(self._refused or f"{self._name()} does not answer; is the broker running?")
        return self._client, deadline_s

    def _connect(self) -> Any:
        try:
            from paho.mqtt import client as paho
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError:
            raise AlertError(f"MQTT {_NEED}") from None
        broker = self._broker
        client = paho.Client(CallbackAPIVersion.VERSION2)
        if broker.username:
            client.username_pw_set(
                broker.username, os.environ.get(broker.password_env) if broker.password_env else None
            )
        if broker.tls:
            client.tls_set_context(ssl.create_default_context(cafile=self._ca_file))
        if broker.home_assistant:
            client.will_set(AVAILABLE, "offline", qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_disconnect = lambda *_: self._connected.clear()
        client.reconnect_delay_set(1, 30)
        client.connect_timeout = _CONNECT_S
        try:
            look_up(broker.host, broker.port, _CONNECT_S)  # paho's limit begins after it
            client.connect(broker.host, broker.port)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or error
            raise AlertError(f"{self._name()} cannot be reached: {reason}") from None
        client.loop_start()
        return client

    def _on_connect(self, client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        """On paho's thread."""
        if reason.is_failure:
            self._refused = f"{self._name()} refuses the connection: {reason}"
            return
        if self._broker.home_assistant:
            client.publish(DISCOVERY, json.dumps(_discovery()), qos=1, retain=True)
            client.publish(AVAILABLE, "online", qos=1, retain=True)
            if self._state:  # it was never taken, or the broker has begun anew and forgotten it
                client.publish(STATE, self._state, qos=1, retain=True)
        self._connected.set()

    def _name(self) -> str:
        return f"the MQTT broker {self._broker.host}:{self._broker.port}"


def _discovery() -> dict[str, Any]:
    """The sensor's MQTT discovery message for Home Assistant."""
    return {
        "name": "Action",
        "unique_id": "actionlens_action",
        "state_topic": STATE,
        "availability_topic": AVAILABLE,
        "icon": "mdi:human-handsup",
        "device": {"identifiers": ["actionlens"], "name": "ActionLens", "manufacturer": "ActionLens"},
    }
