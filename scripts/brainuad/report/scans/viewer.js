// The page of a scan: its viewer, the threshold and the opacity of the map, and its candidates.
"use strict";
const byId = name => document.getElementById(name);
const shown = JSON.parse(byId("shown").textContent);
const threshold = byId("threshold"), opacity = byId("opacity");
const rows = Array.from(document.querySelectorAll("#candidates tbody tr"));
const place = row => row.dataset.place.split(" ").map(Number);
let viewer = null, map = null, deviation = null;

const digits = value => Number(value.toPrecision(3)).toString();

// The colours of style.css, which mean 0 and the maximum, whatever the threshold is.
const COLOURS = {R: [255, 255, 255], G: [40, 40, 255], B: [0, 0, 0], A: [0, 255, 255], I: [0, 1, 255]};
// From blue at 0 to white.
const DEVIATION_COLOURS = {R: [20, 255], G: [60, 255], B: [160, 255], A: [0, 255], I: [0, 255]};
// Colours run from 0, and nothing is drawn below the minimum. In NiiVue 0.69 the shader's meanings of
// COLORMAP_TYPE 1 and 2 are the other way round than their names.
const TRANSPARENT_BELOW_MINIMUM = 2;

function say() {
  const number = Number(threshold.value), last = shown.levels.length - 1;
  byId("level").textContent = digits(shown.levels[number]);
  byId("volume").textContent = `${digits(shown.volumes[number])} ml`;
  byId("percent").textContent = `${opacity.value} %`;
  threshold.setAttribute("aria-valuetext",
    `${byId("level").textContent}, ${byId("volume").textContent} above it`);
  threshold.style.setProperty("--at", `${100 * number / last}%`);
  byId("reset").disabled = number === shown.fitted;
}

let waiting = false;
function draw() {
  say();
  if (map === null || waiting) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    map.cal_min = shown.levels[Number(threshold.value)];
    const over = document.querySelector("[name=map]:checked")?.value ?? "map";
    map.opacity = over === "map" ? Number(opacity.value) / 100 : 0;
    if (deviation) deviation.opacity = over === "map" ? 0 : Number(opacity.value) / 100;
    viewer.updateGLVolume();
  });
}

function choose(row) {
  for (const other of rows) other.removeAttribute("aria-current");
  row.setAttribute("aria-current", "true");
  go(place(row));
}

function go(millimetres) {
  if (viewer === null) return;
  viewer.scene.crosshairPos = viewer.mm2frac(millimetres, 0, true);
  viewer.createOnLocationChange();
  viewer.drawScene();
}

function tell(location) {
  const [x, y, z] = Array.from(location.mm, value => value.toFixed(0).replace(/^-0$/, "0"));
  const value = location.values[1]?.value ?? 0;
  const spread = deviation ? `, standard deviation ${digits(location.values[2]?.value ?? 0)}` : "";
  byId("where").textContent = `R is the patient\u2019s right. Here: x ${x}, y ${y}, z ${z} mm, ` +
    `anomaly ${digits(value)}${spread}`;
}

async function start() {
  const {Niivue, NVImage} = niivue;
  const shownBy = new Niivue({
    logLevel: "error",
    isRadiologicalConvention: true,
    sagittalNoseLeft: true,
    showAllOrientationMarkers: true,
    multiplanarShowRender: 0,
    multiplanarPadPixels: 4,
    dragAndDropEnabled: false,
    crosshairWidth: 0.8,
    crosshairWidthUnit: "mm",
    crosshairColor: [0.35, 0.75, 1, 0.9],
    fontColor: [0.85, 0.85, 0.85, 1],
  });
  await shownBy.attachToCanvas(byId("viewer"));
  shownBy.addColormap("anomaly", COLOURS);
  shownBy.addVolume(await NVImage.loadFromBase64(
    {base64: shown.scan, name: "scan.nii.gz", cal_min: 0, cal_max: 255}));
  const last = shown.levels.at(-1);
  const layer = await NVImage.loadFromBase64({
    base64: shown.map, name: "map.nii.gz", colormap: "anomaly", cal_min: shown.levels[shown.fitted], cal_max: last,
  });
  layer.colormapType = TRANSPARENT_BELOW_MINIMUM;
  shownBy.addVolume(layer);
  if (shown.deviation) {
    shownBy.addColormap("deviation", DEVIATION_COLOURS);
    deviation = await NVImage.loadFromBase64({
      base64: shown.deviation, name: "deviation.nii.gz", colormap: "deviation", cal_min: 0,
      cal_max: shown.highest_deviation, opacity: 0,
    });
    shownBy.addVolume(deviation);
  }
  shownBy.onLocationChange = tell;
  [viewer, map] = [shownBy, layer];
  draw();
  if (rows.length) choose(rows[0]); else go(shown.centre);
}

function fail() {
  [viewer, map, deviation] = [null, null, null];
  byId("viewer").hidden = true;
  byId("failed").hidden = false;
}

for (const row of rows) row.addEventListener("click", () => choose(row));
threshold.addEventListener("input", draw);
opacity.addEventListener("input", draw);
for (const choice of document.querySelectorAll("[name=map]")) choice.addEventListener("change", draw);
byId("reset").addEventListener("click", () => {
  threshold.value = shown.fitted;
  draw();
});
// Only a picture can be looked for from a file: the quality page is not there if these pages were given away.
const among = byId("among");
if (among) {
  const picture = new Image();
  picture.addEventListener("load", () => { among.hidden = false; });
  picture.src = among.dataset.picture;
}
say();
if (document.createElement("canvas").getContext("webgl2")) {
  start().catch(error => {
    console.error(error);
    fail();
  });
} else {
  fail();
}
