// What the pages do beyond HTML and htmx: live parts, themes, keys, times, selections, charts. Every page works without it.
(() => {
  "use strict";
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (selector, root = document) => root.querySelector(selector);

  // Live: one connection per tab says which topics are stale; parts in view fetch themselves again.
  const PAUSE_MS = 350;
  const inView = new WeakSet();
  const dirty = new Set();
  const fetchedAt = new WeakMap();
  const seen = new WeakSet();
  let source = null;

  const watcher = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) inView.add(target); else inView.delete(target);
    }
    flush();
  }, { rootMargin: "120px" });

  // Whoever types in a part or has a panel open is not interrupted.
  const isBusy = (part) => part.matches(":has(input[type=text]:focus, textarea:focus)") || one(":popover-open");

  function flush() {
    for (const part of dirty) {
      if (!part.isConnected) { dirty.delete(part); continue; }
      const wait = (fetchedAt.get(part) || 0) + PAUSE_MS - performance.now();
      if (document.hidden || !inView.has(part) || isBusy(part)) continue;
      if (wait > 0) { setTimeout(flush, wait); continue; }
      dirty.delete(part);
      fetchedAt.set(part, performance.now());
      htmx.trigger(part, "live");
    }
  }

  const topicsOf = (part) => (part.dataset.live || "").split(" ").filter(Boolean);

  let heard = null;
  function said(...words) {
    heard = words;
    repeat();
  }
  function repeat() {
    if (!heard) return;
    const [state, text] = heard;
    for (const mark of all(".live")) {
      mark.dataset.state = state;
      one("span", mark).textContent = text;
    }
  }

  function connect() {
    const topics = [...new Set(all("[data-live]").flatMap(topicsOf))].sort().join(",");
    if (!topics || document.hidden) return;
    source?.close();
    source = new EventSource(`/live?topics=${encodeURIComponent(topics)}`);
    // What happened between the page and the connection, or while there was none, was told to nobody.
    source.onopen = () => {
      said("live", "Live");
      for (const part of all("[data-live]")) dirty.add(part);
      flush();
    };
    source.onerror = () => said("off", "Reconnecting");
    source.addEventListener("stale", (event) => {
      const stale = new Set(event.data.split(" "));
      for (const part of all("[data-live]")) {
        if (topicsOf(part).some((topic) => stale.has(topic))) dirty.add(part);
      }
      flush();
    });
    source.addEventListener("questions", (event) => {
      for (const badge of all("[data-badge=questions]")) {
        one("b", badge).textContent = event.data;
        badge.hidden = event.data === "0";
      }
    });
    source.addEventListener("lag", (event) => {
      const ms = Number(event.data);
      if (ms > 3000) said("stale", `${Math.round(ms / 1000)} s behind`); else said("live", "Live");
    });
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { source?.close(); source = null; return; }
    connect();
  });
  document.addEventListener("focusout", () => setTimeout(flush, 50));
  document.addEventListener("toggle", () => setTimeout(flush, 50), true);

  // Times: "3 s ago" and "in 4 min" stay true while nobody reloads.
  const offset = Number(document.documentElement.dataset.now || Date.now()) - Date.now();
  function span(ms) {
    const s = Math.max(0, Math.floor(ms / 1000));
    if (s < 60) return `${s} s`;
    const two = (large, unit, small, part) => small ? `${large} ${unit} ${small} ${part}` : `${large} ${unit}`;
    if (s < 3600) return two(Math.floor(s / 60), "min", s < 600 ? s % 60 : 0, "s");
    if (s < 86400) return two(Math.floor(s / 3600), "h", Math.floor(s % 3600 / 60), "min");
    return two(Math.floor(s / 86400), "d", Math.floor(s % 86400 / 3600), "h");
  }
  function tick() {
    const now = Date.now() + offset;
    for (const at of all("[data-since]")) at.textContent = span(now - at.dataset.since);
    for (const at of all("[data-ago]")) at.textContent = `${span(now - at.dataset.ago)} ago`;
    for (const at of all("[data-until]")) {
      const left = at.dataset.until - now;
      at.textContent = left > 0 ? span(left) : "expired";
    }
  }

  // Charts: data stand in an attribute, so that the page needs no inline script.
  function chart(box) {
    const data = JSON.parse(box.dataset.chart);
    const style = getComputedStyle(document.documentElement);
    const probe = document.createElement("i");
    box.append(probe);
    const colour = (name) => { probe.className = `s-${name}`; probe.style.color = "var(--c)"; return getComputedStyle(probe).color; };
    const inks = data.series.map((line) => colour(line.tone));
    probe.style.color = "var(--mute)"; const mute = getComputedStyle(probe).color;
    probe.style.color = "var(--line)"; const line = getComputedStyle(probe).color;
    box.replaceChildren();
    const font = `11.5px ${style.getPropertyValue("--sans") || "sans-serif"}`;
    const axis = { stroke: mute, font, grid: { stroke: line, width: 1 }, ticks: { show: false } };
    const bare = (number, digits) => number.toFixed(digits).replace(/(\.\d\d)0+$/, "$1");
    const money = (micros) => micros === 0 ? "$0" : `$${bare(micros / 1e6, micros < 1e6 ? 4 : 2)}`;
    const shown = (value) => value == null ? "–" : data.unit === "usd" ? money(value) : String(Math.round(value * 100) / 100);
    const two = (number) => String(number).padStart(2, "0");
    const isLong = data.at.at(-1) - data.at[0] > 3 * 86400;
    const time = (at) => {
      const date = new Date(at * 1000);
      return isLong ? `${date.getUTCDate()}.${date.getUTCMonth() + 1}.` : `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
    };
    new uPlot({
      width: box.clientWidth, height: box.clientHeight - 30, cursor: { points: { size: 6 } }, padding: [8, 8, 0, 0],
      tzDate: (at) => uPlot.tzDate(new Date(at * 1000), "Etc/UTC"),
      scales: { ...Object.fromEntries(data.series.map((one) => [one.label, { range: (_, __, most) => [0, (most || 1) * 1.08] }])), x: { range: (_, from, to) => [from - (to - from) / data.at.length / 2, to + (to - from) / data.at.length / 2] } },
      axes: [
        { ...axis, grid: { show: false }, values: (_, ticks) => ticks.map(time) },
        ...data.series.map((series, index) => ({
          ...axis, show: !index || box.clientWidth > 560, scale: series.label, side: index ? 1 : 3, size: 66, grid: index ? { show: false } : axis.grid,
          values: (_, ticks) => ticks.map(shown),
        })),
      ],
      series: [{ label: "UTC", value: (_, at) => at == null ? "–" : time(at) }, ...data.series.map((series, index) => ({
        label: series.label, scale: series.label, stroke: inks[index], width: series.bars ? 0 : 1.75, points: { show: false },
        value: (_, value) => shown(value), dash: series.dashed ? [4, 4] : undefined,
        fill: series.bars ? inks[index] : undefined,
        paths: series.bars ? uPlot.paths.bars({ size: [0.7, 48], radius: 0.12 }) : undefined,
      }))],
    }, [data.at, ...data.series.map((line) => line.values)], box);
  }
  const draw = (root = document) => { if (window.uPlot) all("[data-chart]", root).filter((box) => !box.firstChild).forEach(chart); };
  let widthBefore = innerWidth;
  addEventListener("resize", () => {
    if (innerWidth === widthBefore) return;
    widthBefore = innerWidth;
    for (const box of all("[data-chart]")) box.replaceChildren();
    draw();
  });

  // Documents: keys, texts, numbers and words are coloured where they stand, so that a page stays as small as it is.
  const TOKEN = /("(?:[^"\\]|\\.)*")(\s*:)?|-?\d[\d.eE+-]*|\b(?:true|false|null)\b/g;
  function colours() {
    if (!window.Highlight) return;
    const parts = { key: new Highlight(), text: new Highlight(), number: new Highlight(), word: new Highlight() };
    for (const { firstChild: node } of all("pre.doc > code")) {
      if (node?.nodeType !== Node.TEXT_NODE || node.length > 65536) continue;
      for (const { 0: whole, 1: text, 2: colon, index } of node.data.matchAll(TOKEN)) {
        const name = colon ? "key" : text ? "text" : /^[a-z]/.test(whole) ? "word" : "number";
        const end = index + (text || whole).length;
        parts[name].add(new StaticRange({ startContainer: node, startOffset: index, endContainer: node, endOffset: end }));
      }
    }
    for (const [name, part] of Object.entries(parts)) CSS.highlights.set(`doc-${name}`, part);
  }

  // Selections: the bar below a list counts what is picked.
  function picked() {
    for (const bar of all("[data-bulk]")) {
      const boxes = all(`input[name=pick]`, bar.closest("form") || document);
      const count = boxes.filter((box) => box.checked).length;
      bar.classList.toggle("on", count > 0);
      const label = one("[data-count]", bar);
      if (label) label.textContent = count;
    }
  }

  document.addEventListener("change", (event) => {
    const { target } = event;
    if (target.matches("[data-pick-all]")) {
      for (const box of all("input[name=pick]", target.closest("form"))) box.checked = target.checked;
    }
    if (target.matches("input[type=checkbox]")) picked();
  });

  document.addEventListener("click", async (event) => {
    const copy = event.target.closest?.("[data-copy]");
    if (copy) {
      await navigator.clipboard?.writeText(copy.dataset.copy);
      copy.dataset.done = "";
      setTimeout(() => delete copy.dataset.done, 1200);
    }
    if (event.target.closest?.("[data-theme-turn]")) {
      const root = document.documentElement;
      const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = isDark ? "light" : "dark";
      document.cookie = `cadre_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=strict`;
      for (const box of all("[data-chart]")) box.replaceChildren();
      draw();
    }
    if (event.target.closest?.("[data-dismiss]")) event.target.closest(".note")?.remove();
  });

  // Keys: / searches, j and k walk a list, Enter opens, x picks, Escape lets go.
  const typing = (element) => element?.matches?.("input:not([type=checkbox]), textarea, select");
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && typing(document.activeElement)) { document.activeElement.blur(); return; }
    if (typing(document.activeElement)) return;
    if (event.key === "/") {
      const search = one("input[type=search]");
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    }
    if (event.key === "j" || event.key === "k") {
      const rows = all("[data-rows] a[data-row]");
      if (!rows.length) return;
      const at = rows.indexOf(document.activeElement);
      const next = event.key === "j" ? at + 1 : at < 0 ? rows.length - 1 : at - 1;
      rows[Math.min(rows.length - 1, Math.max(0, next))].focus();
    }
    if (event.key === "x") {
      const box = document.activeElement?.closest("tr")?.querySelector("input[name=pick]");
      if (box) { box.checked = !box.checked; picked(); }
    }
  });

  function settle(root) {
    for (const part of all("[data-live]")) {
      if (!seen.has(part)) { seen.add(part); watcher.observe(part); }
    }
    draw(root instanceof Element ? root : document);
    colours();
    repeat();
    picked();
    tick();
  }
  document.addEventListener("htmx:after:swap", (event) => {
    settle(document);
    const target = event.detail?.ctx?.target;
    if (target?.matches?.("[popover]:not(:popover-open)") && target.firstElementChild) target.showPopover();
  });
  // A panel whose form was sent closes itself; errors show where they belong.
  document.addEventListener("htmx:after:request", (event) => {
    const form = event.detail?.ctx?.sourceElement;
    if (form?.matches?.("[data-close]")) form.closest("[popover]")?.hidePopover?.();
  });

  // What is chosen in a row that scrolls is in sight.
  for (const row of all(".tabs, .chips")) {
    const chosen = one("[aria-current]", row);
    if (chosen) row.scrollLeft = chosen.offsetLeft - row.offsetLeft - row.clientWidth / 3;
  }
  settle(document);
  connect();
  setInterval(tick, 1000);
})();
