/* The live experiment of the page: sliders, buttons, numbers and the address on top of the engine. The page holds this
   module, and an import map with the other two, so that it works from a file and without a server. */

import { run, theory } from "./engine.js";
import { drawCurves, drawMap, drawMargins, number, percent } from "./plots.js";

const grouped = (value) => value.toLocaleString("en").replaceAll(",", "\u202f");
const digits = (value, count) => Number(value.toPrecision(count));
const pick = (values) => ({
  min: 0, max: values.length - 1, step: 1,
  to(value) {
    const gaps = values.map((other) => Math.abs(other - value));
    return gaps.indexOf(Math.min(...gaps));
  },
  from: (place) => values[place],
});
const linear = (min, max, step) => ({ min, max, step, to: (value) => value, from: (place) => digits(place, 6) });
const logarithmic = (least, most, places, round) => ({
  min: 0, max: places, step: 1,
  to: (value) => Math.round((places * Math.log(value / least)) / Math.log(most / least)),
  from: (place) => round(least * (most / least) ** (place / places)),
});

/* What can be chosen. `limits` are those of a value in an address, which may lie between the places of the slider. */
const CONTROLS = {
  n: { words: "samples n", start: 40, whole: true, limits: [2, 200], ...linear(2, 200, 1), show: grouped },
  p: { words: "dimension p", start: 20000, whole: true, limits: [2, 1e9],
    ...logarithmic(2, 1e9, 400, (value) => Math.max(2, Math.round(digits(value, 2)))), show: grouped },
  mu: { words: "signal ‖μ‖", start: 9, limits: [0.1, 2000],
    ...logarithmic(0.1, 2000, 400, (value) => digits(value, 3)), show: (value) => `${digits(value, 4)}` },
  noise: { words: "wrong labels η", start: 0.2, limits: [0, 0.49], ...linear(0, 0.49, 0.01), show: percent },
  slope: { words: "leak, slope below zero", start: 0, limits: [0, 1], ...linear(0, 1, 0.01),
    show: (value) => (value === 0 ? "0: ReLU" : value === 1 ? "1: linear" : `${value}`) },
  m: { words: "width m", start: 64, whole: true, limits: [1, 256],
    ...pick([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256]), show: grouped },
  start: { words: "size of the start", start: 1, limits: [0.001, 1e9],
    ...logarithmic(0.01, 1e6, 160, (value) => digits(value, 2)), show: (value) => `${grouped(value)} × (6f)` },
  steps: { words: "gradient steps", start: 1000, whole: true, limits: [1, 5000],
    ...pick([1, 3, 10, 30, 100, 300, 1000, 2000, 5000]), show: grouped },
  seed: { words: "seed", start: 1, whole: true, limits: [0, 2 ** 31 - 1], ...linear(0, 99, 1), show: String },
};
const START = { ...Object.fromEntries(Object.entries(CONTROLS).map(([name, { start }]) => [name, start])), keep: 1 };
const TASK = ["n", "p", "noise"]; // what ‖μ‖ makes up for, if the task is to stay equally hard

/** The setting in the engine's words. */
const settingOf = (s) => ({
  n: s.n, p: s.p, signal: s.mu, labelNoise: s.noise, slope: s.slope, width: s.m, step: 1, initScale: s.start,
  steps: s.steps, seed: s.seed,
});

/** The address's fragment for a state, empty for the first one; only what differs is named. */
const fragmentOf = (s) =>
  Object.keys(START).filter((name) => s[name] !== START[name]).map((name) => `${name}=${s[name]}`).join("&");

/** The state that a fragment names, what is wrong with it, and whether it names any. */
export function stateOf(fragment) {
  const state = { ...START }, wrong = [];
  const given = [...new URLSearchParams(fragment)].filter(([name]) => name in START);
  for (const [name, words] of given) {
    const value = Number(words), { limits: [low, high], whole } = CONTROLS[name] ?? { limits: [0, 1], whole: true };
    if (words.trim() && value >= low && value <= high && (!whole || Number.isInteger(value))) state[name] = value;
    else {
      const kind = whole ? "a whole number" : "a number";
      wrong.push(`${name} is “${words}”: it must be ${kind} from ${low} to ${high}; ${START[name]} is taken`);
    }
  }
  return { state, wrong, named: given.length > 0 };
}

