"""A real WebSocket server, by Debian's python3-websockets, for tests to have as an origin."""

import asyncio
import threading

import pytest

websockets = pytest.importorskip("websockets", reason="python3-websockets is missing: tools/deps --check installs it")


class Echo:
    """
    Sends back what comes, but for some texts that are commands: "/close CODE" closes, "/push COUNT SECONDS" sends that many
    texts, one each that many seconds.
    """

    def __enter__(self):
        self.opened = []  # the headers of each request
        self.closed = []  # the code with which each connection was closed
        self.loop = asyncio.new_event_loop()
        ready = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(ready,), daemon=True)
        self.thread.start()
        assert ready.wait(10)
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.over.set)
        self.thread.join(10)

    def run(self, ready):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(self.main(ready))

    async def main(self, ready):
        self.over = asyncio.Event()
        async with websockets.serve(self.serve, "127.0.0.1", 0, max_size=None, subprotocols=["chat"], ping_interval=None,
                                    close_timeout=2) as server:
            self.address = "127.0.0.1:%d" % server.sockets[0].getsockname()[1]
            ready.set()
            await self.over.wait()

    async def serve(self, connection):
        self.opened.append(connection.request_headers)
        try:
            async for message in connection:
                await self.answer(connection, message)
        except websockets.ConnectionClosed:
            pass
        self.closed.append(connection.close_code)

    async def answer(self, connection, message):
        words = message.split() if isinstance(message, str) else []
        if words[:1] == ["/close"]:
            await connection.close(int(words[1]))
        elif words[:1] == ["/push"]:
            for number in range(int(words[1])):
                await connection.send(str(number))
                await asyncio.sleep(float(words[2]))
        else:
            await connection.send(message)
