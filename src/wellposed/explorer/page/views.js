"use strict";
// How data look: pictures, a table with a mark on a line each, or lines where features are many.
const MOST_NAMED = 60;

const made = (tag, parent, text) => {
  const node = document.createElement(tag);
  if (text !== undefined) node.textContent = text;
  parent.append(node);
  return node;
};
const short = (value) => (Number.isFinite(value) ? Number(value.toPrecision(4)).toString() : String(value));

// Both take titles of as many data as are shown, and return { bytes: of all, paint(buffer, offset) }.
export function view(parent, shown, titles) {
  if (shown.kind === "pictures") return pictures(parent, shown, titles);
  const size = shown.names.length;
  const paint = (size <= MOST_NAMED ? table : lines)(parent, shown, titles);
  return (buffer, offset = 0) => {
    const values = new Float32Array(buffer, offset, titles.length * size);
    paint(titles.map((_, i) => values.subarray(i * size, (i + 1) * size)));
  };
}

function pictures(parent, { width, height, channels }, titles) {
  const row = made("div", parent);
  row.className = "pictures";
  const pens = titles.map((title) => {
    const figure = made("figure", row);
    const canvas = made("canvas", figure);
    Object.assign(canvas, { width, height });
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", title);
    made("figcaption", figure, title);
    return canvas.getContext("2d");
  });
  const image = new ImageData(width, height);
  return (buffer, offset = 0) => {
    const size = width * height * channels;
    pens.forEach((pen, which) => {
      const values = new Uint8Array(buffer, offset + which * size, size);
      for (let i = 0; i < width * height; i += 1) {
        for (let c = 0; c < 3; c += 1) image.data[4 * i + c] = values[channels === 3 ? 3 * i + c : i];
        image.data[4 * i + 3] = 255;
      }
      pen.putImageData(image, 0, 0);
    });
  };
}

function table(parent, { names, low, high }, titles) {
  const wide = made("div", parent);
  wide.className = "wide";
  wide.tabIndex = 0;
  wide.setAttribute("role", "region");
  wide.setAttribute("aria-label", `Features: ${titles.join(", ")}`);
  const grid = made("table", wide);
  const head = made("tr", made("thead", grid));
  const heads = ["feature", "from low to high", ...titles].map((title) => made("th", head, title));
  heads.forEach((cell, i) => {
    cell.scope = "col";
    if (i > 1) cell.className = `series${i - 2}`;
  });
  const body = made("tbody", grid);
  const rows = names.map((name) => {
    const row = made("tr", body);
    made("th", row, name).scope = "row";
    const bar = made("td", row);
    bar.className = "bar";
    bar.innerHTML = '<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><line x2="100" y1="5" y2="5"/></svg>';
    const marks = titles.map((_, i) => {
      const mark = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      mark.setAttribute("class", `series${i}`);
      mark.setAttribute("width", 1.5);
      mark.setAttribute("height", 10 - 3 * i);
      mark.setAttribute("y", 1.5 * i);
      bar.firstChild.append(mark);
      return mark;
    });
    return { marks, cells: titles.map(() => made("td", row)) };
  });
  return (data) => rows.forEach(({ marks, cells }, j) => data.forEach((values, i) => {
    const share = (values[j] - low[j]) / (high[j] - low[j]);
    marks[i].setAttribute("x", 98.5 * Math.min(1, Math.max(0, share || 0)));
    cells[i].textContent = short(values[j]);
  }));
}

function lines(parent, { names, low, high }, titles) {
  const box = made("div", parent);
  box.className = "lines";
  const key = made("ul", box);
  key.className = "key";
  titles.forEach((title, i) => { made("li", key, `━ ${title}`).className = `series${i}`; });
  const canvas = made("canvas", box);
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", `Lines over ${names.length} features: ${titles.join(", ")}`);
  const under = made("p", box, `From ${names[0]} to ${names.at(-1)}.`);
  under.className = "quiet";
  const bottom = Math.min(...low), span = Math.max(...high) - bottom;
  let last = null;
  const paint = (data) => {
    last = data.map((values) => values.slice());
    const [width, height] = [canvas.clientWidth, canvas.clientHeight].map((s) => Math.round(s * devicePixelRatio));
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, width, height);
    pen.lineWidth = devicePixelRatio;
    last.forEach((values, i) => {
      pen.strokeStyle = getComputedStyle(key.children[i]).color;
      pen.beginPath();
      values.forEach((value, j) => pen.lineTo(
        ((j + 0.5) / names.length) * width, (0.95 - (0.9 * (value - bottom)) / span) * height));
      pen.stroke();
    });
  };
  canvas.addEventListener("pointermove", (event) => {
    const j = Math.min(names.length - 1, Math.max(0, Math.floor((event.offsetX / canvas.clientWidth) * names.length)));
    if (last) under.textContent = `${names[j]}: ${titles.map((t, i) => `${t} ${short(last[i][j])}`).join(", ")}`;
  });
  new ResizeObserver(() => { if (last) paint(last); }).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (last) paint(last); });
  return paint;
}
