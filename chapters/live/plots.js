/* The three pictures of the live experiment, as SVG drawn anew for every result: the parts of margins, errors against
   steps, and the place on the map. Colours and dashes come from live.css by class. It imports nothing. */

const SPACE = "\u202f";

/** An SVG element; children may be texts. */
function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

/** A drawing of the host's width, in CSS pixels, so that letters have the same size on every screen. */
function sheet(host, height, description) {
  const width = Math.max(host.clientWidth, 240);
  const root = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": description });
  host.replaceChildren(root);
  return { root, width, height };
}

function text(x, y, words, anchor = "start", kind = "") {
  return svg("text", { x: x.toFixed(1), y: y.toFixed(1), "text-anchor": anchor, class: kind }, words);
}

function line(x1, y1, x2, y2, kind) {
  const [a, b, c, d] = [x1, y1, x2, y2].map((value) => value.toFixed(1));
  return svg("line", { x1: a, y1: b, x2: c, y2: d, class: kind });
}

function path(points, kind, close = "") {
  const corners = points.map((point) => point.map((value) => value.toFixed(1)).join(" "));
  return svg("path", { d: `M${corners.join("L")}${close}`, class: kind });
}

/** 10 to an integer power, as people write it. */
export function power(exponent) {
  const raised = String(exponent).replace("-", "⁻").replace(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]);
  return exponent === 0 ? "1" : exponent === 1 ? "10" : `10${raised}`;
}

/** A number with up to three digits that count. */
export function number(value) {
  const size = Math.abs(value);
  if (size === 0 || (size >= 0.001 && size < 100000)) return `${Number(value.toPrecision(3))}`.replace("-", "−");
  const [factor, exponent] = value.toExponential(size < 1 && Number(value.toPrecision(1)) === value ? 0 : 1).split("e");
  return `${Number(factor)}·${power(Number(exponent))}`.replace("-", "−").replace(/^1·/, "");
}

/** A share as a percentage, with two digits that count. */
export function percent(share) {
  const value = 100 * share;
  if (value === 0) return `0${SPACE}%`;
  if (value < 0.001) return `<${SPACE}0.001${SPACE}%`;
  return `${value >= 10 ? value.toFixed(0) : value >= 1 ? value.toFixed(1) : value.toPrecision(1)}${SPACE}%`;
}

/** Labels of given heights, moved apart so that none covers another. */
function apart(labels, least, top, bottom) {
  labels.sort((a, b) => a.y - b.y);
  for (let round = 0; round < 40; round++) {
    for (let i = 1; i < labels.length; i++) {
      const excess = least - (labels[i].y - labels[i - 1].y);
      if (excess > 0) {
        labels[i - 1].y -= excess / 2;
        labels[i].y += excess / 2;
      }
    }
    for (const label of labels) label.y = Math.min(Math.max(label.y, top), bottom);
  }
  return labels;
}

/* Kinds of points: what they are called, and how their marks look. */
export const KINDS = {
  clean: { words: "training, right label", kind: "live-right", mark: (r) => `M0 ${-r}L${r} ${r}H${-r}Z` },
  flipped: { words: "training, wrong label", kind: "live-wrong", mark: (r) => `M${-r} ${-r}H${r}V${r}H${-r}Z` },
  fresh: { words: "new points", kind: "live-test", mark: (r) => `M${-r} 0A${r} ${r} 0 1 1 ${r} 0A${r} ${r} 0 1 1 ${-r} 0Z` },
};

