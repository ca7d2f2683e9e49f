"""Addresses of a host within a time: the system sets no limit to how long a name server may take."""

import queue
import socket
import threading


def look_up(host: str, port: int, limit_s: float) -> list[str]:
    """The addresses of a host, in the system's order.

    Raises OSError where it is not known, TimeoutError after limit_s, ValueError where no host can have this name.
    """
    outcomes: queue.SimpleQueue[list[str] | OSError | ValueError] = queue.SimpleQueue()

    def work() -> None:
        try:
            outcomes.put([str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
        except (OSError, ValueError) as error:
            outcomes.put(error)

    threading.Thread(target=work, name="look-up", daemon=True).start()
    try:
        outcome = outcomes.get(timeout=limit_s)
    except queue.Empty:
        raise TimeoutError(f"no answer from a name server within {limit_s:g} s") from None
    if isinstance(outcome, list):
        return outcome
    raise outcome
