// The search of the overview: rows of tables and captions with the words that are asked for.
"use strict";
const byId = name => document.getElementById(name);
const main = byId("main"), bar = byId("bar"), search = byId("search");

// A cell over several rows is repeated in each of them, so that rows can be hidden one by one.
for (const cell of main.querySelectorAll("tbody [rowspan]")) {
  let row = cell.parentElement;
  row.classList.add("block");
  for (let left = cell.rowSpan; left > 1; left--) {
    row = row.nextElementSibling;
    const again = cell.cloneNode(true);
    again.removeAttribute("rowspan");
    again.classList.add("again");
    row.insertBefore(again, row.cells[cell.cellIndex]);
  }
  cell.removeAttribute("rowspan");
}

for (const box of main.querySelectorAll(".scroll")) {
  if (box.offsetHeight < 900) continue;
  box.classList.add("long");
  box.dataset.rows = `${box.querySelectorAll("tbody tr").length} rows to scroll or search`;
  box.tabIndex = 0;
}

function textOf(elements) {
  return Array.from(elements, element => element.alt ?? element.textContent)
    .join(" ").toLowerCase().replace(/\s+/g, " ");
}

// A row is found by its own words and by those above it: headings and the header of its table.
function rowsOf(part, title) {
  const own = part.querySelector(":scope > h3.own");
  let heading = own;
  return Array.from(part.children).flatMap(box => {
    if (box.tagName === "H3") heading = box;
    const around = heading === own ? [box] : [box, heading];
    return Array.from(box.querySelectorAll("tbody tr"), row => {
      const above = [title, own, heading, ...row.closest("table").tHead.rows];
      return {row, around, said: textOf([...above, row].filter(Boolean))};
    });
  });
}

const sections = Array.from(main.querySelectorAll("section"), section => {
  const title = section.querySelector("h2");
  return {
    section,
    link: document.querySelector(`nav a[href="#${section.id}"]`),
    parts: Array.from(section.querySelectorAll(".part"), part => ({
      part,
      said: textOf([title, ...part.querySelectorAll("h3, p, li, img, summary, thead")]),
      rows: rowsOf(part, title),
      details: part.querySelectorAll("details"),
    })),
  };
});

function measure() {
  document.documentElement.style.scrollPaddingTop = `${bar.offsetHeight + 6}px`;
  for (const corner of main.querySelectorAll("thead th.blank:first-child")) {
    corner.closest("table").style.setProperty("--first-label", `${corner.offsetWidth}px`);
  }
}

function choose() {
  const words = (search.value.toLowerCase().match(/"[^"]+"|[^\s"]+/g) ?? [])
    .map(word => word.replaceAll('"', ""));
  const found = text => words.every(word => text.includes(word));
  const hide = (element, hidden) => element.classList.toggle("unmatched", hidden);
  let count = 0;
  for (const {section, link, parts} of sections) {
    let seen = false;
    for (const {part, said, rows, details} of parts) {
      const matches = rows.filter(row => found(row.said));
      const shown = matches.length > 0 || found(said);
      // Where only a caption says it, its whole table is shown.
      const kept = new Set((matches.length ? matches : rows).flatMap(row => [row.row, ...row.around]));
      for (const {row, around} of rows) {
        for (const element of [row, ...around]) hide(element, !kept.has(element));
      }
      hide(part, !shown);
      for (const detail of details) detail.open = words.length > 0 && shown;
      count += matches.length || Number(shown);
      seen ||= shown;
    }
    hide(section, !seen);
    hide(link, !seen);
  }
  main.classList.toggle("searching", words.length > 0);
  measure();
  const noun = count === 1 ? "match" : "matches";
  byId("count").textContent = words.length === 0 ? "" : count ? `${count} ${noun}` : "no match";
  const start = main.offsetTop - bar.offsetHeight;
  if (words.length && scrollY > start) scrollTo({top: start, behavior: "instant"});
}

search.addEventListener("input", choose);
search.addEventListener("keydown", event => {
  if (event.key !== "Escape") return;
  search.value = "";
  choose();
});
addEventListener("resize", measure);
byId("tools").hidden = false;
choose();
