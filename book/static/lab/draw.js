// What the lab and both explorers share: elements, plots as SVG, and reading an address.
"use strict";

(() => {
  const SVG = "http://www.w3.org/2000/svg";

  // el("p.note", {title: "x"}, "text", child)
  function el(name, attributes = {}, ...children) {
    const [tag, ...classes] = name.split(".");
    const node = document.createElement(tag);
    if (classes.length) node.className = classes.join(" ");
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else if (value === true) node.setAttribute(key, "");
      else if (value !== false && value != null) node.setAttribute(key, value);
    }
    node.append(...children.flat().filter((c) => c != null));
    return node;
  }
  function svg(tag, attributes = {}, text) {
    const node = document.createElementNS(SVG, tag);
    for (const [key, value] of Object.entries(attributes)) if (value != null) node.setAttribute(key, value);
    if (text != null) node.textContent = text;
    return node;
  }

  const minus = (text) => String(text).replace("-", "−");
  const SUPER = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const raised = (e) => `10${e < 0 ? "⁻" : ""}${[...String(Math.abs(e))].map((d) => SUPER[d]).join("")}`;
  function digits(v, n = 3) {
    if (!Number.isFinite(v)) return v === Infinity ? "∞" : v === -Infinity ? "−∞" : "–";
    if (v === 0 || (Math.abs(v) >= 1e-3 && Math.abs(v) < 1e5)) return minus(+v.toPrecision(n));
    const [head, e] = v.toExponential(n - 1).split("e");
    return `${minus(+head)} · ${raised(+e)}`;
  }
  const percent = (v) => `${Math.round(100 * v)}\u202f%`;

  // The colours of an activation in both themes; the style sheet picks one.
  function hue(node, name) {
    const { light, dark } = ActLab.catalog[name];
    node.classList.add("al-hue");
    node.style.setProperty("--l", light);
    node.style.setProperty("--d", dark);
    return node;
  }

  let serial = 0;
  function field(label, control, shown) {
    control.id ||= `al-${++serial}`;
    return el("div.al-f", {}, el("label", { for: control.id }, label, shown ? el("output", { for: control.id }, shown) : ""), control);
  }
  function select(options, value, onchange) {
    const node = el("select", { onchange: () => onchange(node.value) },
      options.map(([v, text, title]) => Array.isArray(text)
        ? el("optgroup", { label: v }, text.map(([w, t]) => el("option", { value: w, selected: w === value }, t)))
        : el("option", { value: v, selected: v === value, title }, text)));
    return node;
  }
  // Activations family by family, as options.
  function activations(value, onchange) {
    const families = {};
    for (const [name, entry] of Object.entries(ActLab.catalog)) (families[entry.family] ||= []).push([name, entry.title]);
    const titled = Object.entries(families).map(([family, all]) => [family.replace(/_/g, " "), all]);
    return select(titled, value, onchange);
  }
  // A slider over value = to(position); the text shown is also what a screen reader says.
  function slider(label, { low, high, step, value, show = digits, from = (v) => v, to = (v) => v }, oninput) {
    const input = el("input", { type: "range", min: from(low), max: from(high), step, value: from(value) });
    input.value = from(value);
    const node = field(label, input, show(value)), out = node.querySelector("output");
    const say = (v) => { out.textContent = show(v); input.setAttribute("aria-valuetext", show(v)); };
    say(value);
    input.addEventListener("input", () => { const v = to(+input.value); say(v); oninput(v); });
    node.set = (v) => { input.value = from(v); say(v); };
    return node;
  }
  const logarithmic = { from: (v) => Math.log10(v), to: (p) => +(10 ** p).toPrecision(2) };
  // Sliders for an activation's parameters; `rest` of the constraint is kept by refusing a change.
  function parameterSliders(name, values, onchange) {
    return ActLab.catalog[name].parameters.filter((p) => "low" in p).map((p) => slider(
      p.name, { low: p.low, high: p.high, step: 0.01, value: values[p.name] },
      (v) => onchange(p.name, +v.toFixed(4))));
  }
  const defaults = (name) => Object.fromEntries(ActLab.catalog[name].parameters.map((p) => [p.name, p.default]));
  // Two parameters of one function have an order: lower ≤ upper, min_val < max_val.
  function holds(name, values) {
    const { constraint, parameters } = ActLab.catalog[name];
    if (!constraint) return true;
    const [a, b] = parameters.map((p) => values[p.name]);
    return constraint.includes("≤") ? a <= b : a < b;
  }

  // --- Plots ---------------------------------------------------------------------------------------

  // spec: {label, height, x: [low, high], y: [low, high], log, xticks, yticks, xname, showx, showy,
  // series: [{points, act, dash, width, className, end}], marks: [{x, act}], zero}.
  // Drawn again whenever its width changes; lines outside of the frame are cut.
  function plot(host, spec) {
    const state = { spec, width: 0 };
    const room = () => (host.style.minHeight = `${state.spec.height ?? 220}px`);
    room();
    const id = `al-clip-${++serial}`;
    function draw() {
      const { label, height = 220, x, y, log, xticks = [], yticks = [], showx = digits, showy = digits, series, marks = [], xname = "", zero } = state.spec;
      const w = state.width, left = 44, right = w - (state.spec.right ?? 16), top = 10, bottom = height - (xname ? 38 : 24);
      if (w < 80) return;
      const Y = log ? Math.log10 : (v) => v;
      const px = (v) => left + ((right - left) * (v - x[0])) / (x[1] - x[0]);
      const py = (v) => bottom - ((bottom - top) * (Y(v) - Y(y[0]))) / (Y(y[1]) - Y(y[0]));
      const cut = (v) => Math.max(-2000, Math.min(3000, v));
      const root = svg("svg", { width: w, height, role: "img", "aria-label": label });
      const clip = svg("clipPath", { id });
      clip.append(svg("rect", { x: left - 1, y: top - 2, width: right - left + 2, height: bottom - top + 4 }));
      root.append(clip);
      const line = (a, b, c, d, cls) => root.append(svg("line", { x1: a, y1: b, x2: c, y2: d, class: cls }));
      for (const t of yticks) {
        const at = Math.round(py(t)) + 0.5;
        line(left, at, right, at, "al-grid");
        root.append(svg("text", { x: left - 6, y: at + 4, "text-anchor": "end" }, showy(t)));
      }
      for (const t of xticks) root.append(svg("text", { x: px(t), y: bottom + 17, "text-anchor": "middle" }, showx(t)));
      if (xname) root.append(svg("text", { x: (left + right) / 2, y: height - 5, "text-anchor": "middle" }, xname));
      if (zero) {
        if (y[0] <= 0 && y[1] >= 0) line(left, py(0), right, py(0), "al-axis");
        if (x[0] <= 0 && x[1] >= 0) line(px(0), top, px(0), bottom, "al-axis");
      }
      for (const m of marks) {
        const node = m.from != null
          ? svg("rect", { x: px(Math.max(m.from, x[0])), y: top, width: Math.max(0, px(Math.min(m.to, x[1])) - px(Math.max(m.from, x[0]))), height: bottom - top, class: "al-flat" })
          : svg("line", { x1: px(m.x), x2: px(m.x), y1: top, y2: bottom, class: "al-kink" });
        hue(node, m.act);
        root.append(node);
      }
      const ends = [];
      for (const s of series) {
        let path = "", pen = "M";
        for (const [a, b] of s.points) {
          if (!Number.isFinite(b) || (log && b <= 0)) { pen = "M"; continue; }
          path += `${pen}${cut(px(a)).toFixed(1)} ${cut(py(b)).toFixed(1)}`;
          pen = "L";
        }
        if (s.points.length === 1 && path) path += "h.1";
        const node = svg("path", { d: path || "M0 0", class: `al-line ${s.className || ""}`, "stroke-dasharray": s.dash, "stroke-width": s.width ?? 2.2, "clip-path": `url(#${id})` });
        if (s.act) hue(node, s.act);
        root.append(node);
        if (s.dots) for (const [a, b] of s.points) {
          if (!Number.isFinite(b) || (log && b <= 0) || py(b) > bottom + 2 || py(b) < top - 2) continue;
          const dot = svg("circle", { cx: px(a), cy: py(b), r: 3.2, class: "al-dot" });
          if (s.act) hue(dot, s.act);
          root.append(dot);
        }
        const last = s.points.filter(([, b]) => Number.isFinite(b)).at(-1);
        if (s.end && last) ends.push([s, px(last[0]), Math.max(top + 4, Math.min(bottom, py(last[1])))]);
      }
      if (ends.length === 2 && Math.abs(ends[0][2] - ends[1][2]) < 14) {
        const upper = ends[0][2] <= ends[1][2] ? 0 : 1, middle = (ends[0][2] + ends[1][2]) / 2;
        ends[upper][2] = middle - 7;
        ends[1 - upper][2] = middle + 7;
      }
      for (const [s, a, b] of ends) {
        const node = svg("text", { x: a + 6, y: b + 4, class: "al-end" }, s.end);
        if (s.act) hue(node, s.act);
        root.append(node);
      }
      host.replaceChildren(root);
    }
    new ResizeObserver(() => {
      const w = Math.floor(host.clientWidth);
      if (w !== state.width) { state.width = w; draw(); }
    }).observe(host);
    return { update(changed) { state.spec = { ...state.spec, ...changed }; room(); if (state.width) draw(); } };
  }

  // Round numbers for an axis: about `count` of them.
  function ticks(low, high, count = 5) {
    const rough = (high - low) / count, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough);
    const out = [];
    for (let k = Math.ceil(low / step); k * step <= high + 1e-9; k++) out.push(+(k * step).toFixed(10));
    return out;
  }
  const decades = (low, high, most = 5) => {
    const step = Math.max(1, Math.ceil((high - low) / most)), out = [];
    for (let e = Math.ceil(low); e <= high; e += step) out.push(10 ** e);
    return out;
  };
  const power = (v) => (v === 1 ? "1" : raised(Math.round(Math.log10(v))));

  // --- The address ---------------------------------------------------------------------------------

  // What a link asks for, made safe. What cannot be had is replaced and said in `notes`.
  class Address {
    constructor(text) {
      this.query = new URLSearchParams(text.replace(/^#/, ""));
      this.notes = [];
    }
    has(key) { return this.query.has(key); }
    text(key) { return this.query.get(key) ?? ""; }
    choice(what, value, allowed, fallback) {
      if (allowed.includes(value)) return value;
      this.notes.push(`The link asks for ${what} “${value.slice(0, 40)}”, which there is not; shown is ${ActLab.catalog[fallback]?.title ?? fallback}.`);
      return fallback;
    }
    number(what, value, low, high, fallback, whole = false) {
      const v = value.trim() === "" ? NaN : +value;
      if (Number.isFinite(v) && v >= low && v <= high && (!whole || Number.isInteger(v))) return v;
      const safe = Number.isFinite(v) ? Math.min(high, Math.max(low, whole ? Math.round(v) : v)) : fallback;
      this.notes.push(`The link asks for ${what} “${value.slice(0, 40)}”; possible is ${whole ? "a whole number" : "a number"} from ${digits(low)} to ${digits(high)}, and shown is ${digits(safe)}.`);
      return safe;
    }
    // "leaky_relu:0.3": a name and its parameters in the catalog's order. Names as the catalog
    // takes them: titles and aliases too, whatever the case.
    activation(value, fallback) {
      const [asked, ...given] = value.split(":");
      const key = (s) => s.toLowerCase().replace(/[_\s-]/g, "");
      const name = Object.keys(ActLab.catalog).find((n) => [n, ActLab.catalog[n].title, ...ActLab.catalog[n].aliases].some((s) => key(s) === key(asked)));
      const act = this.choice("the activation", name ?? asked, Object.keys(ActLab.catalog), fallback), params = defaults(act);
      ActLab.catalog[act].parameters.filter((p) => "low" in p).forEach((p, i) => {
        if (i < given.length && name) params[p.name] = this.number(p.name, given[i], p.low, p.high, p.default);
      });
      if (!holds(act, params)) {
        this.notes.push(`${ActLab.catalog[act].title} expects ${ActLab.catalog[act].constraint}; shown are its defaults.`);
        Object.assign(params, defaults(act));
      }
      return { act, params };
    }
  }
  function written({ act, params }) {
    const own = ActLab.catalog[act].parameters.filter((p) => "low" in p);
    const changed = own.some((p) => params[p.name] !== p.default);
    return [act, ...(changed ? own.map((p) => params[p.name]) : [])].join(":");
  }
  // The state of a page of its own is in its address; a piece in another page leaves that alone.
  function keep(host, text) {
    host.dataset.state = text;
    if (host.dataset.own != null) try { history.replaceState(null, "", `#${text}`); } catch { /* from a file in a sandbox */ }
    for (const link of host.querySelectorAll("a.al-open")) link.hash = text;
  }
  // Where the address of a page changes under it (a link in the page, the back button).
  function listen(host, read) {
    if (host.dataset.own != null) addEventListener("hashchange", () => read(location.hash));
  }
  function note(box, notes) {
    box.hidden = !notes.length;
    box.replaceChildren(...notes.map((text) => el("p", {}, text)));
  }
  const reference = (name) => {
    const dashed = (s) => s.replace(/_/g, "-");
    return `${ActLab.base}../../book/reference/family-${dashed(ActLab.catalog[name].family)}.html#activation-${dashed(name)}`;
  };

  Object.assign(ActLab, { draw: { el, svg, digits, percent, minus, hue, field, select, activations, slider, logarithmic,
    parameterSliders, defaults, holds, plot, ticks, decades, power, Address, written, keep, listen, note, reference } });
  ActLab.mount = ActLab.mount || {};
})();
