"""A gRPC server in a process of its own, and clients, by grpcio. Messages are bytes: no protoc is needed."""

import concurrent.futures
import contextlib
import multiprocessing
import threading
import time

import grpc

# A fork of a process that runs gRPC is not allowed: the server's process starts afresh.
FRESH = multiprocessing.get_context("spawn")
SERVICE = "test.Test"


gathered = [0]  # calls that wait for others
gathering = threading.Condition()


def gather(count):
    """Returns once so many calls are here at the same time."""
    with gathering:
        gathered[0] += 1
        gathering.notify_all()
        return gathering.wait_for(lambda: gathered[0] >= count, 60)


def unary(request, context):
    """Echoes the request, and the metadata that the client may have sent, as trailing metadata."""
    sent = {key: value for key, value in context.invocation_metadata()}
    context.set_trailing_metadata((("x-echo", sent.get("x-ask", "none")),
                                   ("x-verdict", sent.get("x-client-cert-status", "none"))))
    if request.startswith(b"sleep "):
        time.sleep(float(request[6:]))
    if request.startswith(b"gather ") and not gather(int(request[7:])):
        context.abort(grpc.StatusCode.ABORTED, "the others have not come")
    if request.startswith(b"fail "):
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, request[5:].decode())
    return request


def server_stream(request, context):
    """`count` messages of `size` bytes, each `pause` seconds after the one before."""
    count, size, pause = request.split()
    for number in range(int(count)):
        if number > 0:
            time.sleep(float(pause))
        yield (b"%08d" % number).ljust(int(size), b".")


def client_stream(requests, context):
    total = 0
    for request in requests:
        total += len(request)
    return b"%d" % total


def bidi(requests, context):
    for request in requests:
        yield b"echo " + request


cancelled = threading.Event()


def wait_for_cancel(request, context):
    """Answers once, and then waits until the client has cancelled the call."""
    context.add_callback(cancelled.set)
    yield b"waiting"
    cancelled.wait(20)


def was_cancelled(request, context):
    return b"yes" if cancelled.wait(10) else b"no"


def serve(port, workers, options, credentials, ready, stop):
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(max_workers=workers), options=options)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, {
        "Unary": grpc.unary_unary_rpc_method_handler(unary),
        "ServerStream": grpc.unary_stream_rpc_method_handler(server_stream),
        "ClientStream": grpc.stream_unary_rpc_method_handler(client_stream),
        "Bidi": grpc.stream_stream_rpc_method_handler(bidi),
        "WaitForCancel": grpc.unary_stream_rpc_method_handler(wait_for_cancel),
        "WasCancelled": grpc.unary_unary_rpc_method_handler(was_cancelled),
    }),))
    address = f"127.0.0.1:{port}"
    if credentials is None:
        assert server.add_insecure_port(address) == port
    else:
        assert server.add_secure_port(address, grpc.ssl_server_credentials([credentials])) == port
    server.start()
    ready.set()
    stop.wait()
    server.stop(grace=0.2).wait()


class Server:
    """Runs from `start` to `stop`, on one port however often. `credentials`: the PEM of its key and its chain, for TLS."""

    def __init__(self, port, workers=50, options=(), credentials=None):
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self.arguments = (workers, tuple(options), credentials)
        self.process = None

    def start(self):
        ready, self.ending = FRESH.Event(), FRESH.Event()
        self.process = FRESH.Process(target=serve, args=(self.port, *self.arguments, ready, self.ending), daemon=True)
        self.process.start()
        assert ready.wait(20), "the gRPC server does not start"
        return self

    def stop(self):
        """Ends it gracefully: GOAWAY first."""
        if self.process is not None:
            self.ending.set()
            self.process.join(10)
            self.kill()

    def kill(self):
        """Ends it at once, with all its connections."""
        if self.process is not None:
            self.process.kill()
            self.process.join()
            self.process = None


class Client:
    """A channel to a host of the server under test, which is one connection."""

    def __init__(self, server, name, cert=None, options=()):
        credentials = grpc.ssl_channel_credentials(
            root_certificates=server.server_root.read_bytes(),
            private_key=cert.key.read_bytes() if cert else None,
            certificate_chain=cert.chain.read_bytes() if cert else None)
        self.channel = grpc.secure_channel(
            f"127.0.0.1:{server.port}", credentials,
            options=(("grpc.ssl_target_name_override", name), ("grpc.default_authority", name),
                     ("grpc.enable_retries", 0), *options))
        self.unary = self.channel.unary_unary(f"/{SERVICE}/Unary")
        self.server_stream = self.channel.unary_stream(f"/{SERVICE}/ServerStream")
        self.client_stream = self.channel.stream_unary(f"/{SERVICE}/ClientStream")
        self.bidi = self.channel.stream_stream(f"/{SERVICE}/Bidi")
        self.wait_for_cancel = self.channel.unary_stream(f"/{SERVICE}/WaitForCancel")
        self.was_cancelled = self.channel.unary_unary(f"/{SERVICE}/WasCancelled")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()


@contextlib.contextmanager
def refused():
    """The call in the block fails: gives a list that has the error behind it."""
    errors = []
    try:
        yield errors
    except grpc.RpcError as error:
        errors.append(error)
    assert errors, "the call has succeeded"
