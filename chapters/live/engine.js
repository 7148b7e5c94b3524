/* Gradient descent on polluted Gaussian clusters, exact in any dimension, in the span of the data: the engine of the
   page "Try it". It is the twin of benign.data.mixtures, benign.train.span, benign.measure.errors and
   benign.experiments.parts, in float64; the tests hold it against them. Matrices are Float64Arrays, row after row. It
   imports nothing and touches no page, so that it runs in a worker as well. */

/* Random numbers. A draw is named by a seed, a purpose and a row, and does not depend on what else is drawn: when a
   slider moves, everything that it does not concern stays, and the curves move continuously. */

const PURPOSES = Object.fromEntries(
  ["clean labels", "label flips", "sample noise", "weights along the samples", "weights among themselves",
    "lengths of samples", "lengths of weights", "output signs", "test labels", "test noise along mu",
    "test noise along the samples", "test noise along the weights"].map((name, index) => [name, index]));

/** The stream of random numbers that belongs to a seed, a purpose and a row: C. Doty-Humphrey's generator sfc32. */
export function stream(seed, purpose, row = 0) {
  if (!(purpose in PURPOSES)) throw new Error(`no random number has the purpose "${purpose}"`);
  let a = seed | 0, b = row | 0, c = PURPOSES[purpose], counter = 1;
  let spare = NaN;

  function bits() {
    const sum = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum;
  }
  // Each round is a bijection of the state, so different names give different states; the rounds mix them.
  for (let round = 0; round < 20; round++) bits();

  /** Uniform on (0, 1), never an end. */
  const uniform = () => ((bits() >>> 6) * 67108864 + (bits() >>> 6) + 0.5) / 4503599627370496;

  /** Standard normal, in pairs (Box and Muller). */
  function normal() {
    if (spare === spare) {
      const kept = spare;
      spare = NaN;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log(uniform())), angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** A fair sign. */
  const sign = () => (bits() < 0 ? -1 : 1);

  /** Gamma with the given shape and scale 1 (Marsaglia and Tsang 2000). */
  function gamma(shape) {
    // The power of a uniform number is drawn first, so that the others do not depend on the shape.
    const below = uniform();
    const d = (shape < 1 ? shape + 1 : shape) - 1 / 3, step = 1 / Math.sqrt(9 * d);
    for (;;) {
      const x = normal(), v = (1 + step * x) ** 3, u = uniform();
      if (v > 0 && Math.log(u) < 0.5 * x * x + d * (1 - v + Math.log(v)))
        return d * v * (shape < 1 ? below ** (1 / shape) : 1);
    }
  }

  /** The length of a standard normal vector in so many dimensions. */
  const chi = (degrees) => Math.sqrt(2 * gamma(degrees / 2));

  return { uniform, normal, sign, gamma, chi };
}

/* The sample, in the few coordinates that matter. */

/** A polluted sample and `width` standard Gaussian directions: the law of `benign.data.mixtures.sample`.

    The rows of `vectors` are the n inputs, then the directions, in q = 1 + min(n + width, p - 1) coordinates, of which
    the first is that along mu. Row r has no coordinate beyond the (r + 2)th. */
export function sample({ n, p, signal, labelNoise, width, seed }) {
  const count = n + width, rank = Math.min(count, p - 1), q = 1 + rank;
  const vectors = new Float64Array(count * q);
  for (let r = 0; r < count; r++) {
    const at = r * q + 1, among = Math.min(r, rank);
    const samples = r < n ? stream(seed, "sample noise", r) : stream(seed, "weights along the samples", r - n);
    for (let axis = -1; axis < Math.min(among, n); axis++) vectors[at + axis] = samples.normal();
    if (among > n) {
      const weights = stream(seed, "weights among themselves", r - n);
      for (let axis = n; axis < among; axis++) vectors[at + axis] = weights.normal();
    }
    if (r < rank) {
      const lengths = r < n ? stream(seed, "lengths of samples", r) : stream(seed, "lengths of weights", r - n);
      vectors[at + r] = lengths.chi(p - 1 - r);
    }
  }
  const clean = Float64Array.from({ length: n }, (_, i) => stream(seed, "clean labels", i).sign());
  const signs = Float64Array.from({ length: width }, (_, j) => stream(seed, "output signs", j).sign());
  const keys = Float64Array.from({ length: n }, (_, i) => stream(seed, "label flips", i).uniform());
  const threshold = keys.slice().sort()[roundToEven(labelNoise * n)];
  const labels = clean.map((label, i) => (keys[i] < threshold ? -label : label));
  for (let i = 0; i < n; i++) vectors[i * q] += signal * clean[i];
  return { n, p, q, width, signal, seed, vectors, clean, labels, signs };
}

/** As Python rounds. */
export function roundToEven(x) {
  const down = Math.floor(x);
  return x - down === 0.5 ? down + (down % 2) : Math.round(x);
}

/** Everything that training needs of a sample: X X^T (n, n), W_0 X^T (m, n) and ||w_j(0)||^2, for weights so scaled. */
export function grams({ n, q, width, vectors }, scale) {
  const product = (r, s) => {
    let sum = 0;
    for (let k = 0, end = Math.min(q, Math.min(r, s) + 2); k < end; k++) sum += vectors[r * q + k] * vectors[s * q + k];
    return sum;
  };
  const inputs = new Float64Array(n * n), cross = new Float64Array(width * n);
  for (let i = 0; i < n; i++) for (let k = 0; k <= i; k++) inputs[i * n + k] = inputs[k * n + i] = product(i, k);
  for (let j = 0; j < width; j++) for (let i = 0; i < n; i++) cross[j * n + i] = scale * product(n + j, i);
  const squaredNorms = Float64Array.from({ length: width }, (_, j) => scale ** 2 * product(n + j, n + j));
  return { inputs, cross, squaredNorms };
}

/* Training. */

/** target[k] += the sum over the listed rows of rows[row * length + k]: where the time goes, so eight rows a pass. */
function addRows(target, rows, length, listed, count) {
  let i = 0;
  for (; i + 8 <= count; i += 8) {
    const a = listed[i] * length, b = listed[i + 1] * length;
    const c = listed[i + 2] * length, d = listed[i + 3] * length;
    const e = listed[i + 4] * length, f = listed[i + 5] * length;
    const g = listed[i + 6] * length, h = listed[i + 7] * length;
    for (let k = 0; k < length; k++)
      target[k] += rows[a + k] + rows[b + k] + (rows[c + k] + rows[d + k]) +
        (rows[e + k] + rows[f + k] + (rows[g + k] + rows[h + k]));
  }
  for (; i < count; i++) for (let k = 0, a = listed[i] * length; k < length; k++) target[k] += rows[a + k];
}

/** Full-batch gradient descent on the logistic loss: the trajectory of `benign.train.span.train_on_grams`.

    W_t = W_0 + C_t X, and A_t = W_t X^T is kept up to date: in a step, the pre-activations of a neuron move by a_j times
    the sum of the rows f_i G_i over the samples at which it is active, and by a leak's share of all rows. About half of
    them are active, and adding rows takes no multiplication, where the product C G would take m n^2. */
export class Descent {
  constructor({ inputs, cross, squaredNorms, signs, labels, slope, stepSize }) {
    const n = labels.length, m = signs.length;
    Object.assign(this, { n, m, inputs, signs, labels, slope, squaredNorms, initial: cross, steps: 0 });
    this.rate = stepSize / (n * Math.sqrt(m));
    this.preactivations = cross.slice();
    this.coefficients = new Float64Array(m * n);
    this.margins = new Float64Array(n);
    this.force = new Float64Array(n);
    this.pulls = new Float64Array(n * n);
    this.leak = new Float64Array(n);
    this.move = new Float64Array(n);
    this.active = new Int32Array(n);
    this.#readOut();
  }

  #readOut() {
    const { n, m, margins, preactivations, signs, slope, labels } = this;
    margins.fill(0);
    for (let j = 0; j < m; j++)
      for (let i = 0; i < n; i++) {
        const u = preactivations[j * n + i];
        margins[i] += signs[j] * Math.max(u, slope * u);
      }
    for (let i = 0; i < n; i++) margins[i] *= labels[i] / Math.sqrt(m);
  }

  step() {
    const { n, m, margins, labels, force, pulls, leak, move, active, inputs, signs, slope } = this;
    const { preactivations, coefficients } = this;
    leak.fill(0);
    for (let i = 0; i < n; i++) {
      force[i] = (labels[i] * this.rate) / (1 + Math.exp(margins[i]));
      for (let k = 0; k < n; k++) {
        const pull = force[i] * inputs[i * n + k];
        leak[k] += slope * pull;
        pulls[i * n + k] = (1 - slope) * pull;
      }
    }
    for (let j = 0; j < m; j++) {
      const at = j * n, sign = signs[j];
      let count = 0;
      for (let i = 0; i < n; i++) {
        const on = preactivations[at + i] > 0;
        coefficients[at + i] += sign * (on ? 1 : slope) * force[i];
        active[count] = i;
        count += on ? 1 : 0;
      }
      move.set(leak);
      addRows(move, pulls, n, active, count);
      for (let i = 0; i < n; i++) preactivations[at + i] += sign * move[i];
    }
    this.steps++;
    this.#readOut();
  }

  /** The empirical risk. */
  loss() {
    let sum = 0;
    for (const u of this.margins) sum += u > 0 ? Math.log1p(Math.exp(-u)) : Math.log1p(Math.exp(u)) - u;
    return sum / this.n;
  }

  /** The number of samples with a margin that is not positive, among those that the function of the index chooses. */
  errors(chosen = () => true) {
    return this.margins.reduce((sum, u, i) => sum + (chosen(i) && !(u > 0) ? 1 : 0), 0);
  }

  /** ||W||_F, ||W||_{2,1} and the distance travelled, ||W - W_0||_F. */
  lengths() {
    const { n, m, coefficients, initial, preactivations, squaredNorms } = this;
    let norm = 0, norm21 = 0, distance = 0;
    for (let j = 0; j < m; j++) {
      let cross = 0, moved = 0;
      for (let i = j * n; i < (j + 1) * n; i++) {
        cross += coefficients[i] * initial[i];
        moved += coefficients[i] * (preactivations[i] - initial[i]);
      }
      moved = Math.max(moved, 0);
      const squared = Math.max(squaredNorms[j] + 2 * cross + moved, 0);
      norm += squared;
      norm21 += Math.sqrt(squared);
      distance += moved;
    }
    return { norm: Math.sqrt(norm), norm21, distance: Math.sqrt(distance) };
  }
}