/** Evidence to the right and memory upwards, one mark a point, at a place between two frames of a run. */
export function drawCloud(host, { frames, flipped, flips, setting, testedAt }, place) {
  const from = Math.floor(place), next = Math.min(from + 1, frames.length - 1);
  const between = (part, k) => frames[from][part][k] + (place - from) * (frames[next][part][k] - frames[from][part][k]);
  const points = Array.from(frames[0].evidence, (_, k) => {
    const kind = k >= setting.n ? "fresh" : flipped[k] ? "flipped" : "clean";
    return { kind, evidence: between("evidence", k), memory: between("memory", k) };
  });
  const ends = (part) => frames.reduce(([low, high], frame) =>
    [Math.min(low, ...frame[part]), Math.max(high, ...frame[part])], [0, 0]);
  const about = (part, kind) => {
    const values = points.filter((point) => point.kind === kind).map((point) => point[part]);
    return values.length ? number(values.reduce((sum, value) => sum + value) / values.length) : "none";
  };
  const { root, width, height } = sheet(host, host.clientWidth < 420 ? 260 : 330,
    `Memory against evidence at step ${testedAt[from]}, means: ` + Object.entries(KINDS).map(([kind, { words }]) =>
      `${words}: evidence ${about("evidence", kind)}, memory ${about("memory", kind)}`).join("; "));
  const left = 46, right = width - 8, top = 8, bottom = height - 40;
  const scale = ([low, high], start, end) => {
    const room = 0.06 * (high - low) || 1;
    return (value) => start + ((end - start) * (value - low + room)) / (high - low + 2 * room);
  };
  const across = scale(ends("evidence"), left, right), up = scale(ends("memory"), bottom, top);
  const frame = { x: left, y: top, width: right - left, height: bottom - top };
  const ground = svg("g", { "clip-path": "url(#live-cloud-frame)" });
  root.append(svg("clipPath", { id: "live-cloud-frame" }, svg("rect", frame)), ground, svg("rect", { ...frame, class: "live-frame" }));
  // the line where memory makes up for what evidence says: below it a point is missed
  const far = (x) => (Math.min(Math.max(x, -1e7), 1e7));
  const unit = across(1) - across(0), steep = (up(1) - up(0)) / unit, reach = right - left;
  const line1 = [across(0) - reach, far(up(0) + steep * reach)], line2 = [across(0) + reach, far(up(0) - steep * reach)];
  ground.append(path([line1, line2, [line2[0], 2e7], [line1[0], 2e7]], "live-missed", "Z"));
  axis(root, across, [left, right], 70, (x, words) => [line(x, bottom, x, bottom + 4, "live-axis"), text(x, bottom + 17, words, "middle", "live-tick")]);
  axis(root, up, [bottom, top], 40, (y, words) => [line(left - 4, y, left, y, "live-axis"), text(left - 6, y + 4, words, "end", "live-tick")]);
  ground.append(line(across(0), top, across(0), bottom, "live-grid"), line(left, up(0), right, up(0), "live-grid"),
    path([line1, line2], "live-line live-averaging"));
  const size = points.length > 160 ? 2.6 : 3.4;
  for (const kind of ["fresh", ...(flips < setting.n ? ["clean"] : []), "flipped"])
    for (const point of points.filter((one) => one.kind === kind))
      ground.append(svg("path", { d: KINDS[kind].mark(size), class: `live-point ${KINDS[kind].kind}`,
        transform: `translate(${across(point.evidence).toFixed(1)} ${up(point.memory).toFixed(1)})` }));
  root.append(text(left + 6, bottom - 7, "missed", "start", "live-mark"),
    text((left + right) / 2, height - 6, "evidence: the part along the signal →", "middle", "live-label"));
  const label = text(12, (top + bottom) / 2, "memory: the part along the noise →", "middle", "live-label");
  label.setAttribute("transform", `rotate(-90 12 ${(top + bottom) / 2})`);
  root.append(label);
}

/** Ticks at round numbers, about so many pixels apart, along an axis with a scale. */
function axis(root, scale, [start, end], apart, draw) {
  const unit = (scale(1) - scale(0)), step = niceStep(apart / Math.abs(unit));
  const [low, high] = [start, end].map((place) => (place - scale(0)) / unit);
  for (let k = Math.ceil(low / step); k * step <= high; k++) root.append(...draw(scale(k * step), number(k * step)));
}

/** Errors against gradient steps, and a function that marks a step in them. The axis of errors is that of their square
    roots: 1 % and 0 % can be told apart. */
