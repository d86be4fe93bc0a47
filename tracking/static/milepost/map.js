/* One map on our own basemap: land and borders as GeoJSON, names of places as text.
   The only module that knows Leaflet (a global, from its own file). */

const L = window.L;

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

async function addBasemap(map, box) {
  const [land, places] = await Promise.all([
    fetchJson(box.dataset.landUrl), fetchJson(box.dataset.placesUrl),
  ]);
  if (land) {
    const layer = L.geoJSON(land, { style: landStyle, pane: "land", renderer: L.canvas({ pane: "land", padding: 0.5 }) });
    layer.addTo(map);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => layer.setStyle(landStyle()));
    map.attributionControl.addAttribution("Natural Earth");
  }
  if (places) {
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