/* Testing. */

/** target[k] += sum_i coefficients[from + i] rows[i * length + k] over `count` rows, four a pass. */
function addMultiples(target, coefficients, from, count, rows, length) {
  let i = 0;
  for (; i + 4 <= count; i += 4) {
    const a = coefficients[from + i], b = coefficients[from + i + 1];
    const c = coefficients[from + i + 2], d = coefficients[from + i + 3];
    const at = i * length, bt = at + length, ct = bt + length, dt = ct + length;
    for (let k = 0; k < length; k++)
      target[k] += a * rows[at + k] + b * rows[bt + k] + (c * rows[ct + k] + d * rows[dt + k]);
  }
  for (; i < count; i++)
    for (let k = 0, a = coefficients[from + i], at = i * length; k < length; k++) target[k] += a * rows[at + k];
}

/** Fresh points of the mixture, which share their random numbers with those of any other sample of the same seed.

    A point acts only through its products with the inputs, (n, count), and with the directions, (m, count); `along` is
    its coordinate along mu. */
export function freshPoints({ n, q, width, signal, seed, vectors }, count) {
  const points = new Float64Array(q * count); // coordinate after coordinate
  const labels = Float64Array.from({ length: count }, ((draw) => () => draw.sign())(stream(seed, "test labels")));
  for (let axis = -1; axis < q - 1; axis++) {
    const draw =
      axis < 0 ? stream(seed, "test noise along mu")
        : axis < n ? stream(seed, "test noise along the samples", axis)
          : stream(seed, "test noise along the weights", axis - n);
    for (let k = 0, at = (axis + 1) * count; k < count; k++) points[at + k] = draw.normal();
  }
  for (let k = 0; k < count; k++) points[k] += signal * labels[k];
  const inputs = new Float64Array(n * count), weights = new Float64Array(width * count);
  for (let r = 0; r < n + width; r++) {
    const [products, row] = r < n ? [inputs, r] : [weights, r - n];
    const target = products.subarray(row * count, (row + 1) * count);
    addMultiples(target, vectors, r * q, Math.min(q, r + 2), points, count);
  }
  return { count, labels, inputs, weights, along: points.slice(0, count) };
}

