/* Who was where: the map takes a click or a box for the form, and shows the answer again. */

import { makeMap } from "./map.js";

makeMap(document.getElementById("map"));
