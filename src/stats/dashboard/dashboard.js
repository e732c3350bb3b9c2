"use strict";
/* Shows what /stats.json says. All that comes from there is put on the page as text, never as markup. */
(() => {
  const INTERVAL = 1000, HIDDEN_INTERVAL = 10000, PATIENCE = 4000, DAY = 86400, RECENT = 10;
  const byId = id => document.getElementById(id);

  /* Numbers as people read them. */
  const count = value => value == null ? "–" : value >= 1e6 ? (value / 1e6).toFixed(value >= 1e7 ? 1 : 2) + " M"
    : value >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString("en") : value.toPrecision(2);
  const time = seconds => seconds == null ? "–" : seconds < 1e-3 ? Math.round(seconds * 1e6) + " µs"
    : seconds < 1 ? (seconds * 1e3).toPrecision(3) + " ms" : seconds.toPrecision(3) + " s";
  const cores = value => value == null ? "–" : value >= 0.1 || value === 0 ? value.toFixed(2) : String(Number(value.toPrecision(2)));
  const percent = share => (100 * share).toFixed(share > 0.0995 && share < 0.9995 ? 0 : 1) + "%";
  const bytes = value => value == null ? "–" : value >= 1e9 ? (value / 1e9).toPrecision(3) + " GB" : value >= 1e6 ? (value / 1e6).toPrecision(3) + " MB"
    : value >= 1e3 ? (value / 1e3).toPrecision(3) + " kB" : Math.round(value) + " B";
  const two = value => String(value).padStart(2, "0");
  const clock = (seconds, exact = true) => {
    const date = new Date(seconds * 1000);
    return `${two(date.getHours())}:${two(date.getMinutes())}${exact ? ":" + two(date.getSeconds()) : ""}`;
  };
  const ago = seconds => seconds < 90 ? Math.round(seconds) + " s" : seconds < 5400 ? Math.round(seconds / 60) + " min"
    : seconds < 2 * DAY ? Math.round(seconds / 3600) + " h" : Math.round(seconds / DAY) + " days";

  function element(name, options = {}, ...children) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(options)) {
      if (key === "text") made.textContent = value;
      else if (key === "class") made.className = value;
      else made.setAttribute(key, value);
    }
    made.append(...children);
    return made;
  }

  /* The document may lack anything: then `missing`. */
  const at = (object, path, missing) => path.split(".").reduce((found, key) => found == null ? undefined : found[key], object) ?? missing;

  function table(node, heads, rows, empty) {
    if (rows.length === 0) {
      node.replaceChildren(element("tbody", {}, element("tr", {}, element("td", {class: "none", text: empty}))));
      return;
    }
    const cell = (name, content, numeric) => {
      const made = element(name, {class: numeric ? "number" : name === "td" ? "wide" : ""});
      made.append(content instanceof Node ? content : String(content));
      if (name === "th") made.setAttribute("scope", "col");
      return made;
    };
    node.replaceChildren(
      element("thead", {}, element("tr", {}, ...heads.map(([title, numeric]) => cell("th", title, numeric)))),
      element("tbody", {}, ...rows.map(row => element("tr", {}, ...row.map((content, i) => cell("td", content, heads[i][1]))))));
  }

  /* Charts: the last five minutes, the newest at the right edge, with the time of day below. All have one cursor. */
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 300, HEIGHT = 100, SAMPLES = 300, MINUTE = 60;
  function svg(name, attributes) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    return made;
  }
  function niceTop(value) {
    if (!(value > 0)) return 1;
    const power = 10 ** Math.floor(Math.log10(value));
    return [1, 2, 5, 10].map(step => step * power).find(step => step >= value * 0.999);
  }
  function path(values, top) {
    let drawing = false, d = "";
    const first = SAMPLES - values.length;
    values.forEach((value, i) => {
      if (value == null) { drawing = false; return; }
      const x = (first + i) / (SAMPLES - 1) * WIDTH, y = HEIGHT - Math.min(value / top, 1) * HEIGHT;
      d += (drawing ? "L" : "M") + x.toFixed(1) + " " + y.toFixed(1) + (drawing ? "" : "h.6"); /* h: what stands alone is seen too */
      drawing = true;
    });
    return d;
  }

  const charts = [];
  let history = {series: {}, end: 0}, cursor = null; /* the cursor is a time, in seconds since the epoch */
  const begin = () => history.end - (SAMPLES - 1);
  const valueAt = (name, when) => {
    const values = history.series[name] || [];
    return values[values.length - 1 - (history.end - when)] ?? null;
  };

  class Chart {
    constructor(id, title, unit, format, lines) {
      Object.assign(this, {title, unit, format, lines});
      this.right = element("span", {class: "unit"});
      this.drawing = svg("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img"});
      this.mark = element("div", {class: "mark"});
      this.top = element("span", {class: "scale"});
      this.plot = element("div", {class: "plot", tabindex: 0, role: "slider", "aria-label": title + ": time", "aria-valuemin": 1 - SAMPLES, "aria-valuemax": 0, "aria-valuenow": 0},
        this.top, element("span", {class: "scale zero", text: "0"}), this.drawing, this.mark);
      this.axis = element("div", {class: "axis", "aria-hidden": "true"});
      this.empty = element("p", {class: "none", text: "not available"});
      this.items = lines.map(([label, , colour, dashed]) => {
        const key = element("span", {class: dashed ? "key dash" : "key"}), value = element("span", {class: "now"});
        key.style.borderTopColor = `var(--${colour})`;
        return {item: element("li", {}, key, element("span", {text: label}), value), value};
      });
      this.legend = element("ul", {class: "legend"}, ...this.items.map(one => one.item));
      byId("charts").append(element("figure", {id}, element("figcaption", {}, element("span", {text: title}), this.right), this.empty, this.plot, this.axis, this.legend));
      this.plot.addEventListener("pointermove", event => this.point(event));
      this.plot.addEventListener("pointerdown", event => this.point(event));
      this.plot.addEventListener("pointerleave", event => { if (event.pointerType === "mouse") moveCursor(null); });
      this.plot.addEventListener("keydown", event => this.press(event));
      this.plot.addEventListener("blur", () => moveCursor(null));
    }
    point(event) {
      const place = this.plot.getBoundingClientRect();
      moveCursor(begin() + Math.round((event.clientX - place.left) / place.width * (SAMPLES - 1)));
    }
    press(event) {
      const from = cursor ?? history.end, step = event.shiftKey ? 10 : 1;
      const to = {ArrowLeft: from - step, ArrowDown: from - step, ArrowRight: from + step, ArrowUp: from + step, PageDown: from - 30, PageUp: from + 30,
        Home: begin(), End: history.end, Escape: null}[event.key];
      if (to === undefined) return;
      event.preventDefault();
      moveCursor(to);
    }
    draw() {
      const known = this.lines.filter(([, name]) => Array.isArray(history.series[name]));
      for (const node of [this.plot, this.axis, this.legend]) node.hidden = known.length === 0;
      this.empty.hidden = known.length > 0;
      this.highest = niceTop(Math.max(0, ...known.flatMap(([, name]) => history.series[name].filter(value => value != null))));
      this.top.textContent = this.format(this.highest);
      const parts = [0, 0.5, 1].map(share => svg("line", {class: "grid", x1: 0, x2: WIDTH, y1: HEIGHT * share, y2: HEIGHT * share, "vector-effect": "non-scaling-stroke"}));
      const labels = [];
      for (let when = Math.ceil(begin() / MINUTE) * MINUTE; when <= history.end && history.end > 0; when += MINUTE) {
        const share = (when - begin()) / (SAMPLES - 1);
        parts.push(svg("line", {class: "grid", x1: WIDTH * share, x2: WIDTH * share, y1: 0, y2: HEIGHT, "vector-effect": "non-scaling-stroke"}));
        const label = element("span", {class: share < 0.08 ? "first" : share > 0.92 ? "last" : "", text: clock(when, false)});
        label.style.left = 100 * share + "%";
        labels.push(label);
      }
      for (const [, name, colour, dashed] of known) {
        const line = svg("path", {d: path(history.series[name], this.highest), fill: "none", stroke: `var(--${colour})`, "stroke-width": 1.8, "stroke-linejoin": "round", "stroke-linecap": "round",
          "vector-effect": "non-scaling-stroke"});
        if (dashed) line.setAttribute("stroke-dasharray", "5 3");
        parts.push(line);
      }
      this.drawing.replaceChildren(...parts);
      this.axis.replaceChildren(...labels);
      this.tell();
    }
    /* The values at the cursor, or else the newest. */
    tell() {
      const when = cursor ?? history.end;
      const texts = this.lines.map(([label, name], i) => {
        this.items[i].item.hidden = !Array.isArray(history.series[name]);
        this.items[i].value.textContent = this.format(valueAt(name, when));
        return label + " " + this.items[i].value.textContent;
      });
      this.right.textContent = cursor == null ? this.unit : "at " + clock(cursor);
      this.right.classList.toggle("then", cursor != null);
      this.mark.hidden = cursor == null;
      this.mark.style.left = 100 * (when - begin()) / (SAMPLES - 1) + "%";
      this.drawing.setAttribute("aria-label", `${this.title}, ${this.unit}: ${texts.join(", ")}`);
      this.plot.setAttribute("aria-valuenow", when - history.end);
      this.plot.setAttribute("aria-valuetext", `${clock(when)}: ${texts.join(", ")}`);
    }
  }
  function moveCursor(when) {
    cursor = when == null ? null : Math.min(Math.max(when, begin()), history.end);
    for (const chart of charts) chart.tell();
  }
  document.addEventListener("pointerdown", event => { if (!event.target.closest(".plot")) moveCursor(null); });

  const STAGES = ["accept", "hello", "admission", "handshake", "certificate", "request"];
  const mean = values => {
    const known = (values || []).slice(-RECENT).filter(value => value != null);
    return known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : 0;
  };

  /* What grew since the document before, by path: rates of the last seconds. */
  const seen = [];
  function rate(stats, path) {
    const before = seen.length ? seen[0] : null;
    const seconds = before ? stats.server.now - before.server.now : 0;
    return seconds > 0 ? Math.max(0, at(stats, path, 0) - at(before, path, 0)) / seconds : null;
  }
  function remember(stats) {
    if (seen.length && seen[seen.length - 1].server.now === stats.server.now) return;
    seen.push(stats);
    while (seen.length > RECENT + 1) seen.shift();
  }

  function showHead(stats) {
    const server = stats.server;
    byId("about").textContent = `${server.version}, wolfSSL ${server.wolfssl}, ${server.crypto} crypto, up ${ago(server.now - server.started)}`;
    const colours = {calm: "good", loaded: "warn", flooded: "bad"};
    byId("shards").replaceChildren(...(stats.shards || []).map((shard, i) =>
      element("li", {class: "badge " + (colours[shard.admission_state] || "warn"), text: `shard ${i}: ${shard.admission_state}, ${count(shard.connections)} open`})));
  }

  function attackOf(stats) {
    const rates = [];
    for (const stage of STAGES.slice(0, 5)) {
      for (const reason of Object.keys(at(stats, "rejected." + stage, {}))) {
        const value = rate(stats, `rejected.${stage}.${reason}`);
        if (value > 0) rates.push({stage, reason, value});
      }
    }
    rates.sort((a, b) => b.value - a.value);
    return {total: rates.reduce((sum, one) => sum + one.value, 0), first: rates.slice(0, 3)};
  }

  /* Findings in few words, for the title. */
  const SHORT = {clients_refused: "clients refused", certificate_ended: "certificate ended", crl_ended: "revocation list ended", client_ca_ended: "client CA ended",
    origin_down: "origin down", server_errors: "5xx answers", places_taken: "no places left", flooded: "flooded", loaded: "loaded", reload_failed: "reload failed",
    certificate_ends: "certificate ends soon", crl_ends: "revocation list ends soon", client_ca_ends: "client CA ends soon", log_dropped: "log lines lost"};
  const LEVELS = {critical: ["Critical", "bad", "b91c1c"], warning: ["Warning", "warn", "b07c00"]};
  const GOOD = ["Nothing found", "good", "1a7f37"], UNKNOWN = ["Unknown", "warn", "67707a"];
  let title = "Sallyport";

  function figuresOf(stats) {
    const series = at(stats, "history.series", {});
    const attack = attackOf(stats);
    const p99 = at(stats, "latencies.request.last_10s.p99");
    let text = `${count(mean(series.handshakes_full) + mean(series.handshakes_resumed))} handshakes and ${count(mean(series.requests))} requests a second`;
    text += p99 == null ? "." : `, 99% of requests within ${time(p99)}.`;
    if (attack.total >= 1) {
      const names = attack.first.map(one => `${one.reason} at ${one.stage} ${count(one.value)}`).join(", ");
      text += (stats.findings || []).some(one => one.what === "flooded" || one.what === "loaded") ? ` Most are refused as ${names}, a second.` /* the rest is told there */
        : ` ${count(attack.total)} connections and requests a second are refused: ${names}. Handshakes of clients that are not known take ${cores(mean(series.work_others))} cores, of those that are ${cores(mean(series.work_known))}.`;
    }
    return text;
  }

  const ADMISSION = {calm: "each client gets its handshake at once", loaded: "known clients go first, suspects are turned away",
    flooded: "known clients are served first, the rest gets what they leave over"};
  function admissionOf(stats) {
    const states = (stats.shards || []).map(shard => shard.admission_state);
    const worst = ["flooded", "loaded", "calm"].find(state => states.includes(state));
    if (!worst) return "";
    const there = states.filter(state => state === worst).length;
    return `Admission: ${worst}${there < states.length ? ` at ${there} of ${states.length} shards` : ""}; ${ADMISSION[worst]}.`;
  }

  function showSentence(stats) {
    const findings = stats.findings;
    const first = findings && findings[0];
    const [word, colour, hex] = !findings ? UNKNOWN : !first ? GOOD : LEVELS[first.level] || UNKNOWN;
    byId("state").className = colour;
    byId("level").hidden = false;
    byId("level").className = "badge " + colour;
    byId("level").textContent = word;
    byId("sentence").textContent = !findings ? "This server does not say whether something is wrong." : first ? first.text : "Nothing is wrong that this server can see.";
    byId("figures").textContent = figuresOf(stats);
    byId("admission").textContent = admissionOf(stats);
    title = first ? `${word}: ${SHORT[first.what] || first.what}${first.host ? ", " + first.host : ""} · Sallyport` : "Sallyport";
    byId("icon").href = `data:image/svg+xml,<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="4" fill="%23${hex}"/></svg>`;
    const announcement = first ? `${word}: ${SHORT[first.what] || first.what} ${first.host || ""}` : word;
    if (byId("announcement").textContent !== announcement) byId("announcement").textContent = announcement;
    const others = (findings || []).slice(1), left = stats.findings_left_out || 0;
    byId("more").hidden = others.length === 0;
    byId("findings").replaceChildren(...others.map(one => {
      const [label, shade] = LEVELS[one.level] || UNKNOWN;
      return element("li", {}, element("span", {class: "badge " + shade, text: label}), " ", element("span", {text: one.text}));
    }), ...(left > 0 ? [element("li", {class: "none", text: `${count(left)} more, none of which is worse`})] : []));
  }

  function makeCharts() {
    const define = (...parts) => charts.push(new Chart(...parts));
    define("chart-handshakes", "Handshakes", "a second", count, [["full", "handshakes_full", "a"], ["resumed", "handshakes_resumed", "b", true], ["failed", "handshakes_failed", "c"]]);
    define("chart-requests", "Requests, by code", "a second", count, [["2xx", "requests_2xx", "b"], ["3xx", "requests_3xx", "a", true], ["4xx", "requests_4xx", "c"], ["5xx", "requests_5xx", "bad", true]]);
    define("chart-verdicts", "Verdicts on clients", "a second", count, [["valid", "certs_valid", "b"], ["invalid", "certs_invalid", "c"], ["none", "certs_none", "f", true]]);
    define("chart-rejected", "Refused, by stage", "a second", count, STAGES.map((stage, i) => [stage, "rejected_" + stage, "abcdef"[i], i % 2 === 1]));
    define("chart-handshake-latency", "Full handshake", "time", time, [["p50", "handshake_full_p50", "a"], ["p99", "handshake_full_p99", "c", true]]);
    define("chart-request-latency", "Request", "time", time, [["p50", "request_p50", "a"], ["p99", "request_p99", "c", true]]);
    define("chart-work", "CPU for handshakes", "cores", cores, [["known clients", "work_known", "b"], ["all others", "work_others", "c", true]]);
    define("chart-connections", "Connections open", "at that moment", count, [["all", "connections", "a"]]);
    define("chart-bytes", "Bytes", "a second", bytes, [["received", "received_bytes", "a"], ["sent", "sent_bytes", "b", true]]);
  }
  function showCharts(stats) {
    history = {series: at(stats, "history.series", {}), end: at(stats, "history.end", 0)};
    if (cursor != null && cursor < begin()) cursor = null;
    for (const chart of charts) chart.draw();
  }

  const LATENCIES = {accept_to_hello: "accept to hello", hello_queue: "hello waits", handshake_full: "full handshake", handshake_resumed: "resumed handshake",
    verify_cached: "verdict, cached", verify_full: "verdict, full", request: "request", origin: "origin"};
  function showTables(stats) {
    const points = ["p50", "p90", "p99", "p99.9", "max"];
    const rows = [];
    for (const [name, title] of Object.entries(LATENCIES)) {
      for (const [span, words] of [["last_10s", "last 10 s"], ["since_start", "since start"]]) {
        const latency = at(stats, "latencies." + name, {})[span];
        if (latency) rows.push([span === "last_10s" ? title : "", words, count(latency.count), ...points.map(point => time(latency[point]))]);
      }
    }
    table(byId("latencies"), [["what", false], ["when", false], ["number", true], ...points.map(point => [point, true])], rows, "not available");

    const refused = [];
    for (const stage of STAGES) {
      for (const [reason, total] of Object.entries(at(stats, "rejected." + stage, {}))) {
        if (total > 0) refused.push([stage, reason, rate(stats, `rejected.${stage}.${reason}`), total]);
      }
    }
    refused.sort((a, b) => (b[2] || 0) - (a[2] || 0) || b[3] - a[3]);
    table(byId("rejected"), [["stage", false], ["reason", false], ["a second", true], ["since start", true]],
      refused.map(([stage, reason, value, total]) => [stage, reason, count(value), count(total)]), "nobody");

    const verdicts = Object.entries(at(stats, "client_certs.by_reason", {})).filter(([, total]) => total > 0)
      .map(([reason, total]) => [reason, rate(stats, "client_certs.by_reason." + reason), total]).sort((a, b) => b[2] - a[2]);
    table(byId("verdicts"), [["reason", false], ["a second", true], ["since start", true]],
      verdicts.map(([reason, value, total]) => [reason, count(value), count(total)]), "none yet");

    const cache = stats.cert_cache;
    const asked = cache ? cache.hits + cache.misses : 0;
    const recent = cache ? (rate(stats, "cert_cache.hits") || 0) + (rate(stats, "cert_cache.misses") || 0) : 0;
    table(byId("cache"), [["", false], ["", true]], cache ? [
      ["found, last 10 s", recent > 0 ? percent((rate(stats, "cert_cache.hits") || 0) / recent) : "–"],
      ["found, since start", asked > 0 ? percent(cache.hits / asked) : "–"],
      ["kept now", count(cache.entries)],
      ["made room for others", count(cache.evictions)],
    ] : [], "not available");
  }

  /* What a host needs and that ends: the first of it, and in its title all. */
  function endsOf(stats, host) {
    const own = host.certificates || [];
    const ends = [...own.map(one => [own.length > 1 ? "certificate " + one.file : "certificate", one.not_after]), ...(host.client_cas || []).map(one => ["client CA " + one.subject, one.not_after]),
      ...(host.crls || []).map(one => ["list of " + one.issuer, one.next_update]), ...(host.origin_cas || []).map(one => ["origin CA " + one.subject, one.not_after]),
      ...(host.origin_certificates || []).map(one => ["certificate for origins " + one.file, one.not_after])].filter(([, end]) => Number.isFinite(end)).sort((a, b) => a[1] - b[1]);
    if (ends.length === 0) return "–";
    const worst = (stats.findings || []).find(one => one.host === host.name && /_end(s|ed)$/.test(one.what));
    const words = ([name, end]) => end < stats.server.now ? `${name} ended ${ago(stats.server.now - end)} ago` : `${name}: ${ago(end - stats.server.now)} left`;
    const shade = ends[0][1] < stats.server.now ? "bad" : worst ? (LEVELS[worst.level] || UNKNOWN)[1] : "";
    return element("span", {class: shade, text: words(ends[0]), title: ends.slice(0, 20).map(words).join("\n")});
  }
  /* Each of them on one line. */
  function whole(texts) {
    const node = element("span");
    texts.forEach((text, i) => node.append(i > 0 ? " " : "", element("span", {class: "whole", text: text + (i < texts.length - 1 ? "," : "")})));
    return texts.length ? node : "–";
  }
  function originsOf(host) {
    const origins = host.origins || [], down = origins.filter(origin => !origin.up);
    if (down.length === 0) return origins.length === 1 ? `${origins[0].address} up` : `${origins.length} up`;
    return element("span", {class: "bad", text: `${down.map(origin => `${origin.address} is down${origin.why ? ` (${origin.why})` : ""}`).join(", ")}${down.length < origins.length ? `, ${origins.length - down.length} up` : ""}`});
  }
  function showHosts(stats) {
    const troubled = new Map((stats.findings || []).filter(one => one.host).reverse().map(one => [one.host, one.level]));
    const rank = host => ["critical", "warning"].indexOf(troubled.get(host.name)) >>> 0;
    const hosts = (stats.hosts || []).map((host, i) => ({host, i})).sort((a, b) => rank(a.host) - rank(b.host) || a.i - b.i).map(one => one.host);
    const rows = hosts.slice(0, 200).map(host => {
      const minute = host.last_minute || {}, level = LEVELS[troubled.get(host.name)];
      const name = element("span", {text: host.name});
      if (level) name.append(" ", element("span", {class: "badge " + level[1], text: level[0]}));
      const clients = [["valid", minute.valid], ["invalid", minute.invalid], ["without", minute.none]].filter(([, number]) => number > 0).map(([what, number]) => `${count(number)} ${what}`);
      const answers = codes => Object.entries(codes).map(([code, total]) => `${code}: ${count(total)}`);
      const classes = ["2xx", "3xx", "4xx", "5xx"].filter(code => minute[code] > 0).map(code => [code, minute[code]]);
      if (host.protocol === "tcp") name.append(" ", element("span", {class: "badge", text: "tcp"}));
      return [name, host.mode, endsOf(stats, host), originsOf(host), whole(clients), whole(answers(Object.fromEntries(classes))), whole(answers(host.requests_by_code || {}))];
    });
    table(byId("hosts"), [["host", false], ["mode", false], ["ends first", false], ["origins", false], ["clients, last minute", false], ["answers, last minute", false],
      ["answers since start", false]], rows, "none");
  }

  function showRollout(stats) {
    const hosts = (stats.hosts || []).filter(host => host.report);
    byId("rollout").hidden = hosts.length === 0;
    const open = new Set([...document.querySelectorAll("#rollout-hosts details[open]")].map(node => node.dataset.host));
    byId("rollout-hosts").replaceChildren(...hosts.slice(0, 50).map(host => {
      const {would_block: blocked = {}, top_issuers: issuers = [], top_skis: skis = [], valid_by_days_left: days = {}} = host.report;
      const asked = host.protocol === "tcp" ? "connections" : "requests";
      const sum = span => Object.values(blocked[span] || {}).reduce((total, one) => total + one, 0);
      const reasons = [...new Set(["last_hour", "last_day", "since_start"].flatMap(span => Object.keys(blocked[span] || {})))];
      const node = element("details", {"data-host": host.name}, element("summary", {text:
        `${host.name}: enforce would have blocked ${count(sum("last_hour"))} ${asked} in the last hour, ${count(sum("last_day"))} in the last day`}));
      node.open = open.has(host.name) || hosts.length === 1;
      const why = element("table"), who = element("table"), which = element("table"), until = element("table");
      table(why, [["reason", false], ["hour", true], ["day", true], ["since start", true]],
        reasons.map(reason => [reason, ...["last_hour", "last_day", "since_start"].map(span => count(at(blocked, span, {})[reason] || 0))]), "nobody");
      const top = (target, entries) => table(target, [["value", false], ["times", true]], entries.map(one => [one.value, (one.error ? "≤ " : "") + count(one.count)]), "none");
      top(who, issuers);
      top(which, skis);
      table(until, [["days left", false], ["handshakes", true]], Object.entries(days).map(([left, total]) => [left === "more" ? "more" : "under " + left, count(total)]), "none");
      const titled = (title, made) => element("div", {}, element("h3", {text: title}), element("div", {class: "scroll", tabindex: 0}, made));
      node.append(element("div", {class: "columns"}, titled("Why", why), titled("Issuers that fail", who), titled("Keys (SKI) that fail", which), titled("Valid clients, by days left", until)));
      return node;
    }));
  }

  /* The server may go away: then what is shown is old, and says so. */
  let heard = null, figuresAt = null;
  const opened = Date.now();
  function showLost() {
    const silent = Date.now() - (heard ?? opened);
    const lost = silent > PATIENCE;
    byId("lost").hidden = !lost;
    document.body.classList.toggle("old", lost);
    byId("state").hidden = lost && figuresAt != null;
    if (lost) {
      byId("lost").textContent = `The server has not answered for ${ago(silent / 1000)}. ` + (figuresAt == null ? "No figures have come yet."
        : `The figures below are those of ${clock(figuresAt)}.`) + " It goes on by itself when the server is back.";
    }
    document.title = lost ? `No answer${figuresAt == null ? "" : " since " + clock(figuresAt)} · Sallyport` : title;
  }

  function show(stats) {
    remember(stats);
    showHead(stats);
    showSentence(stats);
    showCharts(stats);
    showHosts(stats);
    showTables(stats);
    showRollout(stats);
    figuresAt = stats.server.now;
  }

  async function ask() {
    const ending = new AbortController();
    const limit = setTimeout(() => ending.abort(), PATIENCE);
    try {
      const answer = await fetch("stats.json", {signal: ending.signal, cache: "no-store"});
      if (!answer.ok) throw new Error("status " + answer.status);
      const stats = await answer.json();
      heard = Date.now();
      show(stats);
    } catch (error) {
      console.debug("no figures:", error.message);
    } finally {
      clearTimeout(limit);
    }
    showLost();
    setTimeout(ask, document.hidden ? HIDDEN_INTERVAL : INTERVAL);
  }
  document.addEventListener("visibilitychange", () => { if (!document.hidden) showLost(); });
  makeCharts();
  ask();
})();
