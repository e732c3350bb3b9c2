// An origin over TLS in Node: by its module https, with WebSockets, or by http2. The argument is JSON (tls_origins.Node).
"use strict";
const fs = require("fs");
const path = require("path");
const settings = JSON.parse(process.argv[2]);
const options = {...settings.options, cert: fs.readFileSync(settings.certificate), key: fs.readFileSync(settings.key)};
if (options.ca) options.ca = fs.readFileSync(options.ca);

function facts(socket) {
  const client = socket.getPeerCertificate();
  return `version=${socket.getProtocol()} reused=${socket.isSessionReused()} name=${socket.servername}`
    + ` alpn=${socket.alpnProtocol} client=${client && client.subject ? "CN=" + client.subject.CN : ""}`;
}

// Sends `count` bytes in pieces that grow, as writes of an application do; without Content-Length where `chunked`.
function pieces(response, count, chunked) {
  if (!chunked) response.setHeader("Content-Length", count);
  let size = 1;
  (function more() {
    while (count > 0) {
      const piece = Math.min(size, count);
      count -= piece;
      size = Math.min(size * 2, 65536);
      if (!response.write(Buffer.alloc(piece, "x"))) return response.once("drain", more);
    }
    response.end();
  })();
}

function answer(request, response) {
  const url = new URL(request.url, "https://origin.test");
  if (url.pathname.startsWith("/files/")) {
    const name = path.join(settings.folder, "files", path.basename(url.pathname));
    response.setHeader("Content-Length", fs.statSync(name).size);
    if (request.method === "HEAD") return response.end();
    return fs.createReadStream(name).pipe(response);
  }
  switch (url.pathname) {
    case "/body":
      return request.pipe(response);
    case "/pieces":
      return pieces(response, Number(url.searchParams.get("count")), url.searchParams.has("chunked"));
    case "/empty":
      response.statusCode = 204;
      return response.end();
    case "/early":
      response.writeEarlyHints({link: "</style.css>; rel=preload; as=style"});
      return response.end("late");
    case "/trailers":
      response.setHeader("Trailer", "x-sum");
      response.write("with trailers");
      response.addTrailers({"x-sum": "42"});
      return response.end();
    case "/last":  // of this connection
      if (!settings.http2) response.setHeader("Connection", "close");
      // Not at once: within a call of the session's own, Node 18 now and then corrupts its heap by it, and dies.
      else { const session = response.stream.session; setImmediate(() => session.close()); }
  }
  request.resume();
  response.end(facts(settings.http2 ? request.stream.session.socket : request.socket));
}

let server;
if (settings.http2) {
  server = require("http2").createSecureServer(options, answer);
} else {
  server = require("https").createServer(options, answer);
  const {WebSocketServer} = require("ws");
  new WebSocketServer({server}).on("connection", socket => {
    socket.on("message", (data, isBinary) => socket.send(data, {binary: isBinary}));
  });
}
server.keepAliveTimeout = 60000;
server.requestTimeout = 0;
server.listen(settings.port, "127.0.0.1");
