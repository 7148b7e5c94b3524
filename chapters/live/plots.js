/* The three pictures of the live experiment, as SVG drawn anew for every result: errors against steps, margins, and the
   place on the map. Colours and dashes come from assets/css/live.css by class. It imports nothing. */

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

/** Errors against gradient steps. The axis of errors is that of their square roots: 1 % and 0 % can be told apart. */
export function drawCurves(host, known, averaging) {
  const { setting, flips } = known, rights = setting.n - flips;
  const points = known.freshMargins.length;
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
}

/** Margins y f(x) at the end: one mark a sample, and a histogram of the fresh points on a scale of its own, for in high
    dimension their margins are far smaller. Zero is at one place in both. */
export function drawMargins(host, known) {
  const { margins, flipped, freshMargins, flips } = known;
  const of = (wrong) => Array.from(margins).filter((_, i) => flipped[i] === wrong);
  const ends = (values) => [Math.min(...values), Math.max(...values)];
  const about = (values) => (values.length ? `from ${ends(values).map((u) => u.toPrecision(2)).join(" to ")}` : "none");
  const { root, width, height } = sheet(host, 280,
    `Margins after the last step: right labels ${about(of(false))}, wrong labels ${about(of(true))}; ` +
    `${percent(known.testErrors.at(-1) / freshMargins.length)} of the fresh points have no positive one.`);
  const left = 8, right = width - 8, top = 6, bottom = height - 40, middle = 142;
  const sorted = freshMargins.slice().sort(), tail = Math.floor(sorted.length / 500);
  const [ofSamples, ofFresh] = [ends(margins), [sorted[tail], sorted.at(-1 - tail)]].map(([low, high]) => {
    const room = 0.05 * (Math.max(high, 0) - Math.min(low, 0)) || 1;
    return [Math.min(low, 0) - room, Math.max(high, 0) + room];
  });
  const share = ([low, high]) => -low / (high - low); // of the axis, left of zero
  const zero = left + (right - left) * Math.max(share(ofSamples), share(ofFresh));
  const scale = ([low, high]) => {
    const unit = Math.min((right - zero) / high, (zero - left) / -low);
    return (u) => zero + unit * u;
  };
  const across = scale(ofSamples), acrossFresh = scale(ofFresh);
  root.append(svg("rect", { x: left, y: top, width: zero - left, height: bottom - top, class: "live-missed" }));

  const row = (middle - top) / 2, none = flips ? "" : ": none";
  const rows = [[false, "right labels", "live-right"], [true, `wrong labels${none}`, "live-wrong"]];
  rows.forEach(([wrong, words, kind], which) => {
    const above = top + which * row;
    root.append(text(right, above + 13, words, "end", `live-name ${kind}`));
    Array.from(margins).forEach((u, i) => {
      if (flipped[i] !== wrong) return;
      const x = across(u), y = above + 22 + ((i * 0.618034) % 1) * (row - 30), r = margins.length > 100 ? 2.5 : 3.5;
      const cross = `M${x - r} ${y - r}l${2 * r} ${2 * r}M${x - r} ${y + r}l${2 * r} ${-2 * r}`;
      root.append(wrong
        ? svg("path", { d: cross, class: "live-cross" })
        : svg("circle", { cx: x, cy: y, r, class: "live-dot" }));
    });
  });
  const bins = 60, counts = new Array(bins).fill(0), wide = (right - left) / bins;
  for (const u of freshMargins) counts[Math.min(Math.max(Math.floor((acrossFresh(u) - left) / wide), 0), bins - 1)]++;
  const tallest = Math.max(...counts);
  const outline = counts.flatMap((count, bin) => {
    const y = bottom - ((bottom - middle - 40) * count) / tallest;
    return [[left + bin * wide, y], [left + (bin + 1) * wide, y]];
  });
  root.append(path([[left, bottom], ...outline, [right, bottom]], "live-histogram", "Z"),
    text(right, middle + 36, "fresh points", "end", "live-name live-test"));
  for (const [place, at] of [[across, middle], [acrossFresh, bottom]]) {
    const unit = (place(1) - zero) || 1, step = niceStep((width < 400 ? 60 : 90) / unit);
    for (let k = Math.ceil((left - zero) / unit / step); zero + k * step * unit <= right; k++) {
      const x = zero + k * step * unit;
      root.append(line(x, at, x, at + 4, "live-axis"), text(x, at + 17, number(k * step), "middle", "live-tick"));
    }
    root.append(line(left, at, right, at, "live-axis"));
  }
  root.append(line(zero, top, zero, bottom, "live-zero"),
    text((left + right) / 2, height - 6, "margin y f(x), on two scales; left of zero: missed", "middle", "live-label"));
}