/** The pre-activations of neuron j at such points, a function of j; its initial weights are `scale` times the directions. */
export function freshHidden({ n, coefficients }, { count, inputs, weights }, scale) {
  const hidden = new Float64Array(count);
  return (j) => {
    for (let k = 0; k < count; k++) hidden[k] = scale * weights[j * count + k];
    addMultiples(hidden, coefficients, j * n, n, inputs, count);
    return hidden;
  };
}

/** The weights' coordinates along mu, (m). */
export function weightsAlong({ n, m, coefficients }, { q, vectors }, scale) {
  return Float64Array.from({ length: m }, (_, j) => {
    let sum = scale * vectors[(n + j) * q];
    for (let i = 0; i < n; i++) sum += coefficients[j * n + i] * vectors[i * q];
    return sum;
  });
}

/** The margins y f(x), and the part of each that comes from the signal: `evidence`. What is left is memory.

    sigma(u) = sigma'(u) u, so a margin is a sum over the neurons of products <w, x>, and <w, e><x, e> is the part along
    e = mu/||mu||. `hidden(j)` holds the pre-activations of neuron j, `along` the points' <x, e>, `weights` the <w, e>. */
export function marginParts({ m, signs, slope }, hidden, { labels, along }, weights) {
  const margins = new Float64Array(labels.length), evidence = new Float64Array(labels.length);
  for (let j = 0; j < m; j++) {
    const pre = hidden(j), on = signs[j], off = slope * on, weight = weights[j];
    for (let k = 0; k < labels.length; k++) {
      const gain = pre[k] > 0 ? on : off;
      margins[k] += gain * pre[k];
      evidence[k] += gain * weight;
    }
  }
  for (let k = 0; k < labels.length; k++) {
    margins[k] *= labels[k] / Math.sqrt(m);
    evidence[k] *= (labels[k] * along[k]) / Math.sqrt(m);
  }
  return { margins, evidence };
}

