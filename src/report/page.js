"use strict";
(() => {
  const link = document.getElementById("raw-json");
  const theme = document.getElementById("theme");
  theme.hidden = false;
  theme.addEventListener("click", () => {
    const root = document.documentElement;
    const now = root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    root.dataset.theme = now === "dark" ? "light" : "dark";
  });
  const charts = [...document.querySelectorAll("figure.chart")];
  if (!link || !charts.length) return;
  const bytes = Uint8Array.from(atob(link.href.split(",")[1]), (c) => c.charCodeAt(0));
  const run = JSON.parse(new TextDecoder().decode(bytes));
  const history = run.history;
  const ends = history.t_s, lengths = history.length_s;
  const end = Math.max(run.elapsed_s, ends[ends.length - 1]);
  const LEFT = 68, RIGHT = 14, WIDTH = 960, SPAN = 100000, RISE = 1000, INNER = WIDTH - LEFT - RIGHT;
  const NS = "http://www.w3.org/2000/svg";
  let shown = [0, end];

  const round = (value, places) => String(Number(value.toFixed(places)));
  const number = (value) => {
    const size = Math.abs(value);
    if (size >= 1000) return value.toLocaleString("en", { maximumFractionDigits: 1 });
    return round(value, size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4);
  };
  const micros = (us) => us < 1e3 ? round(us, 0) + " µs" : us < 1e6 ? number(us / 1e3) + " ms" : number(us / 1e6) + " s";
  const units = {
    rate: (v) => number(v) + "/s", jobs: number, micros, share: (v) => number(v * 100) + "%",
  };
  const time = (s, fine) => {
    if (s < 60) return round(s, fine) + "s";
    let text = "", rest = s;
    for (const [unit, size] of [["d", 86400], ["h", 3600], ["m", 60]]) {
      if (rest >= size) { text += Math.floor(rest / size) + unit; rest %= size; }
    }
    return rest > 1e-9 ? text + round(rest, fine) + "s" : text;
  };
  const step = (length, most) => {
    const least = length / most;
    for (const s of [.001, .002, .005, .01, .02, .05, .1, .2, .5, 1, 2, 5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1800,
      3600, 7200, 10800, 14400, 21600, 43200, 86400]) if (s >= least) return s;
    return Math.ceil(least / 86400) * 86400;
  };
  const slice = (t) => {
    let low = 0, high = ends.length - 1;
    while (low < high) { const mid = (low + high) >> 1; if (ends[mid] < t) low = mid + 1; else high = mid; }
    return low;
  };
  const make = (name, attributes, parent) => {
    const element = document.createElementNS(NS, name);
    for (const key in attributes) element.setAttribute(key, attributes[key]);
    parent.append(element);
    return element;
  };

  const views = charts.map((figure) => {
    const frame = figure.querySelector(".frame"), plot = figure.querySelector(".plot");
    const height = frame.viewBox.baseVal.height;
    const cursor = make("line", { class: "cursor", y1: 10, y2: height - 26, visibility: "hidden" }, frame);
    const selection = make("rect", { class: "selection", y: 10, height: height - 36, width: 0, visibility: "hidden" }, frame);
    return { figure, frame, plot, height, cursor, selection, times: figure.querySelector(".times"),
      lines: JSON.parse(figure.dataset.lines), text: units[figure.dataset.unit] };
  });

  const place = (t) => LEFT + INNER * (t - shown[0]) / (shown[1] - shown[0]);
  const draw = () => {
    const [from, to] = shown, length = to - from, tick = step(length, 8);
    const fine = Math.max(0, Math.ceil(-Math.log10(tick)));
    for (const view of views) {
      view.plot.setAttribute("viewBox", `${SPAN * from / end} 0 ${SPAN * length / end} ${RISE}`);
      view.times.replaceChildren();
      for (let t = Math.ceil(from / tick - 1e-9) * tick; t <= to + 1e-9; t += tick) {
        const last = WIDTH - place(t) < 40;
        const label = make("text", { class: last ? "end" : "middle", x: last ? WIDTH - RIGHT : place(t), y: view.height - 7 }, view.times);
        label.textContent = time(t, fine);
      }
    }
  };
  const at = (view, event) => {
    const box = view.frame.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * WIDTH;
    return shown[0] + (shown[1] - shown[0]) * Math.min(1, Math.max(0, (x - LEFT) / INNER));
  };
  const tip = document.getElementById("tip");
  const row = (label, value, kind) => {
    const line = document.createElement("div");
    if (kind) { const key = document.createElement("i"); key.className = kind; line.append(key); }
    line.append(label);
    if (value !== undefined) { const bold = document.createElement("b"); bold.textContent = value; line.append(bold); }
    tip.append(line);
  };
  const point = (view, t, x, y) => {
    const i = slice(t);
    for (const other of views) {
      other.cursor.setAttribute("x1", place(t)); other.cursor.setAttribute("x2", place(t));
      other.cursor.setAttribute("visibility", "visible");
    }
    tip.replaceChildren();
    row(lengths[i] < 1.5 ? time(ends[i], 1) : time(ends[i] - lengths[i], 1) + " to " + time(ends[i], 1));
    for (const line of view.lines) {
      let value = line.path.reduce((data, key) => data && data[key], history);
      value = value && value[i];
      if (value === null || value === undefined) { row(line.label, "–", line.class); continue; }
      row(line.label, view.text(line.perSecond ? value / lengths[i] : value), line.class);
    }
    const near = (shown[1] - shown[0]) * .006;
    for (const mark of view.plot.querySelectorAll(".mark")) {
      if (Math.abs(mark.x1.baseVal.value / SPAN * end - t) <= near) row(mark.querySelector("title").textContent);
    }
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = (x + 18 + box.width > innerWidth ? x - box.width - 14 : x + 18) + "px";
    tip.style.top = Math.max(4, Math.min(innerHeight - box.height - 4, y + 14)) + "px";
  };
  const leave = () => {
    tip.hidden = true;
    for (const view of views) view.cursor.setAttribute("visibility", "hidden");
  };
  const whole = () => { shown = [0, end]; draw(); };
  for (const view of views) {
    let start = null;
    view.frame.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      start = at(view, event);
      view.frame.setPointerCapture(event.pointerId);
    });
    view.frame.addEventListener("pointermove", (event) => {
      const t = at(view, event);
      point(view, t, event.clientX, event.clientY);
      if (start === null) return;
      const [a, b] = [place(Math.min(start, t)), place(Math.max(start, t))];
      view.selection.setAttribute("x", a); view.selection.setAttribute("width", b - a);
      view.selection.setAttribute("visibility", "visible");
    });
    view.frame.addEventListener("pointerup", (event) => {
      const t = at(view, event);
      view.selection.setAttribute("visibility", "hidden");
      if (start !== null && Math.abs(place(t) - place(start)) > 8) {
        shown = [Math.min(start, t), Math.max(start, t)];
        draw();
      }
      start = null;
    });
    view.frame.addEventListener("pointercancel", () => { start = null; view.selection.setAttribute("visibility", "hidden"); });
    view.frame.addEventListener("pointerleave", leave);
    view.frame.addEventListener("dblclick", whole);
    let held = null;
    view.frame.addEventListener("keydown", (event) => {
      const steps = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.key === "Escape") { whole(); leave(); return; }
      if (!steps) return;
      event.preventDefault();
      held = Math.min(ends.length - 1, Math.max(0, (held === null ? slice(shown[0]) : held) + steps));
      const t = Math.min(shown[1], Math.max(shown[0], ends[held] - lengths[held] / 2));
      const box = view.frame.getBoundingClientRect();
      point(view, t, box.left + place(t) / WIDTH * box.width, box.top + 20);
    });
    view.frame.addEventListener("blur", leave);
  }
  document.querySelector(".hint").hidden = false;
  document.getElementById("whole").addEventListener("click", whole);
})();
