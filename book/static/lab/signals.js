// The signal explorer: what depth makes of signal, gradient and units before any training; the
// theory of wide networks as lines, one network that is drawn as dots.
"use strict";

(() => {
  const { el, hue, digits, percent, field, select, activations, slider, logarithmic, parameterSliders, defaults, holds,
    plot, ticks, decades, power, Address, written, keep, listen, note } = ActLab.draw;
  const STARTS = { torch: "PyTorch default", glorot: "Keras default (Glorot)", he: "He", lecun: "LeCun", orthogonal: "Orthogonal" };
  const KEYS = ["a", "b", "c"], COUNT = 128, WIDTH = 64, DEEPEST = 50;
  const QUANTITIES = [
    ["spread", "Spread", "of the outputs, from input to input"],
    ["gradient", "Gradient", "of each layer’s weights, the last layer’s being 1"],
    ["dead", "Dead units", `zero for every one of ${COUNT} inputs`],
  ];

  const row = (act, start, gain = 1) => ({ act, params: defaults(act), start, gain });
  function read(text) {
    const q = new Address(text), c = { rows: [], depth: 20, seed: 1 };
    for (const key of KEYS) if (q.has(key)) {
      const [act = "", start = "", gain = ""] = q.text(key).split(","), r = row("relu", "he");
      Object.assign(r, q.activation(act, "relu"));
      r.start = q.choice("the start", start, Object.keys(STARTS), "he");
      r.gain = q.number("the weights’ factor", gain, 0.1, 10, 1);
      c.rows.push(r);
    }
    if (!c.rows.length) c.rows = [row("relu", "torch"), row("relu", "he")];
    if (q.has("depth")) c.depth = q.number("the depth", q.text("depth"), 1, DEEPEST, 20, true);
    if (q.has("seed")) c.seed = q.number("the seed", q.text("seed"), 0, 9999, 1, true);
    return { config: c, notes: q.notes };
  }
  const write = (c) => [...c.rows.map((r, i) => `${KEYS[i]}=${written(r)},${r.start},${+r.gain.toPrecision(3)}`), `depth=${c.depth}`, `seed=${c.seed}`].join("&");

  // Theory and one sample of a row: layer by layer {spread, gradient, dead}. Shorter than `depth`
  // where the signal exceeds all numbers.
  function compute(r, depth, seed) {
    const k = ActLab.kernel(r.act, r.params), t = ActLab.theory, start = { ...t.STARTS[r.start] };
    start.weights *= r.gain ** 2;
    const options = { width: WIDTH, count: COUNT }, rows = t.layers(k, start, depth, options), gradient = t.gradient(rows);
    const theory = t.together(k, start, depth, options).slice(0, rows.length).map((one, l) => ({ ...one, gradient: gradient[l] }));
    return { theory, sample: ActLab.signals({ act: r.act, params: r.params, start: r.start, gain: r.gain, depth, width: WIDTH, count: COUNT, seed }) };
  }

  ActLab.mount.signals = (host) => {
    let c, frame = 0;
    const own = host.dataset.own != null;
    const notice = el("div.al-note", { role: "status", hidden: true }), rows = el("div.al-rows"), tools = el("div.al-tools");
    const say = el("div", { "aria-live": "polite" }), plots = el("div.al-plots.al-wide");
    const numbers = el("div.al-scroll", { tabindex: 0, role: "group", "aria-label": "The numbers, layer by layer" });
    const key = el("p.al-unit", {}, "Lines: theory of wide networks. Dots: one network of 64 units a layer that was drawn, with 128 random inputs.");
    const drawn = QUANTITIES.map(([name, title, small]) => {
      const area = el("div.al-plot");
      return { name, title, box: el("figure", {}, el("figcaption", {}, `${title} `, el("small", {}, small)), area), plot: plot(area, { series: [], x: [1, 20], y: [0, 1], label: title }) };
    });
    plots.replaceChildren(...drawn.map((d) => d.box));
    const more = el("p.al-more", {}, el("a.al-open", { href: `${ActLab.base}../../book/signals.html` }, "Open it in the signal explorer"));
    host.replaceChildren(notice, rows, tools, say, plots, key, el("details", {}, el("summary", {}, "The numbers, layer by layer"), numbers), ...(own ? [] : [more]));

    function build() {
      rows.replaceChildren(...c.rows.map((r, i) => {
        const swatch = hue(el("i.al-swatch", { "aria-hidden": "true" }), r.act);
        if (i) swatch.classList.add("al-dashed");
        const letter = c.rows.length > 1 ? ` ${KEYS[i].toUpperCase()}` : "";
        const remove = c.rows.length > 1 ? el("button.al-remove", { type: "button", "aria-label": `Remove ${KEYS[i].toUpperCase()}`, onclick: () => { c.rows.splice(i, 1); build(); } }, "×") : null;
        return el("div.al-row", {}, swatch, field(`Activation${letter}`, activations(r.act, (act) => { Object.assign(r, { act, params: defaults(act) }); build(); })),
          el("div.al-params", {}, parameterSliders(r.act, r.params, (name, value) => {
            const next = { ...r.params, [name]: value };
            if (!holds(r.act, next)) { note(notice, [`${ActLab.catalog[r.act].title} expects ${ActLab.catalog[r.act].constraint}.`]); return; }
            note(notice, []);
            r.params = next;
            later();
          }),
          field("Start", select(Object.entries(STARTS), r.start, (v) => { r.start = v; later(); })),
          slider("Weights ×", { low: 0.1, high: 10, step: 0.01, value: r.gain, ...logarithmic, to: (p) => +(10 ** p).toPrecision(3) }, (v) => { r.gain = v; later(); })), remove);
      }));
      const seed = el("button", { type: "button", onclick: () => { c.seed = (c.seed + 1) % 10000; later(); } }, "Draw another network");
      tools.replaceChildren(
        el("button", { type: "button", disabled: c.rows.length >= KEYS.length, onclick: () => { c.rows.push(row("tanh", "lecun")); build(); rows.lastChild.querySelector("select").focus(); } }, "Add another"),
        seed, slider("Layers", { low: 1, high: DEEPEST, step: 1, value: c.depth, show: String }, (v) => { c.depth = v; later(); }));
      draw();
    }
    function later() { frame ||= requestAnimationFrame(() => { frame = 0; draw(); }); }
    function draw() {
      const found = c.rows.map((r) => compute(r, c.depth, c.seed)), letter = (i) => (c.rows.length > 1 ? KEYS[i].toUpperCase() : "");
      const title = (r) => `${ActLab.catalog[r.act].title}, ${STARTS[r.start].split(" (")[0]}${r.gain === 1 ? "" : ` × ${digits(r.gain)}`}`;
      for (const { name, title: what, plot: p } of drawn) {
        const log = name !== "dead";
        const series = found.flatMap((f, i) => {
          const line = (all) => all.map((one, l) => [l + 1, one[name]]);
          return [{ points: line(f.theory), act: c.rows[i].act, dash: ["", "7 4", "2 3"][i], end: letter(i) },
            { points: line(f.sample), act: c.rows[i].act, className: "al-none", width: 0, dots: true }];
        });
        const all = series.flatMap((s) => s.points.map((q) => q[1])).filter((v) => Number.isFinite(v) && v > 0).map(Math.log10);
        let y = [0, 1], yticks = [0, 0.5, 1];
        if (log) {
          const low = Math.max(-30, Math.min(-1, Math.floor(Math.min(...all, 0)))), high = Math.min(30, Math.max(1, Math.ceil(Math.max(...all, 0))));
          y = [10 ** low, 10 ** high];
          yticks = decades(low, high);
        }
        const label = `${what} by layer. ${c.rows.map((r, i) => `${title(r)}: in theory ${digits(found[i].theory[0]?.[name])} in the first and ${digits(found[i].theory.at(-1)?.[name])} in layer ${found[i].theory.length}`).join("; ")}.`;
        p.update({ series, log, y, yticks, showy: log ? power : percent, x: [1, Math.max(2, c.depth)], xticks: ticks(1, Math.max(2, c.depth), 5).filter((v) => Number.isInteger(v)), xname: "layer", right: 28, label, height: 210 });
      }
      say.replaceChildren(...c.rows.map((r, i) => el("p", {}, el("strong", {}, `${letter(i) ? `${letter(i)}: ` : ""}${title(r)}. `), sentence(found[i], c.depth))));
      numbers.replaceChildren(el("table", {}, el("thead", {}, el("tr", {}, ["Layer", ...c.rows.flatMap((r, i) => QUANTITIES.flatMap(([, what]) => [`${letter(i)} ${what}, theory`, `${letter(i)} sample`]))].map((t) => el("th", { scope: "col" }, t.trim())))),
        el("tbody", {}, Array.from({ length: c.depth }, (_, l) => el("tr", {}, el("th", { scope: "row" }, String(l + 1)),
          found.flatMap((f) => QUANTITIES.flatMap(([name]) => [f.theory[l]?.[name], f.sample[l]?.[name]].map((v) => el("td", {}, v == null ? "–" : name === "dead" ? percent(v) : digits(v))))))))));
      keep(host, write(c));
    }
    function sentence({ theory, sample }, depth) {
      if (theory.length < depth) return `The signal exceeds all numbers in layer ${theory.length + 1}.`;
      const first = theory[0], last = theory.at(-1), s = sample.at(-1), ratio = last.spread / first.spread;
      if (!(first.spread > 0)) return "All outputs are alike already in the first layer.";
      const signal = depth === 1 ? `The spread of its outputs is ${digits(last.spread, 2)}`
        : ratio > 0.5 && ratio < 2 ? `Over ${depth} layers the signal keeps its spread (${digits(first.spread, 2)} to ${digits(last.spread, 2)})`
          : `Over ${depth} layers the signal’s spread ${ratio < 1 ? "falls" : "grows"} from ${digits(first.spread, 2)} to ${digits(last.spread, 2)}`;
      const g = first.gradient, gradient = !(g > 0) ? "no gradient comes back" : g > 0.5 && g < 2 ? "the gradient keeps its size" : g < 1 ? `of the gradient ${digits(g, 2)} is left in the first layer` : `the gradient has grown ${digits(g, 2)}-fold in the first layer`;
      return `${signal}; ${gradient}. Dead in layer ${depth}: ${percent(last.dead)} of the units in theory${s ? `, ${percent(s.dead)} in this network` : ""}.`;
    }
    const open = (text) => {
      const { config, notes } = read(text);
      c = config;
      build();
      note(notice, notes);
    };
    listen(host, (hash) => { if (hash.slice(1) !== host.dataset.state) open(hash); });
    open(own && location.hash.length > 1 ? location.hash : host.dataset.state || "");
  };
  ActLab.compute = compute;
})();
