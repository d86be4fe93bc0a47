/* A day's map beside its timeline. */

import { trackMap } from "./track_map.js";

trackMap();
