// Tiles and points of a figure that answer to pointer, finger and arrow keys. Without this script the picture stands alone.
(() => {
  "use strict";

  const REACH = 24; // pixels from a mark within which a pointer means it
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  const make = (name, className, attributes = {}) => {
    const element = document.createElement(name);
    element.className = className;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };

  const centre = ([x, y, width, height]) => [x + width / 2, y + height / 2];

  /** How far a point, in pixels, is from a mark; zero inside it. */
  const distance = ([x, y, width, height], px, py, box) => {
    const beyond = (at, from, size) => Math.max(from - at, at - from - size, 0);
    return Math.hypot(beyond(px, x * box.width, width * box.width), beyond(py, y * box.height, height * box.height));
  };

  /** The mark that lies next in a direction: near along it, and hardly beside it. */
  const next = (marks, from, [dx, dy], box) => {
    const [x, y] = centre(marks[from].here);
    let best = from;
    let least = Infinity;
    marks.forEach((mark, index) => {
      const [cx, cy] = centre(mark.here);
      const [right, down] = [(cx - x) * box.width, (cy - y) * box.height];
      const along = right * dx + down * dy;
      const beside = Math.abs(right * dy) + Math.abs(down * dx);
      if (along > 0.5 && beside <= 1.5 * along && along + 3 * beside < least) [best, least] = [index, along + 3 * beside];
    });
    return best;
  };

  const commandLine = (words, command) => {
    const line = make("p", "explore-command");
    const code = make("code", "");
    code.textContent = command;
    const button = make("button", "", { type: "button", "aria-label": `copy the command for ${words}` });
    button.textContent = "copy";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "copied";
        setTimeout(() => (button.textContent = "copy"), 2000);
      } catch {
        getSelection().selectAllChildren(code); // what is selected can be copied by hand
      }
    });
    line.append(`${words}: `, code, " ", button);
    return [line, code];
  };

  const explore = (panel) => {
    const figure = panel.closest("figure");
    const image = figure.querySelector("img.published");
    const { marks, whole } = JSON.parse(panel.querySelector("script").textContent);
    const hint = panel.querySelector(".explore-hint");
    const stage = make("div", "explore-stage");
    const list = make("div", "explore-marks", {
      role: "listbox", tabindex: "0", "aria-describedby": hint.id,
      "aria-label": `what the ${marks.length} marks of this figure stand for`,
    });
    const picture = image.closest("picture");
    picture.replaceWith(stage);
    stage.append(picture, list);
    const options = marks.map((mark, index) => {
      return make("div", "", {
        role: "option", id: `${figure.id}-mark-${index}`, "aria-selected": "false", "aria-label": mark.setting,
      });
    });
    // the picture has a narrow version, in which the marks are elsewhere
    const telephone = matchMedia(picture.querySelector("source").media);
    const place = () => marks.forEach((mark, index) => {
      mark.here = telephone.matches ? mark.narrow : mark.at;
      ["left", "top", "width", "height"].forEach((side, at) => (options[index].style[side] = `${100 * mark.here[at]}%`));
    });
    place();
    telephone.addEventListener("change", place);
    list.append(...options);

    const setting = make("p", "explore-setting");
    const said = make("p", "explore-numbers", { role: "status" });
    const [own, code] = commandLine("this mark alone", "");
    const [all] = commandLine("the whole chapter", whole);
    const told = make("div", "explore-told", { hidden: "" });
    told.append(setting, said, own, all);
    panel.append(told);
    panel.hidden = false;

    let current = -1;
    let pinned = false;
    const show = (index) => {
      if (index === current) return;
      if (current >= 0) options[current].setAttribute("aria-selected", "false");
      current = index;
      options[index].setAttribute("aria-selected", "true");
      list.setAttribute("aria-activedescendant", options[index].id);
      setting.textContent = marks[index].setting;
      said.textContent = `${[...marks[index].numbers, marks[index].seeds].join("; ")}.`;
      code.textContent = marks[index].command;
      told.hidden = false;
    };
    const pin = (wanted) => {
      pinned = wanted;
      list.classList.toggle("pinned", pinned);
    };
    const under = (event) => {
      const box = list.getBoundingClientRect();
      const far = marks.map((mark) => distance(mark.here, event.clientX - box.left, event.clientY - box.top, box));
      const nearest = far.indexOf(Math.min(...far));
      return far[nearest] <= REACH ? nearest : -1;
    };

    list.addEventListener("pointermove", (event) => {
      if (pinned || event.pointerType === "touch") return;
      const index = under(event);
      if (index >= 0) show(index);
    });
    // a click keeps a mark while the pointer travels to its command; a second one lets it go
    list.addEventListener("click", (event) => {
      const index = under(event);
      pin(index >= 0 && !(pinned && index === current));
      if (index >= 0) show(index);
    });
    list.addEventListener("focus", () => {
      if (current < 0 && list.matches(":focus-visible")) show(0);
    });
    list.addEventListener("keydown", (event) => {
      const last = marks.length - 1;
      const places = {
        Home: () => 0,
        End: () => last,
        PageUp: () => Math.max(current - 1, 0),
        PageDown: () => Math.min(current + 1, last),
      };
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (event.key === "Escape") pin(false);
      else if (event.key === "Enter" || event.key === " ") pin(!pinned);
      else if (event.key in ARROWS) show(next(marks, Math.max(current, 0), ARROWS[event.key], list.getBoundingClientRect()));
      else if (event.key in places) show(places[event.key]());
      else return;
      event.preventDefault();
      options[Math.max(current, 0)].scrollIntoView({ block: "nearest", inline: "nearest" });
    });
  };

  document.addEventListener("DOMContentLoaded", () => document.querySelectorAll(".explorer").forEach(explore));
})();
