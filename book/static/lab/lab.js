// The live lab: two networks side by side, each at work in a worker of its own, and every unit of
// theirs a cell of a grid.
"use strict";

(() => {
  const { el, hue, digits, percent, field, select, activations, slider, logarithmic, parameterSliders, defaults, holds,
    plot, ticks, Address, written, keep, listen, note } = ActLab.draw;
  const STARTS = { torch: "PyTorch default", glorot: "Keras default (Glorot)", he: "He", lecun: "LeCun", orthogonal: "Orthogonal" };
  const BIASES = { torch: "random, as PyTorch", zero: "zero", plus: "+0.1", minus: "−0.1" };
  const OPTIMISERS = { sgd: "SGD", momentum: "Momentum 0.9", adam: "Adam" };
  const DATA = { digits: "Handwritten digits", spirals: "Two spirals" };
  const SPEEDS = { 1: "10 steps/s", 2: "100 steps/s", 3: "Full speed" };
  const MOST = 100000; // steps that a link may ask for

  const lane = (act, start, bias, lr, opt = "sgd", scale = 1) => ({ act, params: defaults(act), start, bias, scale, opt, lr });
  const PRESETS = {
    relu: ["Who killed the ReLU?", "One network, two starts", () => [lane("relu", "torch", "torch", 0.1), lane("relu", "he", "zero", 0.1)]],
    vanish: ["Vanishing gradients", "Sigmoid against tanh", () => [lane("sigmoid", "glorot", "zero", 0.1), lane("tanh", "glorot", "zero", 0.1)]],
    selu: ["SELU keeps its scale", "Against ReLU, from the same start", () => [lane("selu", "lecun", "zero", 0.03), lane("relu", "lecun", "zero", 0.03)]],
  };
  const preset = (name) => ({ data: "digits", layers: 10, units: 32, seed: 1, speed: 2, two: true, lanes: PRESETS[name][2]() });

  // --- The address: data=digits&net=10x32&seed=1&speed=2&two=1&a=relu,he,zero,1,sgd,0.1&b=…&steps=0 --

  const short = (v) => +v.toPrecision(3);
  function write(c, steps) {
    const one = (l) => [written(l), l.start, l.bias, short(l.scale), l.opt, short(l.lr)].join(",");
    return [`data=${c.data}`, `net=${c.layers}x${c.units}`, `seed=${c.seed}`, `speed=${c.speed}`, `two=${+c.two}`,
      `a=${one(c.lanes[0])}`, `b=${one(c.lanes[1])}`, ...(steps ? [`steps=${steps}`] : [])].join("&");
  }
  function read(text) {
    const q = new Address(text), named = q.has("preset") ? q.choice("the experiment", q.text("preset"), Object.keys(PRESETS), "relu") : "relu";
    const c = preset(named);
    if (q.has("data")) c.data = q.choice("the data", q.text("data"), Object.keys(DATA), "digits");
    if (q.has("net")) {
      const [layers, units = ""] = q.text("net").split("x");
      c.layers = q.number("hidden layers", layers, 1, 10, 10, true);
      c.units = Math.ceil(q.number("units a layer", units, 4, 32, 32, true) / 4) * 4;
    }
    if (q.has("seed")) c.seed = q.number("the seed", q.text("seed"), 0, 9999, 1, true);
    if (q.has("speed")) c.speed = q.number("the speed", q.text("speed"), 1, 3, 2, true);
    if (q.has("two")) c.two = q.choice("two settings", q.text("two"), ["0", "1"], "1") === "1";
    ["a", "b"].forEach((key, i) => {
      if (!q.has(key)) return;
      const [act = "", start = "", bias = "", scale = "", opt = "", lr = ""] = q.text(key).split(","), l = c.lanes[i];
      Object.assign(l, q.activation(act, l.act));
      l.start = q.choice("the start", start, Object.keys(STARTS), l.start);
      l.bias = q.choice("the biases", bias, Object.keys(BIASES), l.bias);
      l.scale = q.number("the weights’ factor", scale, 0.1, 10, l.scale);
      l.opt = q.choice("the optimiser", opt, Object.keys(OPTIMISERS), l.opt);
      l.lr = q.number("the learning rate", lr, 1e-4, 3, l.lr);
    });
    const steps = q.has("steps") ? q.number("steps", q.text("steps"), 0, MOST, 0, true) : 0;
    return { config: c, steps, notes: q.notes };
  }

  // --- What a look says in a sentence ----------------------------------------------------------------

  function facts(look, c) {
    const count = Array(5).fill(0), gone = [], points = [];
    look.state.forEach((s) => count[s]++);
    for (let l = 0; l < c.layers; l++) {
      if (look.state.subarray(l * c.units, (l + 1) * c.units).every((s) => s === 3)) gone.push(l + 1);
      if (look.gradient[l] > 0 && Number.isFinite(look.gradient[l])) points.push([l, Math.log10(look.gradient[l])]);
    }
    let slope = null; // decades that the gradient of the weights loses on its way down, per layer
    if (points.length > 1) {
      const mx = points.reduce((t, p) => t + p[0], 0) / points.length, my = points.reduce((t, p) => t + p[1], 0) / points.length;
      slope = points.reduce((t, p) => t + (p[0] - mx) * (p[1] - my), 0) / points.reduce((t, p) => t + (p[0] - mx) ** 2, 0);
    }
    return { count, gone, slope, total: c.layers * c.units, first: look.spread[0], last: look.spread[c.layers - 1] };
  }
  function sentences(look, c) {
    if (look.diverged) return [`The network has diverged ${look.step ? `at step ${look.diverged}` : "before its first step"}: its loss is no finite number.`, "It has stopped. Lower the learning rate or the weights, and reset."];
    const f = facts(look, c), [, on, dormant, dead, saturated] = f.count, out = [];
    const of = (n, what) => `${n} of ${f.total} units are ${what}`;
    if (f.gone.length) out.push(`Layer ${f.gone[0]} is entirely dead: no signal passes it, and no gradient.`);
    else if (dead) out.push(`${of(dead, "dead")}${on ? `, ${on} always on` : ""}${dormant ? `, ${dormant} dormant` : ""}.`);
    else if (saturated) out.push(`${of(saturated, "saturated")}.`);
    else if (dormant) out.push(`${of(dormant, "dormant")}.`);
    else if (on) out.push(`No unit is dead; ${of(on, "always on")}.`);
    else out.push(`All ${f.total} units are alive.`);
    if (!f.gone.length && f.slope !== null && c.layers > 1) {
      const even = Math.abs(f.slope) <= 0.05, ratio = f.last / f.first, kept = ratio > 0.5 && ratio < 2;
      const g = even ? "The gradient keeps its size"
        : f.slope > 0 ? `The gradient loses ${f.slope.toFixed(1)} decades a layer on its way down`
          : `The gradient grows by ${(-f.slope).toFixed(1)} decades a layer on its way down`;
      const s = kept ? "the signal keeps its spread" : `the signal’s spread ${ratio < 1 ? "falls" : "grows"} from ${digits(f.first, 2)} to ${digits(f.last, 2)}`;
      out.push(even && kept ? "Signal and gradient keep their size through the layers." : `${g}; ${s}.`);
    }
    const chance = 1 / (c.data === "digits" ? 10 : 2), what = c.data === "digits" ? "digits" : "points";
    if (f.last < 0.005 && look.valid < 3 * chance && chance < 0.5) out.push(`Every one of the ${what} gets nearly the same answer.`);
    else if (!look.step) out.push("It has not trained yet.");
    else out.push(`It is right on ${percent(look.valid)} of the validation ${what}${look.valid < 1.3 * chance ? ", about what chance would give" : ""}.`);
    return out;
  }

  // --- A worker, or the same code in the page -------------------------------------------------------

  function makeEngine(receive) {
    const inPage = () => {
      const handle = ActLab.serve((answer) => receive(answer));
      return { postMessage: (m) => setTimeout(() => handle(m)), inPage: true };
    };
    let engine, heard = false;
    const queue = [];
    const fall = () => { // workers are refused to pages opened from the disk, in some browsers
      engine = inPage();
      queue.splice(0).forEach((m) => engine.postMessage(m));
    };
    try {
      const worker = new Worker(`${ActLab.base}worker.js`);
      engine = worker;
      worker.onmessage = (e) => { heard = true; queue.length = 0; receive(e.data); };
      worker.onerror = (e) => { if (!heard && engine === worker) { e.preventDefault(); fall(); } };
    } catch { fall(); }
    return { post: (m) => { if (!heard) queue.push(m); engine.postMessage(m); }, get inPage() { return Boolean(engine.inPage); } };
  }

  // --- The piece ----------------------------------------------------------------------------------------

  ActLab.mount.lab = (host) => {
    let { config: c, steps: owed, notes } = read(host.dataset.own != null && location.hash.length > 1 ? location.hash : host.dataset.state || "");
    const sets = {}, data = () => (sets[c.data] ??= ActLab.dataset(c.data));
    const calm = matchMedia("(prefers-reduced-motion: reduce)");
    const id = `al-lab-${Math.random().toString(36).slice(2, 8)}`;
    let playing = false, pending = 0, frame = 0, lastGrant = 0, lastDraw = 0, spoke = 0, due = 0, saved = 0;

    // Controls ------------------------------------------------------------------------------------------
    const notice = el("div.al-note", { role: "status", hidden: true });
    const presets = el("div.al-presets", { role: "group", "aria-label": "Experiments" }, Object.entries(PRESETS).map(([name, [title, sub]]) =>
      el("button", { type: "button", "data-preset": name, onclick: () => { c = { ...preset(name), speed: c.speed }; build(); setPlay(!calm.matches); } }, el("b", {}, title), el("span", {}, sub))));
    const play = el("button.al-primary", { type: "button", "aria-pressed": "false", onclick: () => setPlay(!playing) }, "Play");
    const counter = el("output.al-count", { "aria-label": "Training steps" }, "step 0");
    const one = () => { if (playing) setPlay(false); pending++; kick(); };
    const transport = el("div.al-transport", { role: "group", "aria-label": "Run" }, play,
      el("button", { type: "button", onclick: one }, "Step"),
      el("button", { type: "button", onclick: () => { setPlay(false); owed = 0; reset(); } }, "Reset"), counter);
    const shared = el("div.al-shared"), lanesBox = el("div.al-lanes"), live = el("div.al-sr", { "aria-live": "polite" });
    const key = el("ul.al-key", { "aria-label": "What the cells mean" }, [
      ["alive (fuller: larger mean)", 0, 0.7], ["mean below zero", 0, -0.7], ["always on: a straight line", 1, 0.7], ["dormant", 2, 0.1], ["dead", 3, 0], ["saturated", 4, 0.3],
    ].map(([text, state, mean]) => el("li", {}, paint(hue(el("i.al-cell", { "aria-hidden": "true" }), "relu"), state, mean), text)));
    const lossBox = el("div.al-plot"), accBox = el("div.al-plot");
    const curves = el("div.al-curves", {}, el("figure", {}, el("figcaption", {}, "Loss ", el("small", {}, "on all training examples")), lossBox),
      el("figure", {}, el("figcaption", {}, "Right answers ", el("small", {}, "on the validation examples")), accBox));
    const lossPlot = plot(lossBox, { series: [], x: [0, 20], y: [0, 3], label: "Loss: no steps yet", height: 180 });
    const accPlot = plot(accBox, { series: [], x: [0, 20], y: [0, 1], label: "Right answers: no steps yet", height: 180 });
    const link = host.dataset.own != null ? null : el("p.al-more", {}, el("a.al-open", { href: `${ActLab.base}../../book/lab.html` }, "Open this experiment in the live lab"));
    host.replaceChildren(notice, ...(host.dataset.own != null ? [presets] : []), transport, el("div.al-bar", {}, shared), key, lanesBox, curves, ...(link ? [link] : []), live);

    function paint(cell, state, mean) {
      const level = state === 3 ? 0 : Math.min(10, Math.round(10 * (1 - Math.exp(-Math.abs(mean) / 0.7)))) || 0;
      const kind = `${state}${mean < -0.05 && state !== 3 ? "n" : ""}`;
      if (cell.dataset.s !== kind) cell.dataset.s = kind;
      if (cell.level !== level) { cell.level = level; cell.style.setProperty("--m", `${6 + 9 * level}%`); }
      return cell;
    }

    function buildShared() {
      const whole = (name, low, high, step, label) => slider(label, { low, high, step, value: c[name], show: String }, (v) => { c[name] = v; build(false); });
      const seed = el("input", { type: "number", min: 0, max: 9999, step: 1, value: c.seed, onchange: () => {
        const v = Math.round(+seed.value);
        if (v >= 0 && v <= 9999) c.seed = v;
        seed.value = c.seed;
        changed();
      } });
      const two = el("input", { type: "checkbox", checked: c.two, onchange: () => { c.two = two.checked; build(false); } });
      two.id = `${id}-two`;
      shared.replaceChildren(
        field("Data", select(Object.entries(DATA), c.data, (v) => { c.data = v; if (v === "spirals") Object.assign(c, { layers: Math.min(c.layers, 4), units: Math.min(c.units, 16) }); build(); })),
        whole("layers", 1, 10, 1, "Hidden layers"), whole("units", 4, 32, 4, "Units a layer"),
        field("Speed", select(Object.entries(SPEEDS), String(c.speed), (v) => { c.speed = +v; remember(); })),
        field("Seed", seed), el("div.al-check", {}, two, el("label", { for: two.id }, "Side by side")));
    }

    // Lanes -----------------------------------------------------------------------------------------------
    const lanes = [0, 1].map((i) => {
      const L = { i, serial: 0, busy: false, hist: [], look: null, step: 0, diverged: 0, rate: 0, dirty: false };
      L.engine = makeEngine((m) => {
        if (m.id !== L.serial) return;
        Object.assign(L, { busy: false, step: m.step, diverged: m.diverged });
        if (m.n) L.rate = L.rate ? 0.8 * L.rate + (0.2 * m.ms) / m.n : m.ms / m.n;
        if (m.look) {
          L.look = m.look;
          if (L.hist.at(-1)?.[0] === m.look.step) L.hist.pop();
          L.hist.push([m.look.step, m.look.loss, m.look.valid]);
          if (L.hist.length > 600) L.hist = L.hist.filter((_, k) => k % 2 === 0 || k === L.hist.length - 1);
          L.dirty = true;
        }
        kick();
      });
      L.box = el("section.al-lane", { "aria-label": `Setting ${"AB"[i]}` });
      return L;
    });
    const active = () => (c.two ? lanes : lanes.slice(0, 1));

    function buildLane(L) {
      const s = c.lanes[L.i], H = c.layers, U = c.units, name = "AB"[L.i];
      const set = (k) => (v) => { s[k] = v; if (k === "act") { s.params = defaults(v); buildLane(L); } changed(); };
      const params = parameterSliders(s.act, s.params, (k, v) => {
        const next = { ...s.params, [k]: v };
        if (!holds(s.act, next)) { note(notice, [`${ActLab.catalog[s.act].title} expects ${ActLab.catalog[s.act].constraint}.`]); return; }
        s.params = next;
        changed();
      });
      const controls = el("div.al-set", {},
        field("Activation", activations(s.act, set("act"))), ...params,
        field("Start", select(Object.entries(STARTS), s.start, set("start"))),
        field("Biases", select(Object.entries(BIASES), s.bias, set("bias"))),
        slider("Weights ×", { low: 0.1, high: 10, step: 0.02, value: s.scale, ...logarithmic }, set("scale")),
        field("Optimiser", select(Object.entries(OPTIMISERS), s.opt, set("opt"))),
        slider("Learning rate", { low: 1e-4, high: 3, step: 0.02, value: s.lr, ...logarithmic, from: (v) => Math.log10(v) }, set("lr")));
      const small = matchMedia("(max-width: 600px)").matches;
      const settings = el("details.al-settings", { open: !small && host.dataset.brief == null }, el("summary", {}, "Settings"), controls);
      L.title = el("p.al-title", {}, hue(el("i.al-swatch", { "aria-hidden": "true" }), s.act));
      L.swatch = L.title.firstChild;
      if (L.i) L.swatch.classList.add("al-dashed");
      L.title.append(`${name}: ${ActLab.catalog[s.act].title}, ${STARTS[s.start].split(" (")[0]}`);
      L.say = el("p.al-say", { id: `${id}-say${L.i}` });
      // The grid: a row of the table is a layer, drawn as a column.
      L.cells = [];
      L.at = 0;
      const rows = Array.from({ length: H }, (_, l) => el("div.al-layer", { role: "row", "aria-label": `Layer ${l + 1}` }, Array.from({ length: U }, (_, u) => {
        const cell = el("div.al-cell", { role: "gridcell", tabindex: l || u ? -1 : 0, "aria-label": `Layer ${l + 1}, unit ${u + 1}` });
        cell.dataset.k = l * U + u;
        L.cells.push(cell);
        return cell;
      })));
      L.grid = hue(el("div.al-net", { role: "grid", "aria-label": `Units of setting ${name}, a row a layer`, "aria-describedby": L.say.id }, rows), s.act);
      L.grid.style.setProperty("--layers", H);
      L.grid.style.setProperty("--across", H > 5 ? 2 : 4);
      L.unit = el("p.al-unit", { "aria-live": "off" }, "Point at a unit, or tab to the grid and use the arrow keys.");
      const tell = (k) => {
        if (!L.look) return;
        const text = unitText(L, k);
        L.unit.textContent = text;
        L.cells[k].setAttribute("aria-label", text);
      };
      L.tell = () => { if (L.pointed != null) tell(L.pointed); };
      L.grid.addEventListener("pointerover", (e) => { const k = e.target.dataset.k; if (k != null) { L.pointed = +k; tell(+k); } });
      L.grid.addEventListener("pointerleave", () => { L.pointed = null; });
      L.grid.addEventListener("focusin", (e) => { const k = e.target.dataset.k; if (k != null) { L.pointed = +k; tell(+k); } });
      L.grid.addEventListener("focusout", () => { L.pointed = null; });
      L.grid.addEventListener("keydown", (e) => {
        const l = Math.floor(L.at / U), u = L.at % U;
        const to = { ArrowRight: [l + 1, u], ArrowLeft: [l - 1, u], ArrowDown: [l, u + 1], ArrowUp: [l, u - 1], Home: [l, 0], End: [l, U - 1], PageDown: [H - 1, u], PageUp: [0, u] }[e.key];
        if (!to) return;
        e.preventDefault();
        const k = Math.min(H - 1, Math.max(0, to[0])) * U + Math.min(U - 1, Math.max(0, to[1]));
        L.cells[L.at].tabIndex = -1;
        L.at = k;
        L.cells[k].tabIndex = 0;
        L.cells[k].focus();
      });
      const numbers = el("div.al-heads", { "aria-hidden": "true" }, el("span", {}, "layer"), Array.from({ length: H }, (_, l) => el("span", {}, String(l + 1))));
      numbers.style.setProperty("--layers", H);
      const strip = (title, small, low, high, marks) => {
        const bars = Array.from({ length: H }, () => el("span", {}, el("b"), marks ? el("i") : null));
        const lines = [];
        for (let e = low; e <= high; e += 2) lines.push(el("em", { style: `bottom:${(100 * (e - low)) / (high - low)}%` }, e > low ? el("s", {}, ActLab.draw.power(10 ** e)) : null));
        const box = hue(el("div.al-strip", { "aria-hidden": "true" }, el("div.al-scale", {}, lines), bars), s.act);
        box.style.setProperty("--layers", H);
        const height = (v) => (v > 0 ? 100 * Math.min(1, Math.max(0.004, (Math.log10(v) - low) / (high - low))) : 0);
        return { node: el("div.al-way", {}, el("p.al-cap", {}, el("strong", {}, title), " ", el("span", {}, small)), box), set: (values, others) => bars.forEach((bar, l) => {
          bar.firstChild.style.height = `${height(values[l])}%`;
          bar.classList.toggle("al-none", !(Math.log10(values[l]) > low));
          bar.dataset.v = Number.isFinite(values[l]) ? (values[l] === 0 ? "0" : "↓") : "∞";
          if (others) bar.lastChild.style.bottom = `${height(others[l])}%`;
        }) };
      };
      L.gradient = strip("Gradient", "bars: of the weights; lines: of the outputs", -8, 2, true);
      L.spread = strip("Spread", "of the outputs, from example to example", -4, 2, false);
      L.table = el("tbody");
      const details = el("details.al-numbers", { ontoggle: () => fillTable(L) }, el("summary", {}, "The numbers, layer by layer"),
        el("div.al-scroll", { tabindex: 0, role: "group", "aria-label": "Table of the layers" }, el("table", {}, el("thead", {}, el("tr", {}, ["Layer", ...ActLab.STATES, "Spread", "Gradient of weights", "of outputs"].map((t) => el("th", { scope: "col" }, t)))), L.table)));
      L.details = details;
      L.reads = el("div.al-reads");
      L.box.replaceChildren(L.title, settings, L.say, numbers, L.grid, L.unit, L.gradient.node, L.spread.node, details, L.reads);
      buildReads(L);
    }
    function unitText(L, k) {
      const p = L.look, n = data().train.y.length;
      return `Layer ${Math.floor(k / c.units) + 1}, unit ${(k % c.units) + 1}: ${ActLab.STATES[p.state[k]]}. Mean ${digits(p.mean[k])}; input above zero for ${p.positive[k]} of ${n} examples, where its curve is flat for ${p.flat[k]}.`;
    }
    function fillTable(L) {
      if (!L.details.open || !L.look) return;
      const p = L.look;
      L.table.replaceChildren(...Array.from({ length: c.layers }, (_, l) => {
        const count = Array(5).fill(0);
        p.state.subarray(l * c.units, (l + 1) * c.units).forEach((s) => count[s]++);
        return el("tr", {}, el("th", { scope: "row" }, String(l + 1)), [...count, digits(p.spread[l]), digits(p.gradient[l]), digits(p.backward[l])].map((v) => el("td", {}, String(v))));
      }));
    }
    // What the network says: of ten digits, or of every place of the plane.
    const PLANE = 28;
    function questions() {
      const d = data();
      if (c.data === "spirals") return Float64Array.from({ length: 2 * PLANE * PLANE }, (_, k) => { const cell = k >> 1; return k & 1 ? 2.1 - (4.2 * Math.floor(cell / PLANE)) / (PLANE - 1) : -2.1 + (4.2 * (cell % PLANE)) / (PLANE - 1); });
      const rows = Array.from({ length: 10 }, (_, k) => d.valid.y.indexOf(k) + 3);
      return Float64Array.from(rows.flatMap((r) => [...d.valid.x.subarray(r * 64, (r + 1) * 64)]));
    }
    function buildReads(L) {
      const d = data();
      if (c.data === "digits") {
        L.reads.replaceChildren(el("span.al-lab", {}, "It reads"), el("div.al-ten", {}, Array.from({ length: 10 }, (_, k) => {
          const row = d.train.y.length + d.valid.y.indexOf(k) + 3, cv = el("canvas", { width: 8, height: 8, role: "img", "aria-label": `A ${k}` }), g = cv.getContext("2d"), im = g.createImageData(8, 8);
          for (let j = 0; j < 64; j++) im.data.set([31, 41, 51, (255 * d.raw[row * 64 + j]) / 16], 4 * j);
          g.putImageData(im, 0, 0);
          return el("div", {}, cv, el("span", {}, "–"));
        })));
      } else {
        L.plane = el("canvas.al-plane", { width: 252, height: 252, role: "img", "aria-label": "The plane, coloured by the class that the network gives, with the training points" });
        L.reads.replaceChildren(el("span.al-lab", {}, "It says"), L.plane);
      }
    }
    function drawReads(L) {
      const p = L.look;
      if (c.data === "digits") {
        L.reads.querySelectorAll(".al-ten span").forEach((s, k) => { const said = p.answers[k]; s.textContent = said < 0 ? "–" : said; s.className = said === k ? "al-ok" : "al-no"; });
        return;
      }
      const g = L.plane.getContext("2d"), w = 252, cell = w / PLANE, d = data().train;
      const dark = document.documentElement.dataset.theme === "dark", sides = dark ? ["#2b4a66", "#5c3f1c"] : ["#cfe0f0", "#f6dfc0"], points = dark ? ["#82c3f5", "#f3bd67"] : ["#12558c", "#855000"];
      p.answers.forEach((a, k) => { g.fillStyle = sides[a]; g.fillRect((k % PLANE) * cell, Math.floor(k / PLANE) * cell, cell + 0.5, cell + 0.5); });
      d.y.forEach((a, k) => { g.fillStyle = points[a]; g.beginPath(); g.arc(((d.x[2 * k] + 2.1) / 4.2) * w, ((2.1 - d.x[2 * k + 1]) / 4.2) * w, 1.9, 0, 7); g.fill(); });
    }
    function drawLane(L) {
      const p = L.look;
      L.cells.forEach((cell, k) => paint(cell, p.state[k], p.mean[k]));
      const [head, ...rest] = sentences(p, c);
      L.say.replaceChildren(el("strong", {}, head), ` ${rest.join(" ")}`);
      L.box.classList.toggle("al-diverged", Boolean(p.diverged));
      L.gradient.set(p.gradient, p.backward);
      L.spread.set(p.spread);
      L.tell();
      fillTable(L);
      drawReads(L);
    }
    function drawCurves() {
      const act = active(), last = Math.max(20, ...act.map((L) => L.step)), top = Math.min(5, Math.max(c.data === "digits" ? 2.6 : 0.9, ...act.map((L) => Math.max(0, ...L.hist.map((h) => (Number.isFinite(h[1]) ? h[1] : 5))))));
      const series = (k) => act.map((L) => ({ points: L.hist.map((h) => [h[0], Number.isFinite(h[k]) ? h[k] : 99]), act: c.lanes[L.i].act, dash: L.i ? "6 4" : null, end: c.two ? "AB"[L.i] : null }));
      const said = (k, show) => act.map((L) => `${c.two ? `setting ${"AB"[L.i]} ` : ""}${L.hist.length ? show(L.hist.at(-1)[k]) : "–"} at step ${L.step}`).join(", ");
      const common = { x: [0, last], xticks: [0, last], showx: (v) => (v ? `${v} steps` : "0"), right: 28, height: 180 };
      lossPlot.update({ ...common, y: [0, top], yticks: ticks(0, top, 4), series: series(1), label: `Loss: ${said(1, (v) => digits(v))}` });
      accPlot.update({ ...common, y: [0, 1], yticks: [0, 0.5, 1], showy: percent, series: series(2), label: `Right answers: ${said(2, percent)}` });
    }

    // The loop: each frame grants every engine its steps, once all have answered --------------------------
    function kick() { if (!frame) frame = requestAnimationFrame(tick); }
    function grant(run, force) { for (const L of active()) { L.busy = true; L.engine.post({ run, force, id: L.serial }); } }
    function pump(now) {
      const act = active();
      if (act.some((L) => L.busy)) return;
      if (owed && !act.some((L) => L.diverged)) { // a link's steps, as fast as they can be had
        const n = Math.min(owed, 200);
        owed -= n;
        grant(n, true);
        return;
      }
      owed = 0;
      if (pending && !playing) { grant(pending, true); pending = 0; return; }
      if (!playing) return;
      if (act.every((L) => L.diverged)) { setPlay(false); return; }
      const done = Math.max(...act.map((L) => L.step));
      if (done >= MOST) { setPlay(false); return; }
      const fits = Math.max(1, Math.floor(28 / (Math.max(...act.map((L) => L.rate)) || 3)));
      let n;
      if (c.speed === 3) n = Math.max(1, Math.min(fits, Math.ceil(done / 5)));
      else {
        const want = c.speed === 1 ? 10 : 100;
        due = Math.min(want / 4, due + (Math.min(200, now - lastGrant) / 1000) * want);
        n = Math.min(Math.floor(due), fits);
        due -= n;
      }
      lastGrant = now;
      if (n > 0) grant(n, done < (c.speed === 3 ? 240 : 20)); // the beginning is the story: look often
    }
    function tick(now) {
      frame = 0;
      pump(now);
      const act = active();
      if (now - lastDraw > (calm.matches && playing ? 1000 : 30) && act.some((L) => L.dirty)) {
        lastDraw = now;
        for (const L of act) if (L.dirty) { L.dirty = false; drawLane(L); }
        drawCurves();
        if (act.some((L) => L.look?.diverged) && !playing) speak();
      }
      counter.textContent = `step ${Math.max(...act.map((L) => L.step)).toLocaleString("en")}`;
      if (playing && now - spoke > 10000) speak();
      if (playing || pending || owed || act.some((L) => L.busy || L.dirty)) kick();
      else if (saved !== act[0].step) remember();
    }
    function speak() {
      spoke = performance.now();
      live.textContent = active().filter((L) => L.look).map((L) => `${c.two ? `Setting ${"AB"[L.i]}, ` : ""}step ${L.step}: ${sentences(L.look, c).join(" ")}`).join(" ");
    }
    function setPlay(on) {
      const was = playing;
      playing = on;
      play.setAttribute("aria-pressed", on);
      play.textContent = on ? "Pause" : "Play";
      lastGrant = performance.now();
      due = 0;
      if (was && !on) {
        const settle = () => {
          if (playing) return;
          if (active().some((L) => L.busy)) { setTimeout(settle, 20); return; }
          grant(0, true);
          setTimeout(speak, 400);
        };
        settle();
      }
      kick();
    }
    function reset() {
      const ask = questions();
      for (const L of lanes) Object.assign(L, { serial: L.serial + 1, hist: [], look: null, step: 0, diverged: 0, busy: false, rate: 0 });
      for (const L of active()) {
        L.busy = true;
        const s = c.lanes[L.i];
        L.engine.post({ init: { data: c.data, layers: c.layers, units: c.units, seed: c.seed, batch: 32, ...s }, ask, force: true, id: L.serial });
      }
      remember();
      kick();
    }
    const remember = () => { saved = active()[0].step; keep(host, write(c, saved)); };
    function changed() {
      const on = playing;
      setPlay(false);
      owed = 0;
      note(notice, []);
      heads();
      reset();
      if (on) setPlay(true);
    }
    function heads() {
      for (const L of lanes) {
        const s = c.lanes[L.i];
        hue(L.swatch, s.act);
        L.title.lastChild.textContent = `${"AB"[L.i]}: ${ActLab.catalog[s.act].title}, ${STARTS[s.start].split(" (")[0]}`;
        hue(L.grid, s.act);
        for (const box of L.box.querySelectorAll(".al-strip")) hue(box, s.act);
      }
      for (const button of presets.children) {
        const known = preset(button.dataset.preset);
        button.setAttribute("aria-pressed", write({ ...known, speed: c.speed }) === write(c));
      }
    }
    function build(all = true) {
      if (all) buildShared();
      host.classList.toggle("al-two", c.two);
      lanesBox.replaceChildren(...active().map((L) => L.box));
      for (const L of lanes) buildLane(L);
      changed();
    }
    const open = (text) => {
      ({ config: c, steps: owed, notes } = read(text));
      const steps = owed, said = notes;
      setPlay(false);
      build();
      note(notice, said);
      owed = steps;
      kick();
    };
    listen(host, (hash) => { if (hash.slice(1) !== host.dataset.state) open(hash); });
    new MutationObserver(() => { for (const L of active()) L.dirty = Boolean(L.look); kick(); }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    open(host.dataset.own != null && location.hash.length > 1 ? location.hash : host.dataset.state || "");
    host.lab = { lanes, get config() { return c; }, get playing() { return playing; }, sentences };
  };
})();