export function drawCurves(host, known, averaging) {
  const { setting, flips } = known, rights = setting.n - flips;
  const points = known.testPoints;
  const last = known.at.length - 1;
  const { root, width, height } = sheet(host, host.clientWidth < 360 ? 210 : 270,
    `Errors against gradient steps, now at step ${known.at[last]}: training error on the right labels ` +
    `${percent(known.cleanErrors[last] / rights)}, on the wrong labels ` +
    `${flips ? percent(known.flippedErrors[last] / flips) : "none, for there are none"}, test error ` +
    `${percent(known.testErrors.at(-1) / points)}, that of averaging ${percent(averaging)}.`);
  const left = 44, right = width - 98, top = 10, bottom = height - 40;
  const across = (step) => left + ((right - left) * Math.log1p(step)) / Math.log1p(setting.steps);
  const up = (share) => bottom - (bottom - top) * Math.sqrt(share);
  for (const share of [0, 0.01, 0.05, 0.1, 0.25, 0.5, 1])
    root.append(line(left, up(share), right, up(share), "live-grid"),
      text(left - 5, up(share) + 4, `${100 * share}${SPACE}%`, "end", "live-tick"));
  for (let step = 1; step <= 1 + setting.steps; step *= 10)
    root.append(line(across(step - 1), bottom, across(step - 1), bottom + 4, "live-axis"),
      text(across(step - 1), bottom + 17, step.toLocaleString("en").replaceAll(",", SPACE), "middle", "live-tick"));
  root.append(line(left, bottom, right, bottom, "live-axis"),
    text((left + right) / 2, height - 6, "1 + gradient steps", "middle", "live-label"));

  const tested = known.testedAt.map(across);
  const ends = (side) => known.testIntervals.map((interval, i) => [tested[i], up(interval[side])]);
  root.append(path([...ends(1), ...ends(0).reverse()], "live-band", "Z"));
  const training = (errors, among) => errors.map((count, i) => [across(known.at[i]), up(count / among)]);
  const labels = [];
  function draw(curve, kind, words) {
    root.append(path(curve, `live-line ${kind}`));
    labels.push({ y: curve.at(-1)[1], kind, words });
  }
  draw([[left, up(averaging)], [right, up(averaging)]], "live-averaging", "averaging");
  draw(training(known.cleanErrors, rights), "live-right", "right labels");
  if (flips) draw(training(known.flippedErrors, flips), "live-wrong", "wrong labels");
  draw(known.testErrors.map((count, i) => [tested[i], up(count / points)]), "live-test", "test");
  for (const { y, kind, words } of apart(labels, 14, top + 4, bottom))
    root.append(text(right + 6, y + 4, words, "start", `live-name ${kind}`));
  const now = root.appendChild(line(0, top, 0, bottom, "live-now"));
  return (step) => now.setAttribute("transform", `translate(${across(step).toFixed(1)})`);
}

/** 1, 2 or 5 times a power of ten, not below the given length. */
function niceStep(length) {
  const unit = 10 ** Math.floor(Math.log10(length));
  return unit * ([1, 2, 5].find((factor) => factor * unit >= length) ?? 10);
}

/* What a run has left on the map, by the word for it. */
export const TRACES = {
  "memorised, harmless": (r) => `M${-r} 0A${r} ${r} 0 1 1 ${r} 0A${r} ${r} 0 1 1 ${-r} 0Z`,
  "memorised, harmful": (r) => `M${-r} ${-r}H${r}V${r}H${-r}Z`,
  "not memorised": (r) => `M${-r} ${-r}L${r} ${r}M${-r} ${r}L${r} ${-r}`,
};

/** Where a setting lies, and where those before it: dimension over sample size against signal load, the map of the
    chapter on the assumptions. */
