// The overview: sections that unfold, and a search of the rows of tables and of captions.
"use strict";
const byId = name => document.getElementById(name);
const main = byId("main"), bar = byId("bar"), search = byId("search"), all = byId("all");
const folds = Array.from(main.querySelectorAll("details"));

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
    fold: section.querySelector("details"),
    parts: Array.from(section.querySelectorAll(".part"), part => ({
      part,
      said: textOf([title, ...part.querySelectorAll("h3, p, li, img, thead")]),
      rows: rowsOf(part, title),
    })),
  };
});

// What is folded has no size: this is asked again when a section opens.
function measure() {
  document.documentElement.style.scrollPaddingTop = `${bar.offsetHeight + 6}px`;
  for (const corner of main.querySelectorAll("thead th.blank:first-child")) {
    corner.closest("table").style.setProperty("--first-label", `${corner.offsetWidth}px`);
  }
  for (const box of main.querySelectorAll(".scroll")) {
    if (!main.classList.contains("searching") && box.offsetHeight > 900) {
      box.classList.add("long");
      box.dataset.rows = `${box.querySelectorAll("tbody tr").length} rows to scroll or search`;
    }
    // What scrolls can be scrolled by keys.
    if (box.scrollWidth > box.clientWidth || box.classList.contains("long")) box.tabIndex = 0;
  }
  all.textContent = folds.every(fold => fold.open) ? "Close all" : "Open all";
}

let openBefore = null;
function choose() {
  const words = (search.value.toLowerCase().match(/"[^"]+"|[^\s"]+/g) ?? [])
    .map(word => word.replaceAll('"', ""));
  const found = text => words.every(word => text.includes(word));
  const hide = (element, hidden) => element.classList.toggle("unmatched", hidden);
  if (words.length) openBefore ??= new Set(folds.filter(fold => fold.open));
  let count = 0;
  for (const {section, link, fold, parts} of sections) {
    let seen = false;
    for (const {part, said, rows} of parts) {
      const matches = rows.filter(row => found(row.said));
      const shown = matches.length > 0 || found(said);
      // Where only a caption says it, its whole table is shown.
      const kept = new Set((matches.length ? matches : rows).flatMap(row => [row.row, ...row.around]));
      for (const {row, around} of rows) {
        for (const element of [row, ...around]) hide(element, !kept.has(element));
      }
      hide(part, !shown);
      count += matches.length || Number(shown);
      seen ||= shown;
    }
    hide(section, !seen);
    hide(link, !seen);
    if (fold && openBefore) fold.open = words.length ? seen : openBefore.has(fold);
  }
  if (!words.length) openBefore = null;
  main.classList.toggle("searching", words.length > 0);
  measure();
  const noun = count === 1 ? "match" : "matches";
  byId("count").textContent = words.length === 0 ? "" : count ? `${count} ${noun}` : "no match";
  const start = main.offsetTop - bar.offsetHeight;
  if (words.length && scrollY > start) scrollTo({top: start, behavior: "instant"});
}

// A link within the page opens the section that it leads to.
function reveal(hash) {
  const target = byId(decodeURIComponent(hash.slice(1)));
  const fold = target?.closest("section")?.querySelector("details");
  if (!fold || fold.open) return;
  fold.open = true;
  target.scrollIntoView({behavior: "instant"});
}

search.addEventListener("input", choose);
search.addEventListener("keydown", event => {
  if (event.key !== "Escape") return;
  search.value = "";
  choose();
});
all.addEventListener("click", () => {
  const open = !folds.every(fold => fold.open);
  for (const fold of folds) fold.open = open;
  measure();
});
addEventListener("click", event => {
  const link = event.target.closest('a[href^="#"]');
  if (link) reveal(link.hash);
});
addEventListener("hashchange", () => reveal(location.hash));
main.addEventListener("toggle", measure, true);
addEventListener("resize", measure);
byId("tools").hidden = false;
choose();
// Pictures that are not there yet would move the section away.
addEventListener("load", () => reveal(location.hash));
