// What wide-network theory expects of a layer before training: actlab.theory in JavaScript.
// tests/site/test_kernels.py compares both for every record.
"use strict";

(() => {
  // Gauss–Legendre nodes and weights on (−1, 1), by Newton's method.
  function gauss(n) {
    const nodes = [], weights = [];
    for (let i = 0; i < n; i++) {
      let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5)), slope = 1;
      for (let round = 0; round < 20; round++) {
        let [p, q] = [1, 0];
        for (let k = 0; k < n; k++) [p, q] = [((2 * k + 1) * x * p - k * q) / (k + 1), p];
        slope = (n * (x * p - q)) / (x * x - 1);
        x -= p / slope;
      }
      nodes.push(x);
      weights.push(2 / ((1 - x * x) * slope * slope));
    }
    return [nodes, weights];
  }
  const FINE = gauss(16), COARSE = gauss(8);
  const mirrored = (edges) => [...edges.map((e) => -e).reverse(), 0, ...edges];
  const REACH = 12;
  const EDGES = mirrored([...Array(16).keys()].map((k) => 2 ** (k - 12)).concat(REACH));
  // For two inputs at once, where every node of one integral has another integral inside.
  const FEW = mirrored([2 ** -6, 2 ** -4, 2 ** -2, 1, 2.5, 5, 8]);

  // Calls visit(t, weight) for a standard normal t, with panels that end at the kinks.
  function normal(edges, [nodes, weights], kinks, visit) {
    const reach = edges.at(-1);
    const inside = kinks.filter((k) => Math.abs(k) < reach);
    const all = inside.length ? [...new Set([...edges, ...inside])].sort((a, b) => a - b) : edges;
    for (let e = 1; e < all.length; e++) {
      const middle = (all[e] + all[e - 1]) / 2, half = (all[e] - all[e - 1]) / 2;
      for (let i = 0; i < nodes.length; i++) {
        const t = middle + half * nodes[i];
        visit(t, (half * weights[i] * Math.exp((-t * t) / 2)) / Math.sqrt(2 * Math.PI));
      }
    }
  }

  // E[f(z)] for z ~ N(0, variance).
  function normalMean(f, variance, kinks) {
    const sd = Math.sqrt(variance);
    if (sd === 0) return f(0);
    let total = 0;
    normal(EDGES, FINE, kinks.map((k) => k / sd), (t, w) => { total += w * f(sd * t); });
    return total;
  }

  // Layer by layer: variance of the pre-activations; mean and sd of the activations; the factor of
  // the gradient's mean square; the mean square that comes in. Ends where numbers do: fewer rows.
  function layers(k, start, depth, { mean = 0, variance = 1, width = 64 } = {}) {
    const rows = [];
    for (let l = 0; l < depth; l++) {
      const signal = mean * mean + variance;
      const before = start.weights * signal + start.biases / width;
      if (!Number.isFinite(before)) break;
      const factor = start.weights * normalMean((z) => k.d(z) ** 2, before, k.kinks);
      mean = normalMean(k.f, before, k.kinks);
      variance = Math.max(normalMean((z) => k.f(z) ** 2, before, k.kinks) - mean * mean, 0);
      rows.push({ variance: before, mean, sd: Math.sqrt(variance), factor, signal });
    }
    return rows;
  }

  // Expected gradient norm of each layer's weights over the last layer's.
  function gradient(rows) {
    const last = rows.length - 1, out = [];
    let back = 0;
    for (let l = last; l >= 0; l--) {
      if (l < last) back += Math.log(rows[l].factor);
      out[l] = Math.exp((back + Math.log(rows[l].signal / rows[last].signal)) / 2);
    }
    return out;
  }

  // Several inputs together, that have nothing in common at first: how alike they become, how far
  // the activations still differ between them, and the share of units that are 0 for all `count`.
  function together(k, start, depth, { count = 256, width = 64 } = {}) {
    const rows = [];
    let square = 1, apart = 1; // mean square, and how much of it differs from input to input
    for (let l = 0; l < depth; l++) {
      const q = start.weights * square + start.biases / width;
      if (!Number.isFinite(q)) break;
      const own = Math.sqrt(start.weights * apart), shared = Math.sqrt(Math.max(q - own * own, 0));
      square = normalMean((z) => k.f(z) ** 2, q, k.kinks);
      let dead = 0;
      apart = 0;
      normal(FEW, COARSE, shared ? k.kinks.map((x) => x / shared) : [], (t, w) => {
        const outputs = [], weights = [];
        const visit = (z, v) => { outputs.push(k.f(z)); weights.push(v); };
        if (own === 0) visit(shared * t, 1);
        else {
          const at = k.kinks.map((x) => (x - shared * t) / own);
          normal(FEW, COARSE, at, (s, v) => visit(shared * t + own * s, v));
        }
        let mean = 0, all = 0, square = 0, still = 0;
        outputs.forEach((y, i) => { mean += weights[i] * y; all += weights[i]; if (y === 0) still += weights[i]; });
        outputs.forEach((y, i) => { square += weights[i] * (y - mean / all) ** 2; });
        apart += w * square;
        dead += w * Math.min(still, 1) ** count;
      });
      apart = Math.min(apart, square);
      rows.push({ correlation: q > 0 ? (shared * shared) / q : 0, spread: Math.sqrt(apart), dead });
    }
    return rows;
  }

  // n · Var(w) and n · Var(b) between layers of one width, as actlab.theory.STARTS has them.
  const STARTS = {
    torch: { weights: 1 / 3, biases: 1 / 3 },
    glorot: { weights: 1, biases: 0 },
    he: { weights: 2, biases: 0 },
    lecun: { weights: 1, biases: 0 },
    orthogonal: { weights: 1, biases: 0 },
  };

  Object.assign(ActLab, { theory: { normalMean, layers, gradient, together, STARTS } });
})();
