// The network at work: answers messages, in a worker or, where there is none, in the page itself.
"use strict";
globalThis.ActLab = globalThis.ActLab || {};

// `post` gets one answer per message. A message may hold
// - id: comes back with the answer, so that answers to an older network can be told;
// - init: settings of a new network;  run: so many steps;  force: look now, whatever it costs;
// - ask: rows of numbers, whose classes come with every look.
ActLab.serve = (post) => {
  const sets = {};
  let net, ask, lookedAt = -1e9, cost = 20;
  return (m) => {
    if (m.init) {
      const data = (sets[m.init.data] ??= ActLab.dataset(m.init.data));
      net = ActLab.network(data, m.init);
      ask = m.ask;
    }
    const begin = performance.now();
    let n = 0;
    for (; n < (m.run || 0) && !net.diverged; n++) net.step();
    const end = performance.now();
    const answer = { id: m.id, n, ms: end - begin, step: net.stepNo, diverged: net.diverged };
    // A look costs as much as 20 to 40 steps: at most a fifth of the time goes into looking.
    if (m.force || (n && end - lookedAt > Math.max(90, 4 * cost))) {
      answer.look = net.probe();
      answer.look.answers = net.answers(ask);
      answer.diverged = net.diverged;
      lookedAt = performance.now();
      cost = lookedAt - end;
    }
    post(answer);
  };
};

if (typeof WorkerGlobalScope !== "undefined" && self instanceof WorkerGlobalScope) {
  importScripts("kernels.js", "core.js", "digits.js");
  const handle = ActLab.serve((answer) => postMessage(answer));
  onmessage = (event) => handle(event.data);
}
