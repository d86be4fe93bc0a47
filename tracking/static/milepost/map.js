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
    scrollWheelZoom: true,
    // Whoever asked for less movement gets jumps instead of flights.
    zoomAnimation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
  });
  map.attributionControl.setPrefix("");
  map.zoomControl.getContainer().querySelector(".leaflet-control-zoom-in").title = box.dataset.zoomIn;
  map.zoomControl.getContainer().querySelector(".leaflet-control-zoom-in").ariaLabel = box.dataset.zoomIn;
  map.zoomControl.getContainer().querySelector(".leaflet-control-zoom-out").title = box.dataset.zoomOut;
  map.zoomControl.getContainer().querySelector(".leaflet-control-zoom-out").ariaLabel = box.dataset.zoomOut;
  map.createPane("land").style.zIndex = 200;
  map.createPane("places").style.zIndex = 350;
  map.setView([50.85, 4.35], 7.5);
  addBasemap(map, box);
  return map;
}

/** A marker with a name on it; `state` is a class of map.css. */
export function pin(latitude, longitude, name, state) {
  const text = document.createElement("span");
  text.textContent = name;
  const icon = L.divIcon({ className: `pin ${state}`, html: text, iconSize: null });
  return L.marker([latitude, longitude], { icon, title: name, alt: name, riseOnHover: true });
}

export { L, colour };
