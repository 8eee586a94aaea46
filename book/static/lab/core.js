// A fully connected network in double precision: start, training step, and what its units do.
// tests/site/test_lab_core.py trains the same network in PyTorch and finds the same numbers.
"use strict";

(() => {
  // --- Random numbers: one uniform per weight, so that two starts of one seed are matched --------

  const mulberry = (a) => () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  function stream(seed, purpose) {
    const r = mulberry((Math.imul(seed | 0, 2654435761) ^ Math.imul(purpose, 40503)) | 0);
    for (let i = 0; i < 8; i++) r();
    return r;
  }
  function quantile(p) { // of the standard normal; Acklam's approximation, to 1.2e-9
    const a = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269,
      -30.66479806614716, 2.506628277459239];
    const b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972,
      -13.28068155288572];
    const c = [-0.007784894002430293, -0.3223964580411365, -2.400758277161838, -2.549732539343734,
      4.374664141464968, 2.938163982698783];
    const d = [0.007784695709041462, 0.3224671290700398, 2.445134137142996, 3.754408661907416];
    const poly = (all, x) => all.reduce((sum, v) => sum * x + v, 0);
    if (p > 0.97575) return -quantile(1 - p);
    if (p < 0.02425) {
      const q = Math.sqrt(-2 * Math.log(Math.max(p, 1e-12)));
      return poly(c, q) / (poly(d, q) * q + 1);
    }
    const q = p - 0.5, r = q * q;
    return (poly(a, r) * q) / (poly(b, r) * r + 1);
  }

  // --- The starts: weights (units out, units in), named as the course names them ----------------

  const CUT = 0.9772498680518208, CUT_SD = 0.8796256610342398; // a normal cut at 2 sd
  const uniform = (variance) => (r) => (2 * r() - 1) * Math.sqrt(3 * variance);
  const truncated = (variance) => (r) => (quantile(1 - CUT + r() * (2 * CUT - 1)) * Math.sqrt(variance)) / CUT_SD;
  const STARTS = {
    torch: (i) => uniform(1 / (3 * i)),
    glorot: (i, o) => uniform(2 / (i + o)),
    he: (i) => truncated(2 / i),
    lecun: (i) => truncated(1 / i),
    orthogonal: null,
  };
  const BIASES = { torch: (i, r) => (2 * r() - 1) / Math.sqrt(i), zero: () => 0, plus: () => 0.1, minus: () => -0.1 };

  function orthogonal(I, O, r) { // orthonormal rows, or columns where there are fewer of them
    const rows = Math.min(I, O), long = Math.max(I, O), Q = new Float64Array(I * O), W = new Float64Array(I * O);
    for (let i = 0; i < Q.length; i++) Q[i] = quantile(r());
    for (let k = 0; k < rows; k++) {
      for (let pass = 0; pass < 2; pass++) for (let m = 0; m < k; m++) {
        let s = 0;
        for (let i = 0; i < long; i++) s += Q[k * long + i] * Q[m * long + i];
        for (let i = 0; i < long; i++) Q[k * long + i] -= s * Q[m * long + i];
      }
      let s = 0;
      for (let i = 0; i < long; i++) s += Q[k * long + i] ** 2;
      s = 1 / Math.sqrt(s);
      for (let i = 0; i < long; i++) Q[k * long + i] *= s;
    }
    for (let j = 0; j < O; j++) for (let i = 0; i < I; i++) W[j * I + i] = O <= I ? Q[j * long + i] : Q[i * long + j];
    return W;
  }

  function weights(start, I, O, r) {
    if (start === "orthogonal") return orthogonal(I, O, r);
    const draw = STARTS[start](I, O);
    return Float64Array.from({ length: I * O }, () => draw(r));
  }

  // --- The three loops that cost something -------------------------------------------------------

  function forward(x, W, bias, z, B, I, O) {
    const B2 = B & ~1, O4 = O & ~3; // four units at two examples at a time, then what is left
    for (let j = 0; j < O4; j += 4) {
      const w0 = j * I, w1 = w0 + I, w2 = w1 + I, w3 = w2 + I;
      const c0 = bias[j], c1 = bias[j + 1], c2 = bias[j + 2], c3 = bias[j + 3];
      for (let b = 0; b < B2; b += 2) {
        const xa = b * I, xb = xa + I, o = b * O + j;
        let a0 = c0, a1 = c1, a2 = c2, a3 = c3, e0 = c0, e1 = c1, e2 = c2, e3 = c3;
        for (let i = 0; i < I; i++) {
          const p = x[xa + i], q = x[xb + i], u0 = W[w0 + i], u1 = W[w1 + i], u2 = W[w2 + i], u3 = W[w3 + i];
          a0 += p * u0; a1 += p * u1; a2 += p * u2; a3 += p * u3;
          e0 += q * u0; e1 += q * u1; e2 += q * u2; e3 += q * u3;
        }
        z[o] = a0; z[o + 1] = a1; z[o + 2] = a2; z[o + 3] = a3;
        z[o + O] = e0; z[o + O + 1] = e1; z[o + O + 2] = e2; z[o + O + 3] = e3;
      }
    }
    for (let b = 0; b < B; b++) for (let j = b < B2 ? O4 : 0; j < O; j++) {
      let s = bias[j];
      for (let i = 0; i < I; i++) s += x[b * I + i] * W[j * I + i];
      z[b * O + j] = s;
    }
  }
  function gradWeights(dz, x, dW, db, B, I, O) { // adds to dW and db
    const B4 = B & ~3;
    for (let j = 0; j < O; j++) {
      const wo = j * I;
      let s = 0;
      for (let b = 0; b < B4; b += 4) {
        const d0 = dz[b * O + j], d1 = dz[(b + 1) * O + j], d2 = dz[(b + 2) * O + j], d3 = dz[(b + 3) * O + j];
        if (d0 === 0 && d1 === 0 && d2 === 0 && d3 === 0) continue;
        s += d0 + d1 + d2 + d3;
        const x0 = b * I, x1 = x0 + I, x2 = x1 + I, x3 = x2 + I;
        for (let i = 0; i < I; i++) dW[wo + i] += d0 * x[x0 + i] + d1 * x[x1 + i] + d2 * x[x2 + i] + d3 * x[x3 + i];
      }
      for (let b = B4; b < B; b++) {
        const d = dz[b * O + j];
        s += d;
        for (let i = 0; i < I; i++) dW[wo + i] += d * x[b * I + i];
      }
      db[j] += s;
    }
  }
  function gradInput(dz, W, dx, B, I, O) {
    for (let b = 0; b < B; b++) {
      const xo = b * I, zo = b * O;
      dx.fill(0, xo, xo + I);
      let j = 0;
      for (; j + 3 < O; j += 4) {
        const d0 = dz[zo + j], d1 = dz[zo + j + 1], d2 = dz[zo + j + 2], d3 = dz[zo + j + 3];
        if (d0 === 0 && d1 === 0 && d2 === 0 && d3 === 0) continue;
        const w0 = j * I, w1 = w0 + I, w2 = w1 + I, w3 = w2 + I;
        for (let i = 0; i < I; i++) dx[xo + i] += d0 * W[w0 + i] + d1 * W[w1 + i] + d2 * W[w2 + i] + d3 * W[w3 + i];
      }
      for (; j < O; j++) {
        const d = dz[zo + j], wo = j * I;
        for (let i = 0; i < I; i++) dx[xo + i] += d * W[wo + i];
      }
    }
  }
  function activate(k, z, a, d, n) {
    for (let i = 0; i < n; i++) {
      const v = z[i];
      if (v !== v) { a[i] = v; d[i] = v; } // a NaN, which some functions would hide
      else { a[i] = k.f(v); d[i] = k.d(v); }
    }
  }

  // --- Limits: those of actlab.probes (a test compares them) -------------------------------------

  const LIMITS = { dormant: 0.025, share: 0.01, both: 0.5, one: 0.9 };
  // What a unit is; where several hold, the first in this order is shown.
  const STATES = ["alive", "always on", "dormant", "dead", "saturated"];
  const [ALIVE, ON, DORMANT, DEAD, SATURATED] = STATES.keys();
  const CHUNK = 64;

  // data: {features, classes, train: {x, y}, valid: {x, y}}, x a Float64Array row by row.
  function network(data, settings) {
    const S = { ...settings };
    const k = ActLab.kernel(S.act, S.params), [flatLow, flatHigh] = ActLab.saturatesBeyond(k);
    const limit = Number.isFinite(flatLow) && Number.isFinite(flatHigh) ? LIMITS.both : LIMITS.one;
    const I0 = data.features, C = data.classes, N = data.train.y.length, H = S.layers, U = S.units;
    const sizes = [I0, ...Array(H).fill(U), C], L = sizes.length - 1;
    const most = Math.max(CHUNK, S.batch);
    const xb = new Float64Array(most * I0), yb = new Uint8Array(most);
    const P = Array.from({ length: L }, (_, l) => {
      const I = sizes[l], O = sizes[l + 1], n = I * O;
      const W = weights(S.start, I, O, stream(S.seed, 100 + l)).map((w) => w * S.scale);
      const r = stream(S.seed, 200 + l), b = Float64Array.from({ length: O }, () => BIASES[S.bias](I, r));
      const of = (size) => new Float64Array(size), buffer = () => of(most * O);
      return { I, O, W, b, dW: of(n), db: of(O), z: buffer(), a: buffer(), d: buffer(), dz: buffer(), dh: buffer(),
        mW: of(n), mb: of(O), vW: of(n), vb: of(O) };
    });
    const order = Uint16Array.from({ length: N }, (_, i) => i), shuffle = stream(S.seed, 1);
    let at = N, stepNo = 0, diverged = 0, right = 0;

    function fill(part, row, B) {
      for (let b = 0; b < B; b++) {
        const r = row(b);
        yb[b] = part.y[r];
        xb.set(part.x.subarray(r * I0, (r + 1) * I0), b * I0);
      }
    }
    function nextBatch(B) {
      if (at + B > N) { // a new epoch; the last incomplete batch is dropped
        for (let i = N - 1; i > 0; i--) {
          const j = Math.floor(shuffle() * (i + 1)), t = order[i];
          order[i] = order[j]; order[j] = t;
        }
        at = 0;
      }
      fill(data.train, (b) => order[at + b], B);
      at += B;
    }
    function through(B) {
      let x = xb;
      for (let l = 0; l < L; l++) {
        const p = P[l];
        forward(x, p.W, p.b, p.z, B, p.I, p.O);
        if (l < H) activate(k, p.z, p.a, p.d, B * p.O);
        x = p.a;
      }
    }
    // The cross-entropy of the logits summed over B rows and divided by `total`; counts hits.
    function loss(B, total, backward) {
      const { z, dz } = P[L - 1];
      let sum = 0;
      for (let b = 0; b < B; b++) {
        const o = b * C;
        let top = -Infinity, best = 0, norm = 0;
        for (let j = 0; j < C; j++) if (z[o + j] > top) { top = z[o + j]; best = j; }
        for (let j = 0; j < C; j++) norm += Math.exp(z[o + j] - top);
        sum += Math.log(norm) + top - z[o + yb[b]];
        if (best === yb[b]) right++;
        for (let j = 0; j < C; j++) dz[o + j] = (Math.exp(z[o + j] - top) / norm - (j === yb[b] ? 1 : 0)) / total;
      }
      if (backward) for (let l = L - 1; l >= 0; l--) {
        const p = P[l];
        gradWeights(p.dz, l ? P[l - 1].a : xb, p.dW, p.db, B, p.I, p.O);
        if (!l) continue;
        const q = P[l - 1], n = B * q.O;
        gradInput(p.dz, p.W, q.dh, B, p.I, p.O);
        for (let i = 0; i < n; i++) q.dz[i] = q.dh[i] * q.d[i];
      }
      return sum / total;
    }
    const zero = () => { for (const p of P) { p.dW.fill(0); p.db.fill(0); } };
    function update(w, g, m, v) {
      const n = w.length, lr = S.lr;
      if (S.opt === "sgd") for (let i = 0; i < n; i++) w[i] -= lr * g[i];
      else if (S.opt === "momentum") for (let i = 0; i < n; i++) { m[i] = 0.9 * m[i] + g[i]; w[i] -= lr * m[i]; }
      else {
        const c1 = lr / (1 - 0.9 ** stepNo), c2 = 1 / Math.sqrt(1 - 0.999 ** stepNo);
        for (let i = 0; i < n; i++) {
          const q = g[i];
          m[i] += 0.1 * (q - m[i]);
          v[i] = 0.999 * v[i] + 0.001 * q * q;
          w[i] -= (c1 * m[i]) / (Math.sqrt(v[i]) * c2 + 1e-8);
        }
      }
    }
    function step() {
      if (diverged) return NaN;
      nextBatch(S.batch);
      zero();
      through(S.batch);
      const value = loss(S.batch, S.batch, true);
      stepNo++;
      if (!Number.isFinite(value)) { diverged = stepNo; return value; }
      for (const p of P) { update(p.W, p.dW, p.mW, p.vW); update(p.b, p.db, p.mb, p.vb); }
      return value;
    }

    // What happens on all training examples: states of the units, spread, gradients, loss.
    // Mean and variance are joined chunk by chunk by the law of total variance, as the probes do.
    function probe() {
      const n = H * U, of = () => new Float64Array(n);
      const mean = of(), variance = of(), size = of(), largest = of(), flat = of(), positive = of();
      const lowest = of().fill(Infinity), highest = of().fill(-Infinity), backward = new Float64Array(H);
      zero();
      right = 0;
      let value = 0;
      for (let s = 0; s < N; s += CHUNK) {
        const B = Math.min(CHUNK, N - s), share = B / (s + B);
        fill(data.train, (b) => s + b, B);
        through(B);
        value += loss(B, N, true);
        for (let l = 0; l < H; l++) {
          const { z, a, d, dh } = P[l];
          for (let i = 0; i < B * U; i++) backward[l] += dh[i] * dh[i];
          for (let u = 0; u < U; u++) {
            const q = l * U + u;
            let total = 0, square = 0;
            for (let i = u; i < B * U; i += U) {
              const y = a[i], sizeOf = Math.abs(y), slope = d[i];
              total += y;
              size[q] += sizeOf;
              if (!(sizeOf <= largest[q])) largest[q] = sizeOf;
              if (slope < lowest[q]) lowest[q] = slope;
              if (slope > highest[q]) highest[q] = slope;
              if (z[i] > 0) positive[q]++;
              if (z[i] <= flatLow || z[i] >= flatHigh) flat[q]++;
            }
            const here = total / B, shift = here - mean[q];
            for (let i = u; i < B * U; i += U) square += (a[i] - here) ** 2;
            mean[q] += share * shift;
            variance[q] = (1 - share) * variance[q] + (share * square) / B + share * (1 - share) * shift * shift;
          }
        }
      }
      const norm = (g) => Math.sqrt(g.reduce((t, v) => t + v * v, 0));
      const gradient = P.map((p) => norm(p.dW)), accuracy = right / N;
      const { accuracy: valid, loss: validLoss } = score(data.valid);
      const state = new Uint8Array(n), spread = new Float64Array(H);
      for (let l = 0; l < H; l++) {
        let average = 0, total = 0;
        for (let q = l * U; q < (l + 1) * U; q++) { average += size[q] / U; total += variance[q]; }
        spread[l] = Math.sqrt(total / U);
        for (let q = l * U; q < (l + 1) * U; q++) {
          state[q] = largest[q] <= 0 ? DEAD
            : size[q] <= LIMITS.dormant * average ? DORMANT
              : lowest[q] === highest[q] && lowest[q] !== 0 ? ON
                : flat[q] >= limit * N ? SATURATED : ALIVE;
        }
      }
      if (!Number.isFinite(value) && !diverged) diverged = stepNo || 1;
      return { step: stepNo, loss: value, accuracy, valid, validLoss, mean, state, positive, flat, spread, gradient,
        backward: backward.map((g) => Math.sqrt(g * N)), diverged };
    }
    // How a part of the data is answered: share right, mean loss.
    function score(part) {
      const n = part.y.length;
      let value = 0;
      right = 0;
      for (let s = 0; s < n; s += CHUNK) {
        const B = Math.min(CHUNK, n - s);
        fill(part, (b) => s + b, B);
        through(B);
        value += loss(B, n, false);
      }
      return { accuracy: right / n, loss: value };
    }
    // The class that each row of x gets.
    function answers(x) {
      const out = [];
      for (let r = 0; r * I0 < x.length; r++) {
        xb.set(x.subarray(r * I0, (r + 1) * I0));
        through(1);
        const z = P[L - 1].z.subarray(0, C);
        out.push(z.indexOf(Math.max(...z)));
      }
      return out;
    }
    return {
      step, probe, answers,
      tune: (changed) => Object.assign(S, changed),
      get stepNo() { return stepNo; },
      get diverged() { return diverged; },
      weights: () => P.map((p) => ({ W: Array.from(p.W), b: Array.from(p.b), I: p.I, O: p.O })),
      batch: () => Array.from(order.subarray(at - S.batch, at)),
    };
  }

  // --- The data ------------------------------------------------------------------------------------

  // Digits as the course splits and scales them (one mean and one spread for all pixels), or two
  // spirals. From ActLab.digits: a letter a pixel, a pixel's letters together, sorted by class.
  function dataset(name) {
    return name === "spirals" ? spirals() : digits();
  }
  function digits() {
    const { pixels, train, valid } = ActLab.digits, sum = (all) => all.reduce((a, b) => a + b, 0);
    const N = sum(train), all = N + sum(valid), raw = new Uint8Array(all * 64);
    for (let j = 0, c = 0; j < 64; j++) for (let i = 0; i < all; i++, c++) raw[i * 64 + j] = pixels.charCodeAt(c) - 97;
    let mean = 0, variance = 0;
    for (let i = 0; i < N * 64; i++) mean += raw[i] / (N * 64);
    for (let i = 0; i < N * 64; i++) variance += (raw[i] - mean) ** 2 / (N * 64);
    const x = Float64Array.from(raw, (v) => (v - mean) / Math.sqrt(variance));
    const y = (counts) => Uint8Array.from(counts.flatMap((n, c) => Array(n).fill(c)));
    return { name: "digits", features: 64, classes: 10, raw,
      train: { x: x.subarray(0, N * 64), y: y(train) }, valid: { x: x.subarray(N * 64), y: y(valid) } };
  }
  function spirals() {
    const r = stream(7, 300), part = (n) => {
      const x = new Float64Array(2 * n), y = new Uint8Array(n);
      for (let i = 0; i < n; i++) {
        const arm = i % 2, t = 0.35 + 2.65 * Math.sqrt(r()), turn = 2.1 * t + Math.PI * arm;
        x[2 * i] = 0.6 * t * Math.cos(turn) + 0.08 * quantile(r());
        x[2 * i + 1] = 0.6 * t * Math.sin(turn) + 0.08 * quantile(r());
        y[i] = arm;
      }
      return { x, y };
    };
    return { name: "spirals", features: 2, classes: 2, train: part(400), valid: part(200) };
  }

  // --- A network that is not trained: signal, gradient and dead units by depth --------------------

  // `count` inputs of independent standard normal numbers run through `depth` layers of `width`
  // units, and one random direction per input runs back from the top. gradient: of the weights,
  // one input at a time, root mean square over the inputs, over the last layer's.
  function signals({ act, params, start, gain, depth, width = 64, count = 128, seed = 1 }) {
    const k = ActLab.kernel(act, params), r = stream(seed, 400), n = width * count;
    const x0 = Float64Array.from({ length: n }, () => quantile(r())), zs = [], Ws = [], hs = [x0], rows = [];
    for (let l = 0; l < depth; l++) {
      const rb = stream(seed, 700 + l), bias = start === "torch" ? BIASES.torch : BIASES.zero;
      const W = weights(start, width, width, stream(seed, 500 + l)).map((w) => w * gain);
      const b = Float64Array.from({ length: width }, () => bias(width, rb));
      const z = new Float64Array(n), a = new Float64Array(n), d = new Float64Array(n);
      forward(hs[l], W, b, z, count, width, width);
      activate(k, z, a, d, n);
      let total = 0, dead = 0;
      for (let u = 0; u < width; u++) {
        let mean = 0, square = 0, alive = false;
        for (let i = u; i < n; i += width) { mean += a[i] / count; alive ||= a[i] !== 0; }
        for (let i = u; i < n; i += width) square += (a[i] - mean) ** 2;
        total += square / count;
        dead += alive ? 0 : 1;
      }
      if (!Number.isFinite(total)) break;
      rows.push({ spread: Math.sqrt(total / width), dead: dead / width });
      zs.push(d); Ws.push(W); hs.push(a);
    }
    let g = Float64Array.from({ length: n }, () => quantile(r()));
    for (let l = rows.length - 1; l >= 0; l--) {
      const d = zs[l], h = hs[l], below = new Float64Array(n);
      for (let i = 0; i < n; i++) g[i] *= d[i];
      let total = 0;
      for (let e = 0; e < count; e++) {
        let back = 0, forth = 0;
        for (let i = e * width; i < (e + 1) * width; i++) { back += g[i] * g[i]; forth += h[i] * h[i]; }
        total += back * forth;
      }
      rows[l].gradient = Math.sqrt(total / count);
      gradInput(g, Ws[l], below, count, width, width);
      g = below;
    }
    const top = rows.at(-1)?.gradient;
    for (const row of rows) row.gradient /= top;
    return rows;
  }

  Object.assign(ActLab, { network, dataset, signals, STATES, LIMITS, starts: Object.keys(STARTS), biases: Object.keys(BIASES) });
})();
