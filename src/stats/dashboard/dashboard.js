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
  const cores = value => value == null ? "–" : value.toFixed(2);
  const percent = share => (100 * share).toFixed(share > 0.0995 && share < 0.9995 ? 0 : 1) + "%";
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

  /* Charts: the last five minutes, the newest at the right edge. */
  const SVG = "http://www.w3.org/2000/svg";
  const WIDTH = 300, HEIGHT = 100, SAMPLES = 300, RIGHT = 0;
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
      const x = (first + i) / (SAMPLES - 1) * (WIDTH - RIGHT), y = HEIGHT - Math.min(value / top, 1) * HEIGHT;
      d += (drawing ? "L" : "M") + x.toFixed(1) + " " + y.toFixed(1);
      drawing = true;
    });
    return d;
  }
  function chart(id, title, unit, format, history, lines) {
    const node = byId(id);
    const known = lines.filter(([, name]) => Array.isArray(history[name]));
    const caption = element("figcaption", {}, element("span", {text: title}), element("span", {class: "unit", text: unit}));
    if (known.length === 0) {
      node.replaceChildren(caption, element("p", {class: "none", text: "not available"}));
      return;
    }
    const top = niceTop(Math.max(...known.map(([, name]) => Math.max(0, ...history[name].filter(value => value != null)))));
    const drawing = svg("svg", {viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", role: "img"});
    const last = name => history[name].length ? history[name][history[name].length - 1] : null;
    drawing.setAttribute("aria-label", title + ", " + unit + ": " + known.map(([label, name]) => label + " " + format(last(name))).join(", "));
    for (const share of [0, 0.5, 1]) {
      drawing.append(svg("line", {class: "grid", x1: 0, x2: WIDTH, y1: HEIGHT * share, y2: HEIGHT * share, "vector-effect": "non-scaling-stroke"}));
    }
    for (const [, name, colour, dashed] of known) {
      const line = svg("path", {d: path(history[name], top), fill: "none", stroke: `var(--${colour})`, "stroke-width": 1.8,
        "stroke-linejoin": "round", "vector-effect": "non-scaling-stroke"});
      if (dashed) line.setAttribute("stroke-dasharray", "5 3");
      drawing.append(line);
    }
    const legend = element("ul", {class: "legend"}, ...known.map(([label, name, colour, dashed]) => {
      const key = element("span", {class: dashed ? "key dash" : "key"});
      key.style.borderTopColor = `var(--${colour})`;
      return element("li", {}, key, element("span", {text: label}), element("span", {class: "now", text: format(last(name))}));
    }));
    caption.lastChild.textContent = `${unit}, top ${format(top)}`;
    node.replaceChildren(caption, drawing, legend);
  }

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

  function showSentence(stats) {
    const series = at(stats, "history.series", {});
    const states = (stats.shards || []).map(shard => shard.admission_state);
    const worst = ["flooded", "loaded", "calm"].find(state => states.includes(state)) || "calm";
    const handshakes = mean(series.handshakes_full) + mean(series.handshakes_resumed);
    const attack = attackOf(stats);
    const parts = [];
    if (worst === "calm") parts.push("Calm: everybody is served.");
    else parts.push(worst === "loaded" ? "Loaded: known clients go first, suspects are turned away." : "Flooded: known clients are served, the rest gets what they leave over.");
    parts.push(`${count(handshakes)} handshakes and ${count(mean(series.requests))} requests a second`);
    const p99 = at(stats, "latencies.request.last_10s.p99");
    parts[1] += p99 == null ? "." : `, 99% of requests within ${time(p99)}.`;
    if (attack.total >= 1) {
      const names = attack.first.map(one => `${one.reason} at ${one.stage} ${count(one.value)}`).join(", ");
      parts.push(`${count(attack.total)} connections a second are refused: ${names}.`);
      parts.push(`Handshakes of clients that are not known take ${cores(mean(series.work_others))} cores, of those that are ${cores(mean(series.work_known))}.`);
    }
    const down = (stats.hosts || []).flatMap(host => (host.origins || []).filter(origin => !origin.up).map(origin => `${origin.address} of ${host.name}`));
    const ending = (stats.hosts || []).filter(host => host.certificate && host.certificate.not_after - stats.server.now < 7 * DAY);
    if (down.length) parts.push(`Origin down: ${down.slice(0, 3).join(", ")}${down.length > 3 ? " …" : ""}.`);
    if (ending.length) parts.push(`Certificate near its end: ${ending.slice(0, 3).map(host => host.name).join(", ")}${ending.length > 3 ? " …" : ""}.`);
    const bad = down.length || ending.length || worst === "flooded";
    byId("state").className = bad ? "bad" : worst === "loaded" ? "warn" : "good";
    byId("sentence").textContent = parts.join(" ");
  }

  function showCharts(series) {
    chart("chart-handshakes", "Handshakes", "a second", count, series,
      [["full", "handshakes_full", "a"], ["resumed", "handshakes_resumed", "b", true], ["failed", "handshakes_failed", "c"]]);
    chart("chart-requests", "Requests", "a second", count, series, [["all", "requests", "a"]]);
    chart("chart-rejected", "Refused, by stage", "a second", count, series,
      STAGES.map((stage, i) => [stage, "rejected_" + stage, "abcdef"[i], i % 2 === 1]));
    chart("chart-verdicts", "Verdicts on clients", "a second", count, series,
      [["valid", "certs_valid", "b"], ["invalid", "certs_invalid", "c"], ["none", "certs_none", "f", true]]);
    chart("chart-handshake-latency", "Full handshake", "time", time, series, [["p50", "handshake_full_p50", "a"], ["p99", "handshake_full_p99", "c", true]]);
    chart("chart-request-latency", "Request", "time", time, series, [["p50", "request_p50", "a"], ["p99", "request_p99", "c", true]]);
    chart("chart-work", "CPU for handshakes", "cores", cores, series, [["known clients", "work_known", "b"], ["all others", "work_others", "c", true]]);
    chart("chart-connections", "Connections open", "now", count, series, [["all", "connections", "a"]]);
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

  function daysLeft(stats, host) {
    const left = at(host, "certificate.not_after") - stats.server.now;
    if (!Number.isFinite(left)) return "–";
    return element("span", {class: left < 7 * DAY ? "bad" : left < 30 * DAY ? "warn" : "", text: left < 0 ? "ended" : ago(left) + (left < 30 * DAY ? " left!" : "")});
  }
  function showHosts(stats) {
    const rows = (stats.hosts || []).slice(0, 200).map(host => {
      const origins = element("span");
      (host.origins || []).forEach((origin, i) => {
        if (i > 0) origins.append(", ");
        origins.append(element("span", {class: origin.up ? "" : "bad", text: origin.address + (origin.up ? "" : " is down")}));
      });
      const codes = Object.entries(host.requests_by_code || {}).map(([code, total]) => `${code}: ${count(total)}`).join("  ");
      return [host.name, host.mode, count(host.requests), codes || "–", daysLeft(stats, host), origins];
    });
    table(byId("hosts"), [["host", false], ["mode", false], ["requests", true], ["by code", false], ["certificate", false], ["origins", false]], rows, "none");
  }

  function showRoad(stats) {
    const hosts = (stats.hosts || []).filter(host => host.report);
    byId("road").hidden = hosts.length === 0;
    const open = new Set([...document.querySelectorAll("#road-hosts details[open]")].map(node => node.dataset.host));
    byId("road-hosts").replaceChildren(...hosts.slice(0, 50).map(host => {
      const {would_block: blocked = {}, top_issuers: issuers = [], top_skis: skis = [], valid_by_days_left: days = {}} = host.report;
      const sum = span => Object.values(blocked[span] || {}).reduce((total, one) => total + one, 0);
      const reasons = [...new Set(["last_hour", "last_day", "since_start"].flatMap(span => Object.keys(blocked[span] || {})))];
      const node = element("details", {"data-host": host.name}, element("summary", {text:
        `${host.name}: enforce would have blocked ${count(sum("last_hour"))} requests in the last hour, ${count(sum("last_day"))} in the last day`}));
      node.open = open.has(host.name) || hosts.length === 1;
      const why = element("table"), who = element("table"), which = element("table"), until = element("table");
      table(why, [["reason", false], ["hour", true], ["day", true], ["since start", true]],
        reasons.map(reason => [reason, ...["last_hour", "last_day", "since_start"].map(span => count(at(blocked, span, {})[reason] || 0))]), "nobody");
      const top = (target, entries) => table(target, [["value", false], ["times", true]], entries.map(one => [one.value, (one.error ? "≤ " : "") + count(one.count)]), "none");
      top(who, issuers);
      top(which, skis);
      table(until, [["days left", false], ["requests", true]], Object.entries(days).map(([left, total]) => [left === "more" ? "more" : "under " + left, count(total)]), "none");
      const titled = (title, made) => element("div", {}, element("h3", {text: title}), element("div", {class: "scroll", tabindex: 0}, made));
      node.append(element("div", {class: "columns"}, titled("Why", why), titled("Issuers that fail", who), titled("Keys (SKI) that fail", which), titled("Valid clients, by days left", until)));
      return node;
    }));
  }

  /* The server may go away: then what is shown is old, and says so. */
  let heard = null, started = Date.now();
  function showLost() {
    const silent = Date.now() - (heard ?? started);
    const lost = silent > PATIENCE;
    byId("lost").hidden = !lost;
    document.body.classList.toggle("old", lost);
    if (lost) byId("lost").textContent = `The server has not answered for ${ago(silent / 1000)}. What stands here is as old as that; it goes on by itself when the server is back.`;
  }

  function show(stats) {
    remember(stats);
    showHead(stats);
    showSentence(stats);
    showCharts(at(stats, "history.series", {}));
    showTables(stats);
    showHosts(stats);
    showRoad(stats);
    document.title = (stats.shards || []).some(shard => shard.admission_state === "flooded") ? "Flooded · Sallyport" : "Sallyport";
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
  ask();
})();