/* Closed forms. */

/** The upper tail Q of the standard normal law. */
export function upperTail(x) {
  if (x < 0) return 1 - upperTail(-x);
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (x > 3) {
    let fraction = x; // Laplace's continued fraction, from its far end
    for (let k = 200; k > 0; k--) fraction = x + k / fraction;
    return density / fraction;
  }
  let term = x, sum = x; // Phi(x) - 1/2 = density (x + x^3/3 + x^5/15 + ...)
  for (let k = 3; term > 1e-18 * sum; k += 2) sum += term *= (x * x) / k;
  return 0.5 - density * sum;
}

/** Places on the map and yardsticks: as in `benign.theory`. */
export const theory = {
  signalIndex: ({ n, p, signal }) => (n * signal ** 4) / p,
  signalLoad: ({ n, p, signal }) => (n * signal ** 2) / p,
  firstStepWall: ({ labelNoise }) => 1 / (1 - 2 * labelNoise),
  averagingError: ({ n, p, signal, labelNoise }) => {
    const pull = 1 - 2 * labelNoise;
    return upperTail((pull * signal ** 2) / Math.sqrt(pull ** 2 * signal ** 2 + p / n));
  },
  /** The ||mu|| at which the averaging classifier's error is Q(depth). */
  signalOfDepth: ({ n, p, labelNoise }, depth) => {
    const square = depth ** 2, ratio = square / (1 - 2 * labelNoise) ** 2;
    return Math.sqrt((square + Math.sqrt(square ** 2 + (4 * ratio * p) / n)) / 2);
  },
  averagingDepth: ({ n, p, signal, labelNoise }) => {
    const pull = 1 - 2 * labelNoise;
    return (pull * signal ** 2) / Math.sqrt(pull ** 2 * signal ** 2 + p / n);
  },
  stepSize: ({ n, p, step }) => (step * n) / p,
  initialScale: ({ n, p, width, step, initScale }) => (initScale * step * n) / p / Math.sqrt(width * p),
};

