"use strict";
// Tables sort by a click on a column's head; numbers as numbers.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((head, place) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.textContent = "";
    head.append(button);
    button.addEventListener("click", () => {
      const rising = head.getAttribute("aria-sort") !== "ascending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", rising ? "ascending" : "descending");
      const value = (row) => row.cells[place].textContent.trim();
      const compare = (a, b) => {
        const [x, y] = [Number(value(a)), Number(value(b))];
        return Number.isNaN(x) || Number.isNaN(y) ? value(a).localeCompare(value(b)) : x - y;
      };
      body.append(...[...body.rows].sort((a, b) => (rising ? compare(a, b) : compare(b, a))));
    });
  });
}
// Pictures enlarge; Escape and a click beside them close.
const dialog = document.querySelector("dialog");
const large = dialog.querySelector("img");
for (const button of document.querySelectorAll(".enlarge")) {
  const small = button.querySelector("img");
  button.addEventListener("click", () => {
    large.src = small.src;
    large.alt = small.alt;
    dialog.showModal();
  });
}
dialog.addEventListener("click", (event) => { if (event.target !== large) dialog.close(); });
