"""Loaded by every Python process started with this folder on PYTHONPATH: notes and refuses outgoing connections."""

import os
import sys
import traceback

WATCHED = ("socket.connect", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname")
LOCAL = ("127.0.0.1", "::1", "localhost", "", None)


def _refuse(event, arguments):
    if event not in WATCHED:
        return
    address = arguments[1] if event in ("socket.connect", "socket.sendto") else arguments[0]
    if isinstance(address, (str, bytes)) and event in ("socket.connect", "socket.sendto"):
        return  # a Unix socket
    host = address[0] if isinstance(address, tuple) else address
    if host in LOCAL:
        return
    with open(os.environ["NETWORK_NOTES"], "a") as notes:  # noqa: PTH123 - nothing more may be imported here
        notes.write(f"{event} {host}\n{''.join(traceback.format_stack(limit=60))}\n")
    raise ConnectionRefusedError(f"{event} to {host}")


sys.addaudithook(_refuse)
