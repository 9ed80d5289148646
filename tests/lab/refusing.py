"""Runs on a load balancer, from standard input: a HAProxy of its own before servers that refuse and go up and down all the
time, and clients that want to be told; and a server that takes sessions, which must end when it is down. Prints
``{"connections": ..., "downs": ..., "forgotten": ..., "ended": ..., "kept": ...}``.

refusing.py HOW SECONDS ADDRESS ADDRESS: what ends the sessions of a server that is down (a line of HAProxy's global section,
or words of default-server), for how long, and two addresses whose port 7001 nobody listens on.
"""

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HOW, LASTS_S, *ADDRESSES = sys.argv[1:]
PORT, HEALTH, CLOSED, HELD, TAKES = 7000, (7002, 7003), 7001, 7005, 7004
CLIENTS, PATIENCE_S, TURN_S = 24, 2.0, 0.4
#: What a client of PostgreSQL says first.
ASKS_FOR_TLS = bytes((0, 0, 0, 8, 4, 210, 22, 47))
CONFIG = f"""
global
    {HOW if HOW.startswith("lua-load") else ""}
defaults
    mode tcp
    retries 0
    timeout connect 1s
    timeout client 1m
    timeout server 1m
    default-server inter 30ms fastinter 10ms downinter 10ms rise 1 fall 2 {"" if HOW.startswith("lua-load") else HOW}
listen refused
    bind 127.0.0.1:{PORT}
    option httpchk
""" + "".join(
    f"    server s{number} {address}:{CLOSED} check addr 127.0.0.1 port {HEALTH[number]}\n"
    for number, address in enumerate(ADDRESSES)
)
CONFIG += f"""
listen held
    bind 127.0.0.1:{HELD}
    option httpchk
    server takes 127.0.0.1:{TAKES} check addr 127.0.0.1 port {HEALTH[0]}
"""
seen = {"connections": 0, "downs": 0, "forgotten": 0, "ended": 0, "kept": 0}


async def health(reader, writer, number):
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        await reader.readuntil(b"\r\n\r\n")
        well = seen["downs"] % 2 == number
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" if well else b"HTTP/1.0 503 No\r\n\r\n")
        await writer.drain()
    writer.close()


async def client(end):
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
            seen["connections"] += 1
            writer.write(ASKS_FOR_TLS)
            try:
                await asyncio.wait_for(reader.read(1), PATIENCE_S)
            except TimeoutError:
                seen["forgotten"] += 1
            writer.close()
        await asyncio.sleep(0.005)


async def takes(reader, writer):
    with contextlib.suppress(OSError):
        writer.write(b"S")
        await reader.read()
    writer.close()


async def session(end):
    """One after the other, each until it is ended."""
    while time.monotonic() < end:
        reader, writer = await asyncio.open_connection("127.0.0.1", HELD)
        writer.write(ASKS_FOR_TLS)
        with contextlib.suppress(OSError):
            if await reader.read(1):
                try:
                    await asyncio.wait_for(reader.read(1), 2 * TURN_S + PATIENCE_S)
                    seen["ended"] += 1
                except TimeoutError:
                    seen["kept"] += time.monotonic() < end
        writer.close()
        await asyncio.sleep(0.02)


async def turns(end):
    while time.monotonic() < end:
        seen["downs"] += 1
        await asyncio.sleep(TURN_S)


async def main():
    for number, port in enumerate(HEALTH):
        await asyncio.start_server(lambda *streams, number=number: health(*streams, number), "127.0.0.1", port)
    await asyncio.start_server(takes, "127.0.0.1", TAKES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "haproxy.cfg"
        path.write_text(CONFIG, encoding="utf-8")
        subprocess.run(["haproxy", "-c", "-q", "-f", path], check=True)
        proxy = subprocess.Popen(["haproxy", "-db", "-f", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            await asyncio.sleep(0.5)
            end = time.monotonic() + float(LASTS_S)
            await asyncio.gather(turns(end), session(end), *(client(end) for _ in range(CLIENTS)))
        finally:
            proxy.kill()
            proxy.wait()
    print(json.dumps(seen))


asyncio.run(main())
