"use strict";
// A slider for each latent that is not on the plane.
export function slider(parent, name, reach, changed) {
  const label = document.createElement("label");
  label.className = "slider";
  const [text, input, output] = ["span", "input", "output"].map((tag) => document.createElement(tag));
  text.textContent = name;
  Object.assign(input, { type: "range", min: -reach, max: reach, step: 0.05, value: 0 });
  label.append(text, input, output);
  parent.append(label);
  input.addEventListener("input", (event) => {
    changed(Number(input.value), event.timeStamp);
  });
  let before = null;
  return (value) => {
    if (value === before) return; // a drag on the plane moves no slider, and must not lay them out
    before = value;
    input.value = value; // rests at its end where the value is beyond it; the text does not
    output.textContent = value.toFixed(2);
  };
}
