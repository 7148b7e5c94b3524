/* The live experiment of the page: knobs, buttons, numbers and the address on top of the engine. The page holds this
   module, and an import map with the other two, so that it works from a file and without a server. */

import { laboratory, theory } from "./engine.js";
import { drawCloud, drawCurves, drawMap, KINDS, number, percent } from "./plots.js";

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

/* What can be chosen, and what a reader is told of it. `limits` are those of a value in an address, which may lie
   between the places of the slider. */
const CONTROLS = {
  p: { words: "dimension p", start: 20000, whole: true, limits: [2, 1e9],
    ...logarithmic(2, 1e9, 400, (value) => Math.max(2, Math.round(digits(value, 2)))), show: grouped },
  n: { words: "samples n", start: 40, whole: true, limits: [2, 200], ...linear(2, 200, 1), show: grouped,
    means: "How many points the network learns." },
  mu: { words: "signal ‖μ‖", start: 9, limits: [0.1, 2000],
    ...logarithmic(0.1, 2000, 400, (value) => digits(value, 3)), show: (value) => `${digits(value, 4)}`,
    means: "How far the middle of each class lies from zero; in every direction the noise has size one." },
  noise: { words: "wrong labels η", start: 0.2, limits: [0, 0.49], ...linear(0, 0.49, 0.01), show: percent,
    means: "The share of the training labels that are flipped." },
  m: { words: "width m", start: 64, whole: true, limits: [1, 256],
    ...pick([1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256]), show: grouped,
    means: "How many neurons the network has." },
  slope: { words: "leak", start: 0, limits: [0, 1], ...linear(0, 1, 0.01),
    show: (value) => (value === 0 ? "0: ReLU" : value === 1 ? "1: linear" : `${value}`),
    means: "How much of a negative input a neuron lets through: at 0 it falls silent, at 1 the network is linear." },
  start: { words: "size of the start", start: 1, limits: [0.001, 1e9],
    ...logarithmic(0.01, 1e6, 160, (value) => digits(value, 2)), show: (value) => `${grouped(value)} ×`,
    means: "The size of the random weights before training; at 1 it is the largest for which the theorem is proved." },
  steps: { words: "gradient steps", start: 1000, whole: true, limits: [1, 5000],
    ...pick([1, 3, 10, 30, 100, 300, 1000, 2000, 5000]), show: grouped,
    means: "How long the network is trained." },
  seed: { words: "seed", start: 1, whole: true, limits: [0, 2 ** 31 - 1], ...linear(0, 99, 1), show: String,
    means: "Which random numbers: another seed is another sample, another start, and other new points." },
};
const DRAWER = { "The task": ["n", "mu", "noise"], "The network": ["m", "slope", "start"], "The run": ["steps", "seed"] };
const START = { ...Object.fromEntries(Object.entries(CONTROLS).map(([name, { start }]) => [name, start])), keep: 1 };
const TASK = ["n", "p", "noise"]; // what ‖μ‖ makes up for, if the task is to stay equally hard
const HARM = 0.05; // what memorising may cost, and still be called harmless: new points missed beyond those of averaging

const MAP = "Across: the room, dimension over sample size. Up: the signal load λ = n‖μ‖²/p, the signal in the sample against " +
  "its noise. The further below S = n‖μ‖⁴/p = 10, the more new points even averaging misses. Above the wall the right labels " +
  "outvote each wrong one in the first step: with much room it is then mostly never fitted, with little it is, at a price. Large dot: this setting. " +
  "Small marks: your runs, ○ memorised, harmless, ■ memorised, harmful, × not memorised.";

/** The state of a finished run in a word. */
function stateWord(known) {
  if (known.flippedErrors.at(-1) + known.cleanErrors.at(-1) > 0) return "not memorised";
  const cost = known.testErrors.at(-1) / known.testPoints - theory.averagingError(known.setting);
  return cost > HARM ? "memorised, harmful" : "memorised, harmless";
}

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

/** The engine's laboratory in a worker, or here if there can be none.

    A worker cannot load a module of a page that was opened from disk; a script without exports it can. */
function elsewhere(report) {
  const here = laboratory(report);
  let ask = here, last;
  try {
    const bytes = Uint8Array.from(atob(import.meta.resolve("./engine.js").split(",")[1]), (one) => one.charCodeAt(0));
    const script = new TextDecoder().decode(bytes).replace(/^export /gm, "");
    const worker = new Worker(URL.createObjectURL(new Blob([script], { type: "text/javascript" })));
    worker.onmessage = ({ data: { number, known, done } }) => report(number, known, done);
    worker.onerror = () => {
      worker.terminate();
      (ask = here)(last);
    };
    ask = (order) => worker.postMessage(order);
  } catch {
    // as it is
  }
  return (order) => ask((last = order));
}

