// A moving picture: a file of frames, of which the address of the picture shows one. It plays once when it is first seen,
// unless the reader wants no motion, and then stands at its end.
const PAUSE = 450; // milliseconds a frame

function player(box) {
  const names = JSON.parse(box.dataset.frames);
  const picture = box.previousElementSibling.querySelector("img");
  const versions = [[picture, "src"], [picture.previousElementSibling, "srcset"]].map(
    ([element, name]) => [element, name, element.getAttribute(name)],
  );
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const button = Object.assign(document.createElement("button"), { type: "button" });
  const slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: names.length - 1 });
  const said = document.createElement("output");
  slider.setAttribute("aria-label", "Frame of the picture");
  box.append(button, slider, said);
  let timer = null;

  function show(frame) {
    slider.value = frame;
    said.value = names[frame];
    slider.setAttribute("aria-valuetext", names[frame]);
    for (const [element, name, address] of versions) element.setAttribute(name, `${address}#frame-${frame}`);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
  }

  function play() {
    let frame = Number(slider.value) === names.length - 1 ? 0 : Number(slider.value);
    show(frame);
    button.textContent = "Pause";
    timer = setInterval(() => {
      frame += 1;
      show(frame);
      if (frame === names.length - 1) stop();
    }, PAUSE);
  }

  button.addEventListener("click", () => (timer ? stop() : play()));
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  stop();
  show(names.length - 1);
  box.hidden = false;
  const seen = new IntersectionObserver((entries) => {
    if (!entries.some((entry) => entry.isIntersecting)) return;
    seen.disconnect();
    play();
  }, { threshold: 0.6 });
  if (!still) seen.observe(picture);
  // a picture may be seen first on paper, where it must not begin to move
  addEventListener("beforeprint", () => { seen.disconnect(); stop(); show(names.length - 1); });
}

document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".player").forEach(player));
