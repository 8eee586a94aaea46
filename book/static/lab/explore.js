// The function explorer: functions over each other, their slopes and bends, what a normal input
// becomes, and the lines of both frameworks.
"use strict";

(() => {
  const { el, hue, digits, minus, field, activations, slider, parameterSliders, defaults, holds, plot, ticks, Address,
    written, keep, listen, note, reference } = ActLab.draw;
  const CURVES = { f: ["f(x)", "Output"], d: ["f′(x)", "Slope"], s: ["f″(x)", "Bend, the slope of the slope"] };
  const MOST = 4;
  const NOW = { torch: "PyTorch", keras: "Keras" };

  function read(text) {
    const q = new Address(text), c = { functions: [], show: ["f", "d"], range: 5, sd: 1, marks: true };
    const asked = (q.text("f") || "relu").split(",");
    if (asked.length > MOST) q.notes.push(`The link asks for ${asked.length} functions; shown are the first ${MOST}.`);
    for (const one of asked.slice(0, MOST)) c.functions.push(q.activation(one, "relu"));
    if (q.has("show")) c.show = q.text("show").split(",").map((s) => q.choice("the curve", s, Object.keys(CURVES), "f"));
    // As far as the reference's pictures: −5 to 5, or further where there is a kink to see.
    const kinks = c.functions.flatMap((f) => ActLab.kernel(f.act, f.params).kinks.map(Math.abs));
    c.range = Math.min(12, Math.max(5, ...kinks.map((k) => k + 2)));
    if (q.has("range")) c.range = q.number("the range", q.text("range"), 1, 12, 5);
    if (q.has("sd")) c.sd = q.number("the input’s spread", q.text("sd"), 0.1, 5, 1);
    if (q.has("marks")) c.marks = q.choice("marks", q.text("marks"), ["0", "1"], "1") === "1";
    return { config: c, notes: q.notes };
  }
  const write = (c) => `f=${c.functions.map(written).join(",")}&show=${c.show.join(",")}&range=${c.range}&sd=${c.sd}${c.marks ? "" : "&marks=0"}`;

  // A curve between −range and range, torn where it jumps.
  function sample(g, kinks, range) {
    const inside = [...new Set(kinks)].filter((k) => Math.abs(k) < range).sort((a, b) => a - b);
    const ends = [-range, ...inside, range], points = [], tiny = 1e-9;
    for (let e = 1; e < ends.length; e++) {
      const a = ends[e - 1] + (e > 1 ? tiny : 0), b = ends[e] - (e < ends.length - 1 ? tiny : 0);
      const n = Math.max(2, Math.ceil((400 * (b - a)) / (2 * range)));
      if (points.length && Math.abs(g(a) - points.at(-1)[1]) > 1e-6) points.push([a, NaN]);
      for (let i = 0; i <= n; i++) { const x = a + ((b - a) * i) / n; points.push([x, g(x)]); }
    }
    return points;
  }

  // What a normal input of this spread becomes: E f, the spread of f, and E f′², by which a layer's
  // slopes multiply a gradient's mean square.
  function moments(k, sd) {
    const mean = ActLab.theory.normalMean(k.f, sd * sd, k.kinks);
    const square = ActLab.theory.normalMean((z) => k.f(z) ** 2, sd * sd, k.kinks);
    const factor = ActLab.theory.normalMean((z) => k.d(z) ** 2, sd * sd, k.kinks);
    const none = (v) => (Math.abs(v) < 1e-12 ? 0 : v); // what rounding leaves of a zero
    return { mean: none(mean), spread: Math.sqrt(Math.max(square - mean * mean, 0)), factor };
  }

  // The calls that compute a function in a framework, with these parameters; none where it cannot.
  function lines({ act, params }, framework) {
    return ActLab.catalog[act][framework]
      .filter((p) => Object.entries(p.stays).every(([name, value]) => params[name] === value))
      .map((p) => {
        const given = Object.entries(p.takes).map(([name, form]) => form.replace("{}", String(params[name])));
        const call = (args) => `${p.path}(${args.join(", ")})`;
        return p.layer ? call([...p.fixed, ...given]) : call(["x", ...p.fixed, ...given]);
      });
  }

  ActLab.mount.explore = (host) => {
    let c;
    const own = host.dataset.own != null;
    const notice = el("div.al-note", { role: "status", hidden: true });
    const rows = el("div.al-rows"), tools = el("div.al-tools"), plots = el("div.al-plots");
    const table = el("div.al-scroll", { tabindex: 0, role: "group", "aria-label": "What the functions do, as a table" });
    const code = el("div"), more = el("p.al-more", {}, el("a.al-open", { href: `${ActLab.base}../../book/explore.html` }, "Open it in the function explorer"));
    const drawn = {}, known = {};
    const flatSides = (f, k) => known[`${f.act} ${JSON.stringify(f.params)}`] ??= ActLab.saturatesBeyond(k);
    const last = [table, el("details", { open: own }, el("summary", {}, "The lines to copy"), code), ...(own ? [] : [more])];
    host.replaceChildren(notice, rows, tools, plots);

    function controls() {
      rows.replaceChildren(...c.functions.map((one, i) => {
        const swatch = hue(el("i.al-swatch", { "aria-hidden": "true" }), one.act);
        if (i) swatch.classList.add("al-dashed");
        const remove = c.functions.length > 1
          ? el("button.al-remove", { type: "button", "aria-label": `Remove ${ActLab.catalog[one.act].title}`, onclick: () => { c.functions.splice(i, 1); build(); } }, "×") : null;
        return el("div.al-row", {}, swatch,
          field(c.functions.length > 1 ? `Function ${i + 1}` : "Function", activations(one.act, (act) => { c.functions[i] = { act, params: defaults(act) }; build(); })),
          el("div.al-params", {}, parameterSliders(one.act, one.params, (name, value) => {
            const next = { ...one.params, [name]: value };
            if (!holds(one.act, next)) { note(notice, [`${ActLab.catalog[one.act].title} expects ${ActLab.catalog[one.act].constraint}.`]); return; }
            note(notice, []);
            one.params = next;
            draw();
          })), remove);
      }));
      const box = (label, checked, onchange) => {
        const input = el("input", { type: "checkbox", checked });
        input.id = `al-x${(serial += 1)}`;
        input.addEventListener("change", () => onchange(input.checked));
        return el("div.al-check", {}, input, el("label", { for: input.id }, label));
      };
      const add = el("button", { type: "button", disabled: c.functions.length >= MOST, onclick: () => {
        const next = Object.keys(ActLab.catalog).find((n) => ["relu", "gelu", "tanh", "elu", "silu"].includes(n) && !c.functions.some((f) => f.act === n));
        c.functions.push({ act: next, params: defaults(next) });
        build();
        rows.lastChild.querySelector("select").focus();
      } }, "Add a function");
      tools.replaceChildren(add, el("fieldset", {}, el("legend.al-sr", {}, "Curves to show"),
        Object.entries(CURVES).map(([key, [name]]) => box(name, c.show.includes(key), (on) => {
          c.show = Object.keys(CURVES).filter((k) => (k === key ? on : c.show.includes(k)));
          draw();
        })), box("Mark kinks and flat sides", c.marks, (on) => { c.marks = on; draw(); })),
      slider("Inputs shown, up to ±", { low: 1, high: 12, step: 0.5, value: c.range }, (v) => { c.range = v; draw(); }),
      slider("Spread of a normal input", { low: 0.1, high: 5, step: 0.05, value: c.sd }, (v) => { c.sd = +v.toFixed(2); draw(); }));
    }
    const build = () => { controls(); draw(); };
    let serial = 0;

    const pause = () => new Promise((go) => { setTimeout(go); }); // lets the page answer
    // In parts, so that the first picture of all does not hold up a slow phone.
    function draw() { for (const _ of parts()); }
    function* parts() {
      const kernels = c.functions.map((f) => ActLab.kernel(f.act, f.params));
      const flat = [];
      for (const [i, f] of c.functions.entries()) { flat.push(flatSides(f, kernels[i])); yield; }
      const name = (f) => ActLab.catalog[f.act].title;
      for (const key of Object.keys(CURVES)) {
        if (!c.show.includes(key)) { drawn[key]?.box.remove(); continue; }
        if (!drawn[key]) {
          const area = el("div.al-plot"), box = el("figure", {}, el("figcaption", {}, `${CURVES[key][1]} `, el("small", {}, CURVES[key][0])), area);
          drawn[key] = { box, plot: plot(area, { series: [], x: [-5, 5], y: [-1, 1], label: "" }) };
        }
        const series = kernels.map((k, i) => ({ points: sample(k[key], k.kinks, c.range), act: c.functions[i].act, dash: ["", "7 4", "2 3", "10 3 2 3"][i] }));
        const all = series.flatMap((s) => s.points.map((p) => p[1])).filter(Number.isFinite);
        let low = Math.max(-c.range, Math.min(-0.25, ...all)), high = Math.min(1.3 * c.range, Math.max(1.1, ...all));
        if (key === "s") { low = Math.max(-4, Math.min(-0.5, ...all)); high = Math.min(6, Math.max(0.5, ...all)); }
        const room = 0.05 * (high - low), marks = [];
        if (c.marks) kernels.forEach((k, i) => {
          const [a, b] = flat[i], act = c.functions[i].act;
          for (const x of k.kinks) if (Math.abs(x) < c.range) marks.push({ x, act });
          if (a > -c.range) marks.push({ from: -c.range, to: Math.min(a, c.range), act });
          if (b < c.range) marks.push({ from: Math.max(b, -c.range), to: c.range, act });
        });
        const at = (k, x) => `${digits(k[key](x))} at ${minus(x)}`;
        drawn[key].plot.update({
          series, marks, zero: true, x: [-c.range, c.range], y: [low - room, high + room],
          xticks: ticks(-c.range, c.range, 6), yticks: ticks(low - room, high + room, 5), xname: "input x", height: key === "f" ? 250 : 200,
          label: `${CURVES[key][1]} for inputs from ${minus(-c.range)} to ${c.range}. ${c.functions.map((f, i) => `${name(f)}: ${[-2, 0, 2].map((x) => at(kernels[i], x)).join(", ")}`).join("; ")}.`,
        });
        yield;
      }
      plots.replaceChildren(...Object.keys(CURVES).filter((k) => c.show.includes(k)).map((k) => drawn[k].box));
      plots.classList.toggle("al-wide", c.show.length > 1);
      yield;
      const end = (v, side) => (Number.isNaN(v) ? "–" : Number.isFinite(v) ? `${side} ${digits(v)}` : "");
      const head = ["Function", "Mean", "Spread", "Slope², mean", "Flat", "Kinks"];
      const titles = ["", "E f(z): the mean output", "the standard deviation of the output", "E f′(z)²: by this, a layer’s slopes multiply a gradient’s mean square", "where the slope stays below 1 % of its steepest", "where the function or its first or second slope jumps"];
      table.replaceChildren(el("table", {}, el("caption.al-sr", {}, `For a normal input of mean 0 and spread ${digits(c.sd)}`),
        el("thead", {}, el("tr", {}, head.map((t, i) => el(i ? "th" : "th.al-left", { scope: "col", title: titles[i] || null }, t)))),
        el("tbody", {}, kernels.map((k, i) => {
          const m = moments(k, c.sd), [a, b] = flat[i];
          return el("tr", {}, el("th.al-left", { scope: "row" }, el("a", { href: reference(c.functions[i].act) }, name(c.functions[i]))),
            [digits(m.mean), digits(m.spread), digits(m.factor), [end(a, "below"), end(b, "above")].filter(Boolean).join(", ") || "nowhere", k.kinks.map((x) => digits(x)).join(", ") || "none"].map((t) => el("td", {}, t)));
        }))),
      el("p.al-unit", {}, `For a normal input of mean 0 and spread ${digits(c.sd)}. With weights of variance 1/n, “Slope², mean” is the factor by which a layer changes a gradient’s mean square on its way back; flat is where the slope stays below 1 % of its steepest.`));
      yield;
      code.replaceChildren(...c.functions.flatMap((f) => [el("p.al-cap", {}, el("strong", {}, name(f)), ActLab.catalog[f.act].random ? " (random while training; drawn is what it is afterwards)" : ""),
        ...Object.keys(NOW).flatMap((framework) => {
          const all = lines(f, framework);
          if (!all.length) return [el("p.al-unit", {}, ActLab.catalog[f.act][framework].length ? `No object of ${NOW[framework]} takes these parameters.` : `${NOW[framework]} has no such function.`)];
          return all.map((text) => {
            const copy = el("button", { type: "button", "aria-label": `Copy ${text}`, onclick: async () => {
              try { await navigator.clipboard.writeText(text); copy.textContent = "Copied"; } catch { getSelection().selectAllChildren(copy.previousSibling); copy.textContent = "Selected"; }
              setTimeout(() => { copy.textContent = "Copy"; }, 1500);
            } }, "Copy");
            return el("div.al-code", {}, el("pre", {}, text), copy);
          });
        })]));
      keep(host, write(c));
    }
    const open = async (text, wait) => {
      const { config, notes } = read(text);
      c = config;
      await wait?.();
      controls();
      note(notice, notes);
      for (const _ of parts()) await wait?.();
      if (!table.isConnected) host.append(...last); // what comes last moves nothing
    };
    listen(host, (hash) => { if (hash.slice(1) !== host.dataset.state) open(hash); });
    return open(own && location.hash.length > 1 ? location.hash : host.dataset.state || "", pause);
  };
  ActLab.explore = { moments, lines, sample };
})();