/** Builds the experiment into its place, with the steps of the path and the buttons that the prose has for it. */
function open(place, presets) {
  let { state, wrong, named } = stateOf(location.hash.slice(1));
  let depth = theory.averagingDepth(settingOf(state)); // what is kept while the task stays equally hard
  let known = null, trail = [], asked = 0, saying = 0, waiting = 0, slow = 0;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const button = (textContent, onclick, more = {}) =>
    html("button", { type: "button", className: "live-button", textContent, onclick, ...more });

  /* the knobs */
  const sliders = {}, values = {};
  const knob = (name) => {
    const control = CONTROLS[name], id = `live-${name}`, { min, max, step } = control;
    const value = (values[name] = html("output", { htmlFor: id }));
    const slider = (sliders[name] = html("input", { type: "range", id }));
    Object.assign(slider, { min, max, step });
    slider.oninput = () => choose({ [name]: control.from(Number(slider.value)) });
    slider.onchange = address;
    const row = html("div", { className: "live-control" }, html("label", { htmlFor: id }, control.words), value, slider);
    if (control.means) {
      slider.setAttribute("aria-describedby", `${id}-means`);
      row.append(html("p", { id: `${id}-means` }, control.means));
    }
    return row;
  };
  const dimension = knob("p");
  const keep = html("input", { type: "checkbox", id: "live-keep" });
  keep.onchange = () => {
    choose({ keep: Number(keep.checked) });
    address();
  };
  const keeping = html("div", { className: "live-keep" }, keep, html("label", { htmlFor: "live-keep" },
    "Keep the task equally hard: the signal follows p, n and η, so that averaging misses as many new points as before."));
  const groups = Object.entries(DRAWER).map(([title, names]) => html("fieldset", {}, html("legend", {}, title),
    ...names.map(knob), ...(names.includes("mu") ? [keeping] : [])));

  /* playing: the frame shown, a place between two while it moves; Infinity is the last, also while more are computed */
  let at = Infinity, playing = 0;
  const play = button("Play", () => (playing ? pause() : start()));
  const scrub = html("input", { type: "range", min: 0, step: 1, ariaLabel: "Gradient steps done" });
  const step = html("output");
  scrub.oninput = () => {
    pause();
    at = Number(scrub.value) === Number(scrub.max) ? Infinity : Number(scrub.value);
    drawFrame();
  };
  function pause() {
    cancelAnimationFrame(playing);
    playing = 0;
    play.textContent = "Play";
  }
  function start(from = at) {
    const pace = 160; // milliseconds a frame
    const last = () => (known && place.dataset.shown === place.dataset.asked ? known.frames.length - 1 : 0);
    let before = null; // the clock of frames: one may have begun before this was asked for
    at = from < last() ? from : 0;
    play.textContent = "Pause";
    const tick = (now) => {
      const was = at;
      at = Math.min(at + (now - (before ?? now)) / pace, last());
      before = now;
      playing = requestAnimationFrame(tick);
      if (at === last() && place.dataset.busy === "no") {
        at = Infinity;
        pause();
      }
      if (!calm.matches || Math.floor(at) !== Math.floor(was)) drawFrame();
    };
    cancelAnimationFrame(playing);
    playing = requestAnimationFrame(tick);
  }

  /* the path: one step at a time */
  const path = document.querySelector(".live-steps"), items = [...path.querySelectorAll(":scope > ol > li")];
  const stateOfPreset = (name) => ({ ...START, ...presets[name] });
  const where = html("span"), back = button("Back", () => go(here - 1)), onward = button("Next", () => go(here + 1));
  let here = 0;
  function turn(index) {
    here = index;
    items.forEach((item, i) => item.classList.toggle("live-open", i === here));
    where.textContent = `Step ${here + 1} of ${items.length}`;
    back.disabled = here === 0;
    onward.disabled = here === items.length - 1;
  }
  function go(index) {
    turn(index);
    items[index].querySelector("[data-live-preset]").click();
  }
  for (const node of document.querySelectorAll("button[data-live-preset]")) {
    node.hidden = false;
    node.onclick = () => {
      enter(stateOfPreset(node.dataset.livePreset));
      if (!calm.matches) start(0);
    };
  }
  path.setAttribute("aria-live", "polite");
  path.prepend(html("div", { className: "live-actions" }, where, back, onward));
  addEventListener("beforeprint", () => path.querySelectorAll("details").forEach((node) => (node.open = true)));

  /* the pictures and the numbers */
  const cloud = html("div", { className: "live-picture live-cloud" }), curves = html("div", { className: "live-picture" });
  const map = html("div", { className: "live-picture" }), key = html("ul", { className: "live-key" });
  const word = html("strong"), why = html("span"), verdict = html("p", { className: "live-verdict" }, word, " ", why);
  const status = html("p", { className: "visually-hidden live-status" }), complaint = html("p", { className: "live-complaint" });
  status.setAttribute("role", "status"); // which is polite, and read as a whole
  complaint.setAttribute("role", "alert");
  const rule = html("p", { className: "live-rule" },
    "Memorised: every training label is fitted, the wrong ones too. Harmless: no more than " +
    `${100 * HARM} in 100 new points are missed beyond those that averaging misses, which does not try to fit any label.`);
  const numbers = html("dl", { className: "live-numbers" });
  const progress = html("progress", { max: 1, value: 0, ariaLabel: "steps done" }), done = html("span");
  const cancel = button("", () => (place.dataset.busy === "yes" ? stop() : present()));
  const working = html("div", { className: "live-working" }, progress, done, cancel);
  const panel = (title, caption, ...parts) =>
    html("section", { className: "live-panel" }, html("h2", {}, title), ...parts, html("p", {}, caption));

  /* sharing */
  const code = html("code"), said = html("span", { className: "live-said" });
  said.setAttribute("role", "status");
  const copies = (words, content, hint) => button(words, async () => {
    try {
      await navigator.clipboard.writeText(content());
      said.textContent = "Copied.";
    } catch {
      said.textContent = hint;
    }
    setTimeout(() => (said.textContent = ""), 5000);
  });
  const link = copies("Copy the link", () => location.href, "The browser forbids it: copy the address of this page; it holds the setting.");
  const copyCode = copies("Copy the code", () => code.textContent, "The browser forbids it: select the lines and copy them.");
  const python = html("details", { className: "live-python" }, html("summary", {}, "The same setting in Python"),
    html("pre", { tabIndex: 0 }, code), copyCode,
    html("p", {}, "Ten seeds, with the package’s own random numbers: the law is that of this page, the single runs are others."));
  const reset = button("Reset", () => {
    trail = [];
    turn(0);
    enter({ ...START });
  });
  const another = button("Another seed", () => enter({ ...state, seed: (state.seed + 1) % 100 }));

  place.append(
    html("div", { className: "live-bench" }, path,
      html("div", { className: "live-stage" }, dimension,
        html("div", { className: "live-play" }, play, scrub, step),
        working, html("div", { className: "live-results" }, verdict, cloud, key), rule),
      html("details", { className: "live-drawer" }, html("summary", {}, "More knobs"), ...groups)),
    html("div", { className: "live-actions" }, reset, another, link, said),
    complaint, status,
    html("div", { className: "live-views" },
      panel("Errors while it trains", "The height is the square root of the error, so that one in a hundred can be told from none. " +
        "The band is the 95 % interval of the test error. The vertical line is the step shown above.", curves),
      panel("Where this run lies", MAP, map)),
    html("details", { className: "live-more" }, html("summary", {}, "The numbers of this setting"), numbers), python);

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
    pause();
    at = Infinity;
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
      // A place next to this one may stand for the same rounded number: a key must get past it.
      if (control.from(Number(sliders[name].value)) !== state[name]) sliders[name].value = control.to(state[name]);
      sliders[name].setAttribute("aria-valuetext", name === "p" ? state.p.toLocaleString("en") : shown);
      values[name].textContent = shown;
    }
    keep.checked = Boolean(state.keep);
    code.textContent = pythonOf(state);
    const setting = settingOf(state);
    place.dataset.setting = JSON.stringify(setting);
    drawPlace();
    // At most one run a frame: a slider may report more often.
    cancelAnimationFrame(waiting);
    waiting = requestAnimationFrame(() => {
      place.dataset.busy = "yes";
      place.dataset.asked = ++asked;
      clearTimeout(saying);
      clearTimeout(slow);
      slow = setTimeout(() => {
        place.dataset.slow = "yes";
        status.textContent = "";
        tell();
      }, 400);
      ask({ number: asked, setting });
    });
  }

  /** Drops the run that is going on; what is seen of it stays. */
  function stop() {
    ask({ number: asked, setting: null });
    clearTimeout(slow);
    place.dataset.busy = "stopped";
    tell();
  }

  function hear(number, found, done) {
    if (place.dataset.busy === "stopped" && number === asked) return; // it was under way
    // between two tests only the number of steps is new
    const news = done || place.dataset.shown !== String(number) || found.frames.length > known.frames.length;
    known = found;
    place.dataset.shown = number;
    if (done) {
      const { n, p } = known.setting;
      trail.push({ ratio: p / n, load: theory.signalLoad(known.setting), word: stateWord(known) });
    }
    if (done && number === asked) {
      clearTimeout(slow);
      place.dataset.busy = place.dataset.slow = "no";
      place.dataset.finished = 1 + Number(place.dataset.finished ?? 0);
      clearTimeout(saying);
      saying = setTimeout(() => (status.textContent = verdict.textContent), 500); // not while somebody drags
    }
    if (news) {
      drawResult();
      drawPlace();
    }
    tell();
  }

  /** What came out, in a word; or how far it is. */
  function tell() {
    const { busy, slow, shown } = place.dataset, current = shown === String(asked);
    const steps = current ? known.at.at(-1) : 0, all = state.steps;
    progress.value = steps / all;
    done.textContent = `${grouped(steps)} of ${grouped(all)} steps`;
    cancel.textContent = busy === "yes" ? "Cancel" : "Start again";
    place.dataset.stale = current ? "no" : "yes";
    if (!known) return;
    if (busy === "stopped") {
      word.textContent = "stopped";
      why.textContent = current ? "Below is what was reached." : "Nothing was reached; below is the run before.";
    } else if (slow === "yes") {
      word.textContent = "training";
      why.textContent = current ? "Below is what is reached so far." : "Below is still the run before.";
    } else {
      const { flips, setting, testPoints, seconds } = known, [low, high] = known.testIntervals.at(-1);
      const missed = known.flippedErrors.at(-1) + known.cleanErrors.at(-1);
      word.textContent = stateWord(known);
      why.textContent = (missed ? `${missed} of ${setting.n} training labels are not fitted, ` : `All ${setting.n} training labels are fitted, `) +
        `of which ${flips} are wrong. New points missed: ${percent(known.testErrors.at(-1) / testPoints)} ` +
        `(95${"\u202f"}% interval ${percent(low)} to ${percent(high)}); by averaging: ${percent(theory.averagingError(setting))}. ` +
        `Computed in ${seconds.toPrecision(2)} s.`;
    }
  }

  function drawPlace() {
    const setting = settingOf(state);
    const [index, load, wall] = [theory.signalIndex(setting), theory.signalLoad(setting), theory.firstStepWall(setting)];
    drawMap(map, { ratio: state.p / state.n, load, index, wall, trail });
    const current = known && place.dataset.shown === String(asked);
    numbers.replaceChildren(...[
      ["signal index S = n‖μ‖⁴/p", number(index)],
      ["signal load λ = n‖μ‖²/p", number(load)],
      ["wall 1/(1−2η)", number(wall)],
      ["averaging, closed form", percent(theory.averagingError(setting))],
      ["size of the outputs at the start", current ? number(known.initialOutput) : "…"],
      ["‖W − W₀‖ / ‖W₀‖", current ? number(known.lengths.distance / known.initialLengths.norm) : "…"],
    ].map(([words, value]) => html("div", {}, html("dt", {}, words), html("dd", {}, value))));
  }

  let mark = () => {};
  function drawResult() {
    if (!known) return;
    mark = drawCurves(curves, known, theory.averagingError(known.setting));
    drawFrame();
  }

  function drawFrame() {
    if (!known) return;
    const shown = Math.min(at, known.frames.length - 1), frame = Math.floor(shown), time = known.testedAt[frame];
    drawCloud(cloud, known, shown);
    mark(time);
    scrub.max = known.inAll - 1;
    scrub.value = frame;
    step.textContent = `step ${grouped(time)}`;
    scrub.setAttribute("aria-valuetext", step.textContent);
    const then = known.at.indexOf(time), rights = known.setting.n - known.flips;
    const missed = {
      clean: `${known.cleanErrors[then]} of ${rights}`,
      flipped: `${known.flippedErrors[then]} of ${known.flips}`,
      fresh: percent(known.testErrors[frame] / known.testPoints),
    };
    key.replaceChildren(...Object.entries(KINDS).map(([name, { words, kind, mark }]) => {
      const swatch = document.createElementNS("http://www.w3.org/2000/svg", "svg");
      for (const [key, value] of Object.entries({ class: "live-swatch", viewBox: "-6 -6 12 12", "aria-hidden": "true" }))
        swatch.setAttribute(key, value);
      swatch.innerHTML = `<path d="${mark(4)}" class="live-point ${kind}"></path>`;
      return html("li", {}, swatch, `${words}: missed `, html("strong", {}, missed[name]));
    }));
  }

  const ask = elsewhere(hear);

  /* the address holds the setting */
  function address() {
    const fragment = fragmentOf(state);
    const now = location.hash.slice(1);
    if (fragment !== now) history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
  }

  function show() {
    place.scrollIntoView({ behavior: calm.matches ? "auto" : "smooth", block: "start" });
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
  turn(0);
  present();
  complain(wrong);
  if (named) show();
  if (calm.matches) return;
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    start(0);
  }, { threshold: 0.6 });
  seen.observe(cloud);
}

open(document.querySelector(".live"), JSON.parse(document.querySelector("script[data-live-presets]").textContent));
