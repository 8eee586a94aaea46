// Translates a line of code from answers made beforehand (phrasebook.js); nothing is sent anywhere.
"use strict";

const Translate = (() => {
  // As the catalog reads names: small letters, no _, hyphens or spaces in the last part, full paths.
  const SHORT = [
    ["tensorflow.", "tf."],
    ["tf.keras.", "keras."],
    ["tf_keras.", "keras."],
    ["nn.", "torch.nn."],
    ["f.", "torch.nn.functional."],
    ["functional.", "torch.nn.functional."],
  ];
  function key(name) {
    const low = name.trim().toLowerCase().replace(/\(\)$/, "");
    const at = low.lastIndexOf(".");
    let path = at < 0 ? "" : low.slice(0, at);
    for (const [given, full] of SHORT) {
      if (`${path}.`.startsWith(given)) path = (full + `${path}.`.slice(given.length)).slice(0, -1);
    }
    return (at < 0 ? "" : `${path}.`) + low.slice(at + 1).replace(/[_\- ()]/g, "");
  }

  // A line: a name, or a call of one with numbers, strings, None, True and False written out.
  function read(line) {
    let text = line.trim().replace(/[,;\s]+$/, "");
    const quoted = text.match(/^(?:\w+\s*=\s*)?(["'])([\w. -]+)\1$/);
    if (quoted) return { name: quoted[2], given: [], named: {} };
    text = text.replace(/^\w+\s*=\s*(?=[\w.]+\s*\()/, "");
    text = text.replace(/^(.*\))\s*\(\s*\w+\s*\)$/, "$1"); // nn.ReLU()(x)
    const wrapped = text.match(/(?:^|\.)(?:Activation|get)\(\s*(["'])([\w. -]+)\1\s*\)$/);
    if (wrapped) return { name: wrapped[2], given: [], named: {} };
    const call = text.match(/^([\w.]+)\s*\((.*)\)$/s);
    if (!call) return /^[\w. -]+$/.test(text) ? { name: text, given: [], named: {} } : null;
    const inner = call[2].match(/(?:^|,)\s*activation\s*=\s*(["'])([\w. -]+)\1/);
    if (inner) return { name: inner[2], given: [], named: {}, outer: call[1] };
    const given = [], named = {};
    for (const part of call[2].split(/,(?![^(]*\))/).map((one) => one.trim()).filter(Boolean)) {
      const pair = part.match(/^(\w+)\s*=\s*(.+)$/s);
      if (pair) named[pair[1]] = pair[2];
      else given.push(part);
    }
    return { name: call[1], given, named };
  }

  const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
  // As Python writes a number: 0.30 is 0.3, 1.0 stays 1.0.
  function number(text) {
    const value = Number(text);
    const whole = Number.isInteger(value) && /[.e]/i.test(text) && Math.abs(value) < 1e16;
    return whole ? value.toFixed(1) : String(value);
  }

  // The answer, or what is wrong: { text } or { problem }.
  function translate(book, line, when = "None") {
    const call = read(line);
    if (!call) return { problem: "This is not one line of Python: expected an activation such as keras.layers.LeakyReLU(alpha=0.3), F.relu(x) or activation='swish'." };
    const name = key(call.name);
    const order = book.order[name] ?? [];
    const known = Object.keys(book.lines.None).some((one) => one.startsWith(`${name}(`)) || name in book.order;
    if (!known) return { problem: `No library, and no record of this course, has ${call.name}.`, near: nearest(book, name) };
    const named = { ...call.named };
    for (const tensor of ["input", "x", "features", "logits"]) delete named[tensor];
    let given = call.given;
    if (order[0] === "x" && given.length && !NUMBER.test(given[0])) given = given.slice(1);
    const rest = order[0] === "x" ? order.slice(1) : order;
    given.forEach((value, i) => {
      if (rest[i]) named[rest[i]] = value;
    });
    for (const lines of [book.lines[when], book.lines.None]) {
      const names = Object.keys(named).sort();
      const exact = names.map((one) => `${one}=${named[one].replace(/"/g, "'")}`);
      const gaps = names.filter((one) => NUMBER.test(named[one]));
      const open = names.map((one, i) => (gaps.includes(one) ? `${one}=#` : exact[i]));
      for (const args of [exact, open]) {
        const found = lines[`${name}(${args.join(", ")})`];
        if (found === undefined) continue;
        const text = book.answers[found].replace(/\{(\d)\}/g, (_, i) => number(named[gaps[i]]));
        return { text };
      }
    }
    return { problem: `${call.name} is known, but not with these arguments. It takes ${rest.join(", ") || "none"}; actlab.translate says more.` };
  }

  function nearest(book, name) {
    const last = name.slice(name.lastIndexOf(".") + 1);
    return Object.keys(book.order).filter((one) => one.includes(last) || last.includes(one)).slice(0, 3);
  }
  return { read, key, translate };
})();

for (const box of document.querySelectorAll("[data-translate]")) {
  const form = document.createElement("form");
  form.innerHTML =
    '<label>A line of code <input name="line" spellcheck="false" autocapitalize="off" autocomplete="off"></label>' +
    '<label>written for <select name="when"><option value="None">whichever fits</option>' +
    '<option value="now">today\'s versions</option><option value="then">Keras 2.4, PyTorch 1.7</option></select></label>' +
    '<output aria-live="polite"></output>';
  const { line, when } = form.elements;
  const out = form.querySelector("output");
  const show = () => {
    if (!globalThis.PHRASEBOOK) return;
    const found = Translate.translate(globalThis.PHRASEBOOK, line.value, when.value);
    out.replaceChildren();
    const text = document.createElement(found.text ? "pre" : "p");
    text.textContent = found.text ?? found.problem;
    if (line.value.trim()) out.append(text);
  };
  line.value = new URLSearchParams(location.hash.slice(1)).get("line") ?? box.dataset.translate;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    show();
    history.replaceState(null, "", `#${new URLSearchParams({ line: line.value })}`);
  });
  box.replaceChildren(form);
  const script = document.createElement("script");
  script.src = box.dataset.book;
  script.addEventListener("load", show);
  document.head.append(script);
}