/** The lines of Python that run a setting with the package. */
export function pythonOf(s) {
  const float = (value) => (Number.isInteger(value) ? `${value}.0` : `${value}`);
  return [
    "from benign.experiments.clusters import PollutedClusters",
    "from livingpaper.sweep import sweep",
    "from benign.theory import xu2023",
    "",
    `n, p, signal = ${s.n}, ${s.p}, ${float(s.mu)}`,
    "setting = dict(",
    "    n=n,",
    "    p=p,",
    "    signal_index=xu2023.signal_index(n, p, signal),",
    `    label_noise=${float(s.noise)},`,
    `    activation="${s.slope === 0 ? "relu" : `leaky_relu(${float(s.slope)})`}",`,
    `    width=${s.m},`,
    "    step=1.0,",
    `    init_scale=${float(s.start)},`,
    `    steps=${s.steps},`,
    ")",
    "table = sweep(PollutedClusters, [setting], seeds=10)",
    'print(table[["seed", "training_error_clean", "training_error_flipped", "test_error"]])',
  ].join("\n");
}

function html(name, attributes = {}, ...children) {
  const node = Object.assign(document.createElement(name), attributes);
  node.append(...children);
  return node;
}

/** Runs experiments, of which only the last one asked for counts; in a worker, or here if there can be none. */
class Laboratory {
  #number = 0;
  #worker = null;