/** The exact (Clopper-Pearson) 95 % interval for a probability, from `errors` out of `trials`. */
export function binomialInterval(errors, trials) {
  const upper = (k) => {
    if (k === trials) return 1;
    let low = k / trials, high = 1;
    for (let halving = 0; halving < 60; halving++) {
      const middle = (low + high) / 2;
      if (atMost(k, trials, middle) > 0.025) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  };
  return [1 - upper(trials - errors), upper(errors)];
}

/** P(X <= k) for X binomial, k not above the mean. */
function atMost(k, trials, probability) {
  let log = k * Math.log(probability) + (trials - k) * Math.log1p(-probability);
  for (let i = 1; i <= k; i++) log += Math.log((trials - k + i) / i);
  let term = Math.exp(log), sum = term;
  for (let i = k; i > 0 && term > 1e-18 * sum; i--)
    sum += term *= (i * (1 - probability)) / ((trials - i + 1) * probability);
  return sum;
}

/* One experiment. */

export const TEST_POINTS = 2000;
const SHOWN = 80; // of the fresh points, one by one

/** 0, 1 and about `count` more steps up to the last, evenly spread on a logarithmic axis. */
function spread(last, count) {
  const steps = new Set([0, last]);
  for (let k = 0; k < count; k++) steps.add(Math.round(last ** (k / count)));
  return [...steps].sort((a, b) => a - b);
}

/** The experiment of a setting, piece by piece: yields what is known so far after every small piece of work.

    A setting has n, p, signal = ||mu||, labelNoise, slope, width, step (in units of n/p), initScale (in units of
    step size / sqrt(m p)), steps, seed, all as in `benign.experiments.polluted.Polluted`. */
export function* experiment(setting) {
  const drawn = sample(setting), scale = theory.initialScale(setting);
  const wrong = (i) => drawn.clean[i] !== drawn.labels[i];
  const flips = drawn.clean.reduce((sum, _, i) => sum + wrong(i), 0);
  yield null;
  const descent = new Descent({
    ...grams(drawn, scale),
    signs: drawn.signs, labels: drawn.labels, slope: setting.slope, stepSize: theory.stepSize(setting),
  });
  yield null;
  const points = freshPoints(drawn, TEST_POINTS);
  const inputsAlong = Float64Array.from({ length: setting.n }, (_, i) => drawn.vectors[i * drawn.q]);
  const known = {
    setting, flips, flipped: Array.from(drawn.labels, (_, i) => wrong(i)), testPoints: TEST_POINTS,
    at: [], loss: [], cleanErrors: [], flippedErrors: [],
    testedAt: [], testErrors: [], testIntervals: [], frames: [],
    margins: null, lengths: null, initialLengths: descent.lengths(),
    initialOutput: Math.sqrt(descent.margins.reduce((sum, u) => sum + u * u, 0) / setting.n),
  };
  const looks = new Set(spread(setting.steps, 120)), tests = new Set(spread(setting.steps, 22));
  known.inAll = tests.size; // frames
  for (;;) {
    const at = descent.steps;
    if (looks.has(at) || tests.has(at)) {
      known.at.push(at);
      known.loss.push(descent.loss());
      known.cleanErrors.push(descent.errors((i) => !wrong(i)));
      known.flippedErrors.push(descent.errors(wrong));
    }
    if (tests.has(at)) {
      yield known;
      const weights = weightsAlong(descent, drawn, scale);
      const fresh = marginParts(descent, freshHidden(descent, points, scale), points, weights);
      const row = (j) => descent.preactivations.subarray(j * setting.n, (j + 1) * setting.n);
      const trained = marginParts(descent, row, { labels: drawn.labels, along: inputsAlong }, weights);
      const errors = fresh.margins.reduce((sum, u) => sum + (u > 0 ? 0 : 1), 0);
      known.testedAt.push(at);
      known.testErrors.push(errors);
      known.testIntervals.push(binomialInterval(errors, TEST_POINTS));
      known.frames.push(frame(trained, fresh));
      known.margins = descent.margins.slice();
      known.lengths = descent.lengths();
    }
    yield known;
    if (at === setting.steps) return known;
    descent.step();
  }
}

/** Evidence and memory of the sample's points, then of the first fresh ones. */
function frame(trained, fresh) {
  const both = (part) => Float64Array.of(...trained[part], ...fresh[part].subarray(0, SHOWN));
  const evidence = both("evidence"), memory = both("margins").map((u, k) => u - evidence[k]);
  return { evidence, memory };
}

/** Runs an experiment in slices of a few milliseconds, between which the thread is free; `report(known, done)` is
    called now and then, and at the end. As soon as `superseded()` the experiment is dropped. */
async function run(setting, report, superseded) {
  const slice = 12, first = 300, pause = 100; // milliseconds: of work at a time, before a report, between two
  const channel = new MessageChannel(); // a timer would wait for four milliseconds
  const breathe = () => new Promise((go) => {
    channel.port1.onmessage = go;
    channel.port2.postMessage(0);
  });
  const pieces = experiment(setting), start = performance.now();
  let due = start + first;
  for (let until = start + slice; !superseded(); until = performance.now() + slice) {
    let piece;
    do piece = pieces.next();
    while (!piece.done && performance.now() < until);
    const now = performance.now();
    if (piece.done || (piece.value?.margins && now > due)) {
      report({ ...piece.value, seconds: (now - start) / 1000 }, piece.done);
      due = now + pause;
    }
    if (piece.done) break;
    await breathe();
  }
  channel.port1.close();
}

/** A function that takes orders {number, setting}, one at a time; `report(number, known, done)` says what came out.

    The last order counts. The one before it is finished if that takes no longer than a moment, so that a picture moves
    along with a slider; an order without a setting stops everything. */
export function laboratory(report) {
  const moment = 250;
  let next = null, busy = false;
  return async (order) => {
    next = order;
    if (busy) return;
    for (busy = true; next; ) {
      const { number, setting } = next, late = performance.now() + moment;
      next = null;
      if (setting)
        await run(setting, (known, done) => report(number, known, done),
          () => next && (!next.setting || performance.now() > late));
    }
    busy = false;
  };
}

/* In a worker orders come in as messages. */
if (typeof WorkerGlobalScope !== "undefined" && self instanceof WorkerGlobalScope) {
  const ask = laboratory((number, known, done) => self.postMessage({ number, known, done }));
  self.onmessage = ({ data }) => ask(data);
}