/** 1, 2 or 5 times a power of ten, not below the given length. */
function niceStep(length) {
  const unit = 10 ** Math.floor(Math.log10(length));
  return unit * ([1, 2, 5].find((factor) => factor * unit >= length) ?? 10);
}

/** Where a setting lies: dimension over sample size against signal load, the map of the chapter on the assumptions. */
export function drawMap(host, { n, ratio, load, index, wall }) {
  const { root, width, height } = sheet(host, 270,
    `Map: p over n is ${ratio.toPrecision(2)}, the signal load ${load.toPrecision(2)}, the signal index ` +
    `${index.toPrecision(2)}, and the wall stands at the load ${wall.toPrecision(2)}.`);
  const left = 40, right = width - 8, top = 8, bottom = height - 40;
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
    path([...diagonal(1), [across(end), bottom + 9], [across(start), bottom + 9]], "live-region", "Z"),
    svg("rect", { ...frame, height: Math.max(down(wall) - top, 0), class: "live-region" }),
    svg("rect", { ...frame, width: across(1) - left, class: "live-region" }));
  const slant = (Math.atan2((bottom - top) / (yHigh - yLow) / 2, (right - left) / (xHigh - xLow)) * 180) / Math.PI;
  for (const [s, at, lift] of [[1, 1e4, 15], [10, 3e7, 4], [100, 1e5, -5]]) {
    const [x, y] = [across(at), down(Math.sqrt(s / at)) + lift];
    const label = text(x, y, `S = ${s}`, "middle", "live-mark");
    label.setAttribute("transform", `rotate(${slant.toFixed(1)} ${x.toFixed(1)} ${y.toFixed(1)})`);
    ground.append(path(diagonal(s), s === 1 ? "live-border" : "live-contour"), label);
  }
  ground.append(line(left, down(wall), right, down(wall), "live-border"),
    line(left, down(2 * wall), right, down(2 * wall), "live-contour"),
    line(across(1), top, across(1), bottom, "live-border"),
    line(across(n * Math.log(n)), down(wall), across(n * Math.log(n)), bottom, "live-contour"));
  ground.append(text(right - 4, top + 13, "beyond the wall", "end", "live-place"),
    text(right - 4, down(wall) + 14, "λ = 1/(1−2η)", "end", "live-mark"),
    text(left + 6, bottom - 8, "too little signal", "start", "live-place"),
    text(across(1) + 4, top + 13, "p = n", "start", "live-mark"),
    text(across(n * Math.log(n)) + 4, bottom - 25, "p = n² log n", "start", "live-mark"));
  for (let k = Math.ceil(xLow); k <= xHigh; k += width < 330 ? 2 : 1)
    root.append(line(across(10 ** k), bottom, across(10 ** k), bottom + 4, "live-axis"),
      text(across(10 ** k), bottom + 17, power(k), "middle", "live-tick"));
  for (let k = Math.ceil(yLow); k <= yHigh; k++)
    root.append(line(left - 4, down(10 ** k), left, down(10 ** k), "live-axis"),
      text(left - 6, down(10 ** k) + 4, power(k), "end", "live-tick"));
  root.append(svg("rect", { ...frame, class: "live-frame" }),
    text((left + right) / 2, height - 6, "p / n", "middle", "live-label"));
  const place = [across(ratio), down(load)], [x, y] = inside(place);
  root.append(svg("circle", { cx: x.toFixed(1), cy: y.toFixed(1), r: 6, class: "live-here" }));
  if (x !== place[0] || y !== place[1])
    root.append(text(Math.min(Math.max(x, left + 40), right - 40), y < top + 40 ? y + 20 : y - 10, "off the map",
      "middle", "live-name"));
}
