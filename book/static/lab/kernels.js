// Every elementwise activation of the catalog in double precision: f, f′, f″ and its kinks.
//
// The catalog (src/actlab/catalog) is what is right. tests/site/test_kernels.py compares each
// kernel with its record, at several settings of the parameters, and goes red for a record
// without a kernel. At a kink the derivative is the record's (the left one as a rule).
"use strict";
globalThis.ActLab = globalThis.ActLab || {};

(() => {
  const zero = () => 0, none = [];
  const { abs, exp, log1p, expm1, sqrt, sign, min, max } = Math;

  // erfc(z) e^{z²} = t e^{P(t)} with t = 2 / (2 + z): P's Chebyshev series, computed with mpmath.
  const SERIES = [
    -1.3026537197817094, 0.64196979235649026, 0.019476473204185836, -0.0095615147868086316,
    -0.00094659534448203687, 0.00036683949785276145, 4.2523324806907772e-5, -2.0278578112534243e-5,
    -1.6242900046470255e-6, 1.3036558355805232e-6, 1.5626441722066143e-8, -8.5238095914926543e-8,
    6.5290544390988515e-9, 5.0593434955514689e-9, -9.9136415649303309e-10, -2.2736512229318359e-10,
    9.6467911020155268e-11, 2.3940380830391147e-12, -6.8860275264975534e-12, 8.9448792730907257e-13,
    3.1309213993429581e-13, -1.1270822362367252e-13, 3.8109052551892321e-16, 7.106097613609237e-15,
    -1.5230282014571043e-15, -9.457494571291234e-17, 1.210237189224279e-16, -2.816663087747177e-17,
  ];
  function erfc(z) {
    const size = abs(z), t = 2 / (2 + size), x = 4 * t - 2;
    let a = 0, b = 0;
    for (let k = SERIES.length - 1; k > 0; k--) {
      const next = x * a - b + SERIES[k];
      b = a;
      a = next;
    }
    const tail = t * exp(-size * size + 0.5 * (SERIES[0] + x * a) - b);
    return z >= 0 ? tail : 2 - tail;
  }
  const density = (x) => 0.3989422804014327 * exp(-0.5 * x * x);
  const below = (x) => 0.5 * erfc(-x * Math.SQRT1_2); // the normal distribution function

  const logistic = (x) => (x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)));
  const bell = (x) => { const t = exp(-abs(x)); return t / (1 + t) ** 2; }; // its slope
  const bend = (x) => -bell(x) * Math.tanh(x / 2); // and the slope's slope
  const softplus = (x) => max(x, 0) + log1p(exp(-abs(x)));
  const sech2 = (x) => 4 * bell(2 * x);
  const clip = (x, low, high) => min(max(x, low), high);

  const leaky = (a) => ({
    f: (x) => (x > 0 ? x : a === 0 ? 0 : a * x),
    d: (x) => (x > 0 ? 1 : a),
    s: zero,
    kinks: a === 1 ? none : [0],
  });
  const threshold = (at, value) => ({
    f: (x) => (x > at ? x : value), d: (x) => (x > at ? 1 : 0), s: zero, kinks: [at],
  });
  const hardSigmoid = (limit) => ({
    f: (x) => (clip(x, -limit, limit) + limit) / (2 * limit),
    d: (x) => (abs(x) < limit ? 0.5 / limit : 0),
    s: zero,
    kinks: [-limit, limit],
  });
  const clipped = (low, high) => ({
    f: (x) => clip(x, low, high), d: (x) => (x > low && x < high ? 1 : 0), s: zero,
    kinks: [low, high],
  });
  const exponentialSide = (scale, alpha, width, kinks) => ({
    f: (x) => (x > 0 ? scale * x : scale * alpha * expm1(x / width)),
    d: (x) => (x > 0 ? scale : (scale * alpha / width) * exp(x / width)),
    s: (x) => (x > 0 ? 0 : (scale * alpha / (width * width)) * exp(x / width)),
    kinks,
  });
  function tanhShrink(x) { // x − tanh x cancels near 0; Lambert's fraction does not
    if (abs(x) >= 2) return x - Math.tanh(x);
    let fraction = 0;
    for (let odd = 41; odd > 1; odd -= 2) fraction = (x * x) / (odd + fraction);
    return x * (fraction / (1 + fraction));
  }

  const A = 2 * sqrt(2 / Math.PI), B = 0.044715 * A; // GELU's tanh is a logistic of x (A + B x²)
  const SELU_ALPHA = 1.6732632423543772, SELU_SCALE = 1.0507009873554805;

  // Name → parameters → kernel. Parameters have the catalog's names.
  const KERNELS = {
    linear: () => ({ f: (x) => x, d: () => 1, s: zero, kinks: none }),
    binary_step: () => ({ f: (x) => (x >= 0 ? 1 : 0), d: zero, s: zero, kinks: [0] }),

    relu: () => leaky(0),
    relu6: () => clipped(0, 6),
    threshold: (p) => threshold(p.threshold, p.value),
    thresholded_relu: (p) => threshold(p.theta, 0),

    leaky_relu: (p) => leaky(p.negative_slope),
    prelu: (p) => leaky(p.negative_slope),
    rrelu: (p) => leaky((p.lower + p.upper) / 2), // as it is after training, like the record

    elu: (p) => exponentialSide(1, p.alpha, 1, [0]),
    celu: (p) => exponentialSide(1, p.alpha, p.alpha, [0]),
    selu: () => exponentialSide(SELU_SCALE, SELU_ALPHA, 1, [0]),
    exponential: () => ({ f: exp, d: exp, s: exp, kinks: none }),

    sigmoid: () => ({ f: logistic, d: bell, s: bend, kinks: none }),
    log_sigmoid: () => ({
      f: (x) => -softplus(-x), d: (x) => logistic(-x), s: (x) => -bell(x), kinks: none,
    }),
    hard_sigmoid: (p) => hardSigmoid(p.limit),
    sparse_sigmoid: () => hardSigmoid(1),

    tanh: () => ({ f: Math.tanh, d: sech2, s: (x) => -2 * Math.tanh(x) * sech2(x), kinks: none }),
    hard_tanh: (p) => clipped(p.min_val, p.max_val),
    softsign: () => ({
      f: (x) => x / (1 + abs(x)),
      d: (x) => (1 + abs(x)) ** -2,
      s: (x) => -2 * sign(x) * (1 + abs(x)) ** -3,
      kinks: [0],
    }),

    gelu: () => {
      let last = NaN, share = NaN; // f and f′ are asked for together: the dear part once
      const p = (x) => (x === last ? share : ((last = x), (share = below(x))));
      return {
        f: (x) => x * p(x), d: (x) => p(x) + x * density(x), s: (x) => (2 - x * x) * density(x),
        kinks: none,
      };
    },
    gelu_tanh: () => {
      const u = (x) => x * (A + B * x * x), du = (x) => A + 3 * B * x * x;
      return {
        f: (x) => x * logistic(u(x)),
        d: (x) => logistic(u(x)) + x * bell(u(x)) * du(x),
        s: (x) => bell(u(x)) * (2 * du(x) + 6 * B * x * x) + x * bend(u(x)) * du(x) ** 2,
        kinks: none,
      };
    },
    silu: () => ({
      f: (x) => x * logistic(x),
      d: (x) => logistic(x) * (1 + x * logistic(-x)),
      s: (x) => 2 * bell(x) + x * bend(x),
      kinks: none,
    }),
    mish: () => ({
      f: (x) => x * Math.tanh(softplus(x)),
      d: (x) => Math.tanh(softplus(x)) + x * sech2(softplus(x)) * logistic(x),
      s: (x) => {
        const w = softplus(x), g = logistic(x), h = sech2(w);
        return h * (2 * g + x * (bell(x) - 2 * Math.tanh(w) * g * g));
      },
      kinks: none,
    }),
    hard_silu: () => ({
      f: (x) => (x > 3 ? x : (clip(x, -3, 3) * (clip(x, -3, 3) + 3)) / 6),
      d: (x) => (x > 3 ? 1 : x > -3 ? (2 * x + 3) / 6 : 0),
      s: (x) => (x > -3 && x <= 3 ? 1 / 3 : 0),
      kinks: [-3, 3],
    }),

    softplus: ({ beta, threshold }) => ({
      f: (x) => (beta * x > threshold ? x : softplus(beta * x) / beta),
      d: (x) => (beta * x > threshold ? 1 : logistic(beta * x)),
      s: (x) => (beta * x > threshold ? 0 : beta * bell(beta * x)),
      kinks: threshold === Infinity ? none : [threshold / beta],
    }),
    squareplus: ({ b }) => {
      const root = (x) => sqrt(x * x + b), f = (x) => (x > 0 ? (x + root(x)) / 2 : b / (root(x) - x) / 2);
      return { f, d: (x) => f(x) / root(x), s: (x) => b / root(x) ** 3 / 2, kinks: none };
    },
    sparse_plus: () => ({
      f: (x) => (x >= 1 ? x : ((clip(x, -1, 1) + 1) / 2) ** 2),
      d: (x) => (clip(x, -1, 1) + 1) / 2,
      s: (x) => (x > -1 && x <= 1 ? 0.5 : 0),
      kinks: [-1, 1],
    }),

    soft_shrink: (p) => ({
      f: (x) => x - clip(x, -p.threshold, p.threshold),
      d: (x) => (abs(x) > p.threshold ? 1 : 0),
      s: zero,
      kinks: [-p.threshold, p.threshold],
    }),
    hard_shrink: (p) => ({
      f: (x) => (abs(x) > p.threshold ? x : 0),
      d: (x) => (abs(x) > p.threshold ? 1 : 0),
      s: zero,
      kinks: [-p.threshold, p.threshold],
    }),
    tanh_shrink: () => ({
      f: tanhShrink, d: (x) => Math.tanh(x) ** 2, s: (x) => 2 * Math.tanh(x) * sech2(x), kinks: none,
    }),
  };

  // The kernel of one activation at these parameters; NaN goes through whatever the function.
  function kernel(name, params) {
    if (!Object.hasOwn(KERNELS, name)) throw new RangeError(`no kernel for ${name}`);
    return KERNELS[name](params || {});
  }

  // Where learning stops: |f′| stays below `share` of its largest value outside of (a, b).
  // The same search as Activation.saturates_beyond in the catalog.
  function saturatesBeyond(k, share = 0.01) {
    const steep = (x) => abs(k.d(x)), reach = [0];
    for (let i = 0; i <= 6000; i++) reach.push(10 ** (-9 + (12 * i) / 6000));
    for (let i = 1; i <= 600; i++) reach.push(10 ** (3 + (6 * i) / 600));
    const grid = [...new Set([0, ...k.kinks].flatMap((c) => reach.flatMap((r) => [c - r, c + r])))];
    grid.sort((a, b) => a - b);
    const size = grid.map(steep);
    let peak = 0;
    size.forEach((v, i) => { if (v > size[peak]) peak = i; });
    let largest = size[peak];
    const low = grid[max(peak - 1, 0)], high = grid[min(peak + 1, grid.length - 1)];
    for (let i = 0; i <= 10000; i++) largest = max(largest, steep(low + ((high - low) * i) / 10000));
    if (largest === 0 || largest === Infinity) return [NaN, NaN];
    const edge = (inside, outside) => {
      for (let i = 0; i < 60; i++) {
        const middle = (inside + outside) / 2;
        if (steep(middle) >= share * largest) inside = middle;
        else outside = middle;
      }
      return k.kinks.find((kink) => abs(kink - inside) <= 1e-12 + 1e-9 * abs(kink)) ?? inside;
    };
    const alive = size.map((v, i) => (v >= share * largest ? i : -1)).filter((i) => i >= 0);
    const first = alive[0], last = alive.at(-1);
    return [
      first === 0 ? -Infinity : edge(grid[first], grid[first - 1]),
      last === grid.length - 1 ? Infinity : edge(grid[last], grid[last + 1]),
    ];
  }

  Object.assign(ActLab, { kernel, kernels: Object.keys(KERNELS), saturatesBeyond });
})();
