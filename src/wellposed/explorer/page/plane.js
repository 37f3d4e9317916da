"use strict";
// The plane of two latents: points and grid on a canvas, drawn once; what moves is above them in SVG.
const NEAR = 12; // pixels between a click and the point that it means
const STILL = 4; // pixels that a click may move
const STEP = 0.1, LEAP = 0.5; // of an arrow key, and with Shift
const HOLDS = [1.96, 2.448]; // σ that hold 95 % of a normal distribution, in one dimension and in two

// `here` tells where z is now: what is drawn may be a frame behind.
export function plane(element, facts, { here, moved, picked }) {
  const points = facts.points ?? [];
  const flat = facts.latents.length < 2;
  const hold = HOLDS[flat ? 0 : 1];
  const at = (point) => [point[0], flat ? 0 : point[1]];
  const canvas = element.querySelector("canvas");
  const svg = element.querySelector("svg");
  const reach = facts.reach;

  svg.setAttribute("viewBox", `${-reach} ${-reach} ${2 * reach} ${2 * reach}`);
  const drawn = (tag, kind) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    node.setAttribute("class", kind);
    svg.append(node);
    return node;
  };
  if (!facts.prior) drawn("circle", "prior").setAttribute("r", hold);
  const ellipse = drawn("ellipse", "posterior");
  const mark = drawn("path", "cross");

  function paint() {
    const style = getComputedStyle(element);
    const size = Math.round(element.clientWidth * devicePixelRatio);
    if (!size) return;
    canvas.width = canvas.height = size;
    const pen = canvas.getContext("2d");
    const [right, down] = [(x) => (x / reach + 1) * 0.5 * size, (y) => (1 - y / reach) * 0.5 * size];
    const every = reach > 12 ? Math.ceil(reach / 6) : 1;
    for (let line = -Math.floor(reach / every) * every; line <= reach; line += every) {
      pen.fillStyle = style.getPropertyValue(line === 0 ? "--quiet" : "--line");
      pen.fillRect(right(line), 0, 1, size);
      pen.fillRect(0, down(line), size, 1);
    }
    pen.fillStyle = style.getPropertyValue("--quiet");
    for (const point of facts.prior ?? []) {
      const [x, y] = at(point);
      pen.fillRect(right(x), down(y), devicePixelRatio, devicePixelRatio);
    }
    const radius = (points.length > 500 ? 1.7 : 2.6) * devicePixelRatio;
    points.forEach((point, i) => {
      const [x, y] = at(point);
      pen.fillStyle = style.getPropertyValue(facts.labels ? `--class${facts.labels[i]}` : "--point");
      pen.beginPath();
      pen.arc(right(x), down(y), radius, 0, 2 * Math.PI);
      pen.fill();
    });
  }
  new ResizeObserver(paint).observe(element);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);

  function show(x, y) {
    const arm = reach / 25;
    mark.setAttribute("d", `M${x - arm} ${-y}h${2 * arm}M${x} ${-y - arm}v${2 * arm}`);
  }

  function nearest(x, y, within = Infinity) {
    let [best, found] = [within, -1];
    points.forEach((point, i) => {
      const [across, up] = at(point);
      const distance = Math.hypot(across - x, up - y);
      if (distance <= best) [best, found] = [distance, i];
    });
    return found;
  }

  const where = (event) => {
    const box = element.getBoundingClientRect();
    const inside = (share) => Math.min(1, Math.max(0, share));
    return [
      (2 * inside((event.clientX - box.left) / box.width) - 1) * reach,
      flat ? 0 : (1 - 2 * inside((event.clientY - box.top) / box.height)) * reach,
    ];
  };
  let start = null;
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    element.setPointerCapture(event.pointerId);
    start = { x: event.clientX, y: event.clientY, still: true };
    moved(...where(event), event.timeStamp);
  });
  // Where it is known: not held back until the next frame, as pointermove is.
  const move = "onpointerrawupdate" in element ? "pointerrawupdate" : "pointermove";
  element.addEventListener(move, (event) => {
    if (!start) return;
    if (Math.hypot(event.clientX - start.x, event.clientY - start.y) > STILL) start.still = false;
    moved(...where(event), event.timeStamp);
  });
  element.addEventListener("pointerup", (event) => {
    const clicked = start?.still;
    start = null;
    const found = nearest(...where(event), (NEAR / element.clientWidth) * 2 * reach);
    if (clicked && found >= 0) picked(found);
  });
  element.addEventListener("pointercancel", () => { start = null; });
  element.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const step = event.shiftKey ? LEAP : STEP;
    const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    const inside = (value) => Math.min(reach, Math.max(-reach, value));
    if (event.key in moves) {
      const [across, up] = moves[event.key];
      const [x, y] = here();
      moved(inside(x + across), inside(y + up), event.timeStamp);
    } else if (event.key === "Home") moved(0, 0, event.timeStamp);
    else if (event.key === "Enter" && points.length) picked(nearest(...here()));
    else return;
    event.preventDefault();
  });

  return {
    show,
    ring(mean, scale) {
      ellipse.setAttribute("cx", mean[0]);
      ellipse.setAttribute("cy", flat ? 0 : -mean[1]);
      ellipse.setAttribute("rx", hold * scale[0]);
      ellipse.setAttribute("ry", flat ? 0.02 * reach : hold * scale[1]);
    },
  };
}