  constructor(report) {
    this.report = report;
    try {
      this.#worker = new Worker(import.meta.resolve("./engine.js"), { type: "module" });
      this.#worker.onmessage = ({ data: { number, known, done } }) => this.#hear(number, known, done);
      this.#worker.onerror = () => {
        this.#worker = null;
        if (this.setting) this.ask(this.setting);
      };
    } catch {
      this.#worker = null;
    }
  }

  ask(setting) {
    const number = ++this.#number;
    this.setting = setting;
    if (this.#worker) this.#worker.postMessage({ number, setting });
    else run(setting, (known, done) => this.#hear(number, known, done), () => number !== this.#number);
    return number;
  }

  #hear(number, known, done) {
    if (number === this.#number) this.report(known, done, number);
  }
}

/** Builds the experiment into its place, and wires the buttons that the prose has for it. */
function open(place, presets) {
  let { state, wrong, named } = stateOf(location.hash.slice(1));
  let depth = theory.averagingDepth(settingOf(state)); // what is kept while the task stays equally hard
  let known = null, saying = 0, waiting = 0;

  /* the controls */
  const sliders = {}, values = {};
  const rows = Object.entries(CONTROLS).map(([name, control]) => {
    const id = `live-${name}`;
    const value = (values[name] = html("output", { htmlFor: id }));
    const { min, max, step } = control;
    const slider = (sliders[name] = html("input", { type: "range", id }));
    Object.assign(slider, { min, max, step });
    slider.oninput = () => choose({ [name]: control.from(Number(slider.value)) });
    slider.onchange = address;
    return html("div", { className: "live-control" }, html("label", { htmlFor: id }, control.words), value, slider);
  });
  const keep = html("input", { type: "checkbox", id: "live-keep" });
  keep.onchange = () => {
    choose({ keep: Number(keep.checked) });
    address();
  };
  const keeping = html("div", { className: "live-keep" }, keep,
    html("label", { htmlFor: "live-keep" }, "‖μ‖ follows n, p and η, so that the task stays as hard for averaging"));
  const reset = html("button", { type: "button", className: "live-button", textContent: "Reset" });
  reset.onclick = () => enter({ ...START });
  const another = html("button", { type: "button", className: "live-button", textContent: "Another seed" });
  another.onclick = () => enter({ ...state, seed: (state.seed + 1) % 100 });

  /* presets, in the experiment and in the prose */
  const stateOfPreset = (name) => ({ ...START, ...presets[name] });
  const button = (name) => html("button", { type: "button", className: "live-button", textContent: name });
  const buttons = Object.keys(presets).map((name) => {
    const node = button(name);
    node.onclick = () => enter(stateOfPreset(name));
    return [name, node];
  });
  for (const node of document.querySelectorAll("button[data-live-preset]")) {
    node.hidden = false;
    node.onclick = () => {
      enter(stateOfPreset(node.dataset.livePreset));
      show();
    };
  }

  /* the pictures and the numbers */
  const curves = html("div", { className: "live-picture" }), margins = html("div", { className: "live-picture" });
  const map = html("div", { className: "live-picture" }), key = html("ul", { className: "live-key" });
  const status = html("p", { className: "live-status" }), complaint = html("p", { className: "live-complaint" });
  status.setAttribute("role", "status"); // which is polite, and read as a whole
  complaint.setAttribute("role", "alert");
  const numbers = html("dl", { className: "live-numbers" });
  const progress = html("progress", { max: 1, value: 0, ariaLabel: "steps done" });
  const panel = (kind, title, ...parts) => html("section", { className: `live-panel live-${kind}` }, html("h2", {}, title), ...parts);

  /* sharing */
  const code = html("code"), said = html("span", { className: "live-said" });
  said.setAttribute("role", "status");
  const copies = (words, content, hint) => {
    const node = html("button", { type: "button", className: "live-button", textContent: words });
    node.onclick = async () => {
      try {
        await navigator.clipboard.writeText(content());
        said.textContent = "Copied.";
      } catch {
        said.textContent = hint;
      }
      setTimeout(() => (said.textContent = ""), 5000);
    };
    return node;
  };
  const link = copies("Copy the link", () => location.href, "The browser forbids it: copy the address of this page; it holds the setting.");
  const copyCode = copies("Copy the code", () => code.textContent, "The browser forbids it: select the lines and copy them.");
  const python = html("details", { className: "live-python" }, html("summary", {}, "The same setting in Python"),
    html("pre", { tabIndex: 0 }, code), copyCode,
    html("p", {}, "Ten seeds, with the package’s own random numbers: the law is that of this page, the single runs are others."));

  place.append(
    html("div", { className: "live-presets", role: "group", ariaLabel: "Settings to begin with" }, ...buttons.map(([, node]) => node)),
    html("div", { className: "live-bench" },
      panel("curves", "Errors", curves, key),
      html("form", { className: "live-controls", ariaLabel: "Setting", onsubmit: () => false }, ...rows, keeping,
        html("div", { className: "live-actions" }, reset, another, link, said)),
      panel("margins", "Margins", margins),
      panel("map", "Place on the map", map)),
    complaint, status, progress, numbers, python);

  /* from a state to the page */
  function choose(change) {
    state = { ...state, ...change };
    if ("mu" in change || "keep" in change) depth = theory.averagingDepth(settingOf(state));
    else if (state.keep && TASK.some((name) => name in change)) {
      const [low, high] = CONTROLS.mu.limits;
      state.mu = Math.min(Math.max(digits(theory.signalOfDepth(settingOf(state), depth), 4), low), high);
    }
    complain([]);
    present();
  }

  function enter(other) {
    state = other;
    depth = theory.averagingDepth(settingOf(state));
    complain([]);
    present();
    address();
  }

  function complain(words) {
    complaint.textContent = words.length ? `In the address, ${words.join("; ")}.` : "";
  }

  function present() {
    for (const [name, control] of Object.entries(CONTROLS)) {
      const shown = control.show(state[name]);
      sliders[name].value = control.to(state[name]);
      sliders[name].setAttribute("aria-valuetext", name === "p" ? state.p.toLocaleString("en") : shown);
      values[name].textContent = shown;
    }
    keep.checked = Boolean(state.keep);
    for (const [name, node] of buttons)
      node.setAttribute("aria-pressed", fragmentOf({ ...state, seed: 1 }) === fragmentOf(stateOfPreset(name)));
    code.textContent = pythonOf(state);
    const setting = settingOf(state);
    place.dataset.setting = JSON.stringify(setting);
    drawPlace();
    // At most one run a frame: a slider may report more often.
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => {
      place.dataset.busy = "yes";
      place.dataset.asked = laboratory.ask(setting);
    });
  }

  function drawPlace() {
    const setting = settingOf(state);
    const [index, load, wall] = [theory.signalIndex(setting), theory.signalLoad(setting), theory.firstStepWall(setting)];
    drawMap(map, { n: state.n, ratio: state.p / state.n, load, index, wall });
    numbers.replaceChildren(...[
      ["signal index S = n‖μ‖⁴/p", number(index)],
      ["signal load λ = n‖μ‖²/p", number(load)],
      ["wall 1/(1−2η)", number(wall)],
      ["p / (n² log n)", number(state.p / (state.n ** 2 * Math.log(state.n)))],
      ["averaging, closed form", percent(theory.averagingError(setting))],
      ["size of the outputs at the start", known ? number(known.initialOutput) : "…"],
      ["‖W − W₀‖ / ‖W₀‖", known ? number(known.lengths.distance / known.initialLengths.norm) : "…"],
    ].map(([words, value]) => html("div", {}, html("dt", {}, words), html("dd", {}, value))));
  }

  function drawResult() {
    if (!known) return;
    const averaging = theory.averagingError(known.setting);
    drawCurves(curves, known, averaging);
    drawMargins(margins, known);
    const rights = known.setting.n - known.flips, points = known.freshMargins.length;
    const [low, high] = known.testIntervals.at(-1);
    const entries = [
      ["live-test", "test error", `${percent(known.testErrors.at(-1) / points)} (${percent(low)} to ${percent(high)})`],
      ["live-averaging", "averaging, test", percent(averaging)],
      ["live-wrong", "wrong labels missed", `${known.flippedErrors.at(-1)} of ${known.flips}`],
      ["live-right", "right labels missed", `${known.cleanErrors.at(-1)} of ${rights}`],
    ];
    key.replaceChildren(...entries.map(([kind, words, value]) => {
      const swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      swatch.setAttribute("class", "live-swatch");
      swatch.setAttribute("viewBox", "0 0 34 8");
      swatch.setAttribute("aria-hidden", "true");
      swatch.innerHTML = `<line x1="0" y1="4" x2="34" y2="4" class="live-line ${kind}"></line>`;
      return html("li", {}, swatch, `${words} `, html("strong", {}, value));
    }));
  }

  const laboratory = new Laboratory((found, done, number) => {
    known = found;
    place.dataset.shown = number;
    drawResult();
    drawPlace();
    progress.value = known.at.at(-1) / known.setting.steps;
    if (!done) return;
    place.dataset.busy = "no";
    place.dataset.finished = 1 + Number(place.dataset.finished ?? 0);
    clearTimeout(saying);
    saying = setTimeout(say, 500); // not while somebody drags
  });

  function say() {
    const points = known.freshMargins.length, [low, high] = known.testIntervals.at(-1);
    status.textContent =
      `After ${grouped(known.setting.steps)} steps ${known.flippedErrors.at(-1)} of ${known.flips} wrong labels and ` +
      `${known.cleanErrors.at(-1)} of ${known.setting.n - known.flips} right labels are missed. Test error on clean labels: ` +
      `${percent(known.testErrors.at(-1) / points)}, from ${grouped(points)} fresh points (95${"\u202f"}% interval ` +
      `${percent(low)} to ${percent(high)}); averaging: ${percent(theory.averagingError(known.setting))}. ` +
      `Computed in ${known.seconds.toPrecision(2)} s.`;
  }

  /* the address holds the setting */
  function address() {
    const fragment = fragmentOf(state);
    const here = location.hash.slice(1);
    if (fragment !== here) history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
  }

  function show() {
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    place.scrollIntoView({ behavior: calm ? "auto" : "smooth", block: "start" });
  }

  addEventListener("hashchange", () => {
    const found = stateOf(location.hash.slice(1));
    if (!found.named) return;
    enter(found.state);
    complain(found.wrong);
    show();
  });

  place.hidden = false;
  document.querySelectorAll(".live-static").forEach((node) => node.classList.add("live-replaced"));
  new ResizeObserver(() => {
    drawResult();
    drawPlace();
  }).observe(place);
  present();
  complain(wrong);
  if (named) show();
}

open(document.querySelector(".live"), JSON.parse(document.querySelector("script[data-live-presets]").textContent));
