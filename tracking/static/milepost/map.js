/* One map on our own basemap: land and borders as GeoJSON, names of places as text.
   The only module that knows Leaflet (a global, from its own file). */

const L = window.L;

const isDark = matchMedia("(prefers-color-scheme: dark)");
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function landStyle() {
  return {
    stroke: true, weight: 1, color: colour("--border"), fillColor: colour("--land"), fillOpacity: 1,
    interactive: false,
  };
}

function placeMarker(feature, language) {
  const [longitude, latitude] = feature.geometry.coordinates;
  const text = document.createElement("span");
  text.textContent = feature.properties.names[language] ?? feature.properties.names.en;
  const icon = L.divIcon({ className: "place", html: text, iconSize: null });
  const options = { icon, interactive: false, keyboard: false, pane: "places" };
  return { marker: L.marker([latitude, longitude], options), minZoom: feature.properties.min_zoom };
}

async function fetchJson(url) {
  const response = await fetch(url);
  return response.status === 200 ? response.json() : null;
}

async function addLand(map, box) {
  const land = await fetchJson(box.dataset.landUrl);
  if (!land) return;
  const layer = L.geoJSON(land, { style: landStyle, pane: "land", renderer: L.canvas({ pane: "land", padding: 0.5 }) });
  layer.addTo(map);
  isDark.addEventListener("change", () => layer.setStyle(landStyle()));
  map.attributionControl.addAttribution("Natural Earth");
}

async function addPlaces(map, box) {
  const places = await fetchJson(box.dataset.placesUrl);
  if (!places) return;
  const labels = places.features.map((feature) => placeMarker(feature, document.documentElement.lang));
  const show = () => {
    const zoom = map.getZoom() + 0.001;
    for (const { marker, minZoom } of labels) {
      if (zoom >= minZoom) marker.addTo(map);
      else marker.remove();
    }
  };
  map.on("zoomend", show);
  show();
}

function script(url) {
  return new Promise((loaded, failed) => {
    const element = document.createElement("script");
    element.src = url;
    element.addEventListener("load", loaded);
    element.addEventListener("error", failed);
    document.head.append(element);
  });
}

/** Whether the file is there and is what it should be: the layer would fail tile by tile. */
async function isTileFile(url) {
  const response = await fetch(url, { headers: { Range: "bytes=0-126" } });
  return response.status === 206 && (await response.text()).startsWith("PMTiles");
}

/** The operator's own file of vector tiles: roads, water and names, in the page's language. */
async function addTiles(map, box) {
  if (!await isTileFile(box.dataset.tilesUrl)) throw new Error("no tile file");
  if (!window.protomapsL) await script(box.dataset.tilesScript);
  const language = document.documentElement.lang.slice(0, 2);
  let layer = null;
  const draw = () => {
    layer?.remove();
    const flavor = isDark.matches ? "dark" : "light";
    layer = window.protomapsL.leafletLayer({ url: box.dataset.tilesUrl, flavor, lang: language, pane: "land" });
    layer.addTo(map);
  };
  isDark.addEventListener("change", draw);
  draw();
}

/** Pictures from the server that the operator named. */
function addPictures(map, box) {
  const { picturesUrl, picturesAttribution } = box.dataset;
  const attribution = document.createElement("span");
  attribution.textContent = picturesAttribution;
  L.tileLayer(picturesUrl, { pane: "land", maxZoom: 19, attribution: attribution.innerHTML }).addTo(map);
}

async function addBasemap(map, box) {
  if (box.dataset.picturesUrl) {
    addPictures(map, box);
    return;
  }
  await addLand(map, box);
  try {
    if (box.dataset.tilesUrl) await addTiles(map, box);
    else await addPlaces(map, box);
  } catch {
    await addPlaces(map, box);  // the file cannot be read: names at least
  }
}

/** The map in an element that names its basemap's files; north-west Europe until told otherwise. */
export function makeMap(box) {
  box.replaceChildren();
  const map = L.map(box, {
    preferCanvas: true, zoomSnap: 0.5, minZoom: 4, maxZoom: 17, attributionControl: true,
    zoomControl: false,
    // Whoever asked for less movement gets jumps instead of flights.
    zoomAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
  });
  map.attributionControl.setPrefix("");
  // At the bottom, where no name of a northern driver lies under it.
  const { zoomIn, zoomOut } = box.dataset;
  L.control.zoom({ position: "bottomleft", zoomInTitle: zoomIn, zoomOutTitle: zoomOut }).addTo(map);
  map.createPane("land").style.zIndex = 200;
  map.createPane("places").style.zIndex = 350;
  map.setView([50.85, 4.35], 7.5);
  addBasemap(map, box);
  return map;
}

function label(className, text) {
  const span = document.createElement("span");
  span.className = className;
  span.textContent = text;
  return span;
}

/** A marker with a name on it, on a narrow map its initials; `state` is a class of map.css. */
export function pin(latitude, longitude, name, state) {
  const initials = name.split(/\s+/).map((word) => word[0]).join("").slice(0, 3).toUpperCase();
  const html = document.createElement("div");
  html.append(label("name", name), label("initials", initials));
  const icon = L.divIcon({ className: `pin ${state}`, html, iconSize: [24, 24] });
  return L.marker([latitude, longitude], { icon, title: name, alt: name, riseOnHover: true });
}

export { L, colour };
