"use strict";
import { plane } from "./plane.js";
import { slider } from "./sliders.js";
import { view } from "./views.js";

const SHOWN_SLIDERS = 8;
const one = (id) => document.getElementById(id);
const say = (text) => { one("status").textContent = text; };

async function post(name, value) {
  const headers = { "Content-Type": "application/json" };
  let reply;
  try {
    reply = await fetch(name, { method: "POST", headers, body: JSON.stringify(value) });
  } catch {
    throw new Error("The server does not answer. Start wellposed explore again.");
  }
  if (!reply.ok) throw new Error((await reply.json()).error);
  return reply.arrayBuffer();
}

const facts = await (await fetch("facts")).json();
const { latents } = facts;
const named = latents.map(({ index, weight }) => `latent ${index} (${(weight === null ? "?" : weight.toPrecision(3))} ${facts.unit})`);
// Latents in the model's own order; those on the plane are the first two of `latents`.
const state = { z: latents.map(() => 0), alpha: 1, draw: 0 };
const looks = view(one("looks"), facts.shown, ["mean", "one draw", "quantile"]);

// One question at a time, and always the last one: what came between is not asked.
let version = 0, busy = false, due = 0;
const tell = (name, detail) => document.dispatchEvent(new CustomEvent(name, { detail }));
function changed(at) {
  version += 1;
  tell("asked", { version, at });
  if (!busy) ask();
  if (!due) due = requestAnimationFrame(() => { due = 0; shown(); }); // a mouse tells of more moves than that
}
async function ask() {
  busy = true;
  try {
    for (let sent = 0; sent !== version;) {
      sent = version;
      looks(await post("look", state));
      tell("painted", { version: sent });
      say("");
    }
  } catch (error) {
    say(error.message);
  }
  busy = false;
}

// The parts.
const here = () => [state.z[latents[0].index], latents.length > 1 ? state.z[latents[1].index] : 0];
const map = plane(one("plane"), facts, {
  here,
  moved(x, y, at) {
    state.z[latents[0].index] = x;
    if (latents.length > 1) state.z[latents[1].index] = y;
    changed(at);
  },
  picked: pick,
});
const others = latents.slice(2).map(({ index }, i) => {
  const parent = one(i < SHOWN_SLIDERS ? "first" : "rest");
  return slider(parent, named[i + 2], Math.ceil(facts.reach), (value, at) => {
    state.z[index] = value;
    changed(at);
  });
});
function shown() {
  const [x, y] = here();
  map.show(x, y);
  one("where").textContent = latents.slice(0, 2).map(({ index }, i) => `z${index} = ${[x, y][i].toFixed(2)}`).join(", ");
  others.forEach((put, i) => put(state.z[latents[i + 2].index]));
  document.querySelector("output[for=alpha]").textContent = state.alpha.toFixed(2);
}
one("alpha").addEventListener("input", (event) => {
  state.alpha = Number(event.target.value);
  changed(event.timeStamp);
});
one("again").addEventListener("click", (event) => {
  state.draw = (state.draw + 1) % 2 ** 31;
  changed(event.timeStamp);
});
one("home").addEventListener("click", (event) => {
  state.z.fill(0);
  changed(event.timeStamp);
});

// A datum: where its posterior is, and what comes back from its mean.
const pair = facts.points && view(one("pair"), facts.shown, ["datum", "its reconstruction"]);
one("pair").hidden = true;
let picks = 0;
async function pick(datum) {
  const mine = (picks += 1);
  let bytes;
  try {
    bytes = await post("datum", { datum });
  } catch (error) {
    say(error.message);
    return;
  }
  if (mine !== picks) return; // another was chosen meanwhile
  const k = latents.length;
  const [mean, scale, rate] = [0, 1, 2].map((part) => new Float32Array(bytes, 4 * k * part, k));
  one("pair").hidden = one("posterior").hidden = false;
  pair(bytes, 12 * k);
  const plain = latents.map(({ index }) => index);
  map.ring(plain.slice(0, 2).map((i) => mean[i]), plain.slice(0, 2).map((i) => scale[i]));
  const label = facts.labels ? `, class ${facts.classes[facts.labels[datum]]}` : "";
  const total = rate.reduce((sum, value) => sum + value, 0);
  one("chosen").textContent = `Row ${facts.rows[datum]}${label}: the rates of the latents add up to ${total.toPrecision(4)} nats.`;
  one("posterior").querySelector("tbody").replaceChildren(...plain.map((i) => {
    const row = document.createElement("tr");
    const head = document.createElement("th");
    head.scope = "row";
    head.textContent = i;
    row.append(head);
    for (const value of [mean[i], scale[i], rate[i]]) row.insertCell().textContent = value.toPrecision(3);
    return row;
  }));
  state.z = [...mean];
  changed(performance.now());
}

// The words.
one("title").textContent = facts.title;
document.title = `${facts.title} · wellposed explore`;
one("rows").textContent = facts.points
  ? `${facts.points.length} of ${facts.nRows} rows on the plane, each at the mean of q(z | x).`
  : "No data were given: the plane is empty.";
one("axes").textContent = `Across: ${named[0]}.` + (latents.length > 1 ? ` Up: ${named[1]}.` : "");
one("hint").textContent = "Drag, or use the arrow keys (with Shift for larger steps, Home for zero). "
  + (facts.prior ? "The smallest dots are draws of the prior." : "The dashed circle contains 95 % of the prior.") + (facts.points ? " Click a point, or press Enter for the nearest one: the ellipse then "
  + "contains 95 % of its q(z | x)." : "");
one("others").hidden = others.length === 0;
one("datum").hidden = !facts.points;
const folded = Math.max(0, others.length - SHOWN_SLIDERS);
one("fold").hidden = folded === 0;
one("fold").querySelector("summary").textContent = `${folded} more`;
if (facts.classes) {
  one("legend").hidden = false;
  one("legend").append(...facts.classes.map((name, i) => {
    const item = document.createElement("li");
    item.innerHTML = '<svg viewBox="0 0 10 10" aria-hidden="true"><circle cx="5" cy="5" r="5"/></svg>';
    item.querySelector("circle").style.fill = `var(--class${i})`;
    item.append(name);
    return item;
  }));
}
changed(performance.now());