export function drawMap(host, { ratio, load, index, wall, trail }) {
  const { root, width, height } = sheet(host, 270,
    `Map: p over n is ${ratio.toPrecision(2)}, the signal load ${load.toPrecision(2)}, the signal index ` +
    `${index.toPrecision(2)}, and the wall stands at the load ${wall.toPrecision(2)}.`);
  const left = 48, right = width - 8, top = 8, bottom = height - 40;
  const [xLow, xHigh, yLow, yHigh] = [-1, 8.5, -4.5, 2.5];
  const across = (x) => left + ((right - left) * (Math.log10(x) - xLow)) / (xHigh - xLow);
  const down = (y) => bottom - ((bottom - top) * (Math.log10(y) - yLow)) / (yHigh - yLow);
  const inside = ([x, y]) => [Math.min(Math.max(x, left), right), Math.min(Math.max(y, top), bottom)];
  const frame = { x: left, y: top, width: right - left, height: bottom - top };
  const clip = svg("clipPath", { id: "live-map-frame" }, svg("rect", frame));
  const ground = svg("g", { "clip-path": "url(#live-map-frame)" });
  root.append(clip, ground);
  const end = 10 ** xHigh, start = 10 ** xLow;
  const diagonal = (s) => [[across(start), down(Math.sqrt(s / start))], [across(end), down(Math.sqrt(s / end))]];
  ground.append(
    path([...diagonal(10), [across(end), bottom + 9], [across(start), bottom + 9]], "live-region", "Z"),
    svg("rect", { ...frame, height: Math.max(down(wall) - top, 0), class: "live-region" }));
  const slant = (Math.atan2((bottom - top) / (yHigh - yLow) / 2, (right - left) / (xHigh - xLow)) * 180) / Math.PI;
  for (const [s, at, lift] of [[1, 30, 14], [10, 3e3, 14], [100, 3e6, -5]]) {
    const [x, y] = [across(at), down(Math.sqrt(s / at)) + lift];
    const label = text(x, y, `S = ${s}`, "middle", "live-mark");
    label.setAttribute("transform", `rotate(${slant.toFixed(1)} ${x.toFixed(1)} ${y.toFixed(1)})`);
    ground.append(path(diagonal(s), s === 10 ? "live-border" : "live-contour"), label);
  }
  ground.append(line(left, down(wall), right, down(wall), "live-border"));
  ground.append(text(right - 4, top + 13, "beyond the wall: wrong labels are outvoted", "end", "live-place"),
    text(right - 4, down(wall) + 14, "λ = 1/(1−2η)", "end", "live-mark"),
    text(right - 4, down(wall) + 29, "memory is harmless", "end", "live-place"),
    text(left + 6, bottom - 8, "too little signal", "start", "live-place"));
  for (let k = Math.ceil(xLow); k <= xHigh; k += width < 330 ? 2 : 1)
    root.append(line(across(10 ** k), bottom, across(10 ** k), bottom + 4, "live-axis"),
      text(across(10 ** k), bottom + 17, power(k), "middle", "live-tick"));
  for (let k = Math.ceil(yLow); k <= yHigh; k++)
    root.append(line(left - 4, down(10 ** k), left, down(10 ** k), "live-axis"),
      text(left - 6, down(10 ** k) + 4, power(k), "end", "live-tick"));
  root.append(svg("rect", { ...frame, class: "live-frame" }),
    text((left + right) / 2, height - 6, "p / n", "middle", "live-label"),
    text(9, down(10 ** -0.5) + 4, "λ", "middle", "live-label"));
  for (const { word, ...past } of trail)
    ground.append(svg("path", { d: TRACES[word](3), class: `live-trace ${word === "memorised, harmful" ? "live-full" : ""}`,
      transform: `translate(${across(past.ratio).toFixed(1)} ${down(past.load).toFixed(1)})` }));
  const place = [across(ratio), down(load)], [x, y] = inside(place);
  root.append(svg("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 6, class: "live-here" }));
  if (x !== place[0] || y !== place[1])
    root.append(text(Math.min(Math.max(x, left + 40), right - 40), y < top + 40 ? y + 20 : y - 10, "off the map",
      "middle", "live-name"));
}
