// The index of scans: its rows are searched, and sorted by each column.
"use strict";
const byId = name => document.getElementById(name);
const table = byId("scans"), body = table.tBodies[0], search = byId("search"), sort = byId("sort");
const rows = Array.from(body.rows);
const said = new Map(rows.map(row => [row, row.textContent.toLowerCase()]));
const headings = Array.from(table.tHead.rows[0].cells);
const isText = column => headings[column].className === "col_heading";
let sorted = 0, ascending = false;

// Of all values NaN comes last, in both orders.
function compare(a, b, column) {
  const [first, second] = [a, b].map(row => row.cells[column].textContent);
  if (isText(column)) {
    return (ascending ? 1 : -1) * first.localeCompare(second, "en", {numeric: true});
  }
  const [low, high] = [first, second].map(text => parseFloat(text.replaceAll(",", "")));
  if (isNaN(low) || isNaN(high)) return isNaN(low) - isNaN(high);
  return (ascending ? 1 : -1) * (low - high);
}

// A click sorts texts from A, numbers from the highest; a second one turns the order round.
function sortBy(column) {
  ascending = column === sorted ? !ascending : isText(column);
  sorted = column;
  sort.value = column || "";
  const order = column ? rows.toSorted((a, b) => compare(a, b, column)) : rows;
  body.append(...order);
  headings.forEach((heading, place) => {
    if (place === 0) return;
    heading.ariaSort = place !== column ? "none" : ascending ? "ascending" : "descending";
  });
}

function choose() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const row of rows) {
    row.hidden = !words.every(word => said.get(row).includes(word));
    count += !row.hidden;
  }
  byId("count").textContent = words.length ? `${count} of ${rows.length} shown` : "";
}

headings.forEach((heading, column) => {
  if (column === 0) return;
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = heading.textContent;
  button.addEventListener("click", () => sortBy(column));
  heading.replaceChildren(button);
});
search.addEventListener("input", choose);
search.addEventListener("keydown", event => {
  if (event.key !== "Escape") return;
  search.value = "";
  choose();
});
sort.addEventListener("change", () => {
  if (Number(sort.value) === sorted) return;
  sortBy(Number(sort.value));
});
byId("bar").hidden = false;
