"""The largest places around Belgium, for the basemap and the demo: names and points. (pure)

A table of our own: coordinates to a hundredth of a degree from general knowledge, good
enough for a label on a map, never for a measurement.
"""

from typing import Final, NamedTuple


class Place(NamedTuple):
    """A town: WGS 84 degrees, its names, and from which zoom of the map its name is drawn."""

    latitude: float
    longitude: float
    min_zoom: int
    english: str
    dutch: str
    french: str

    @property
    def names(self) -> dict[str, str]:
        """The names by language code."""
        return {"en": self.english, "nl": self.dutch, "fr": self.french}


def _place(
    latitude: float, longitude: float, min_zoom: int, name: str, dutch: str = "", french: str = ""
) -> Place:
    return Place(latitude, longitude, min_zoom, name, dutch or name, french or name)


PLACES: Final = (
    _place(50.85, 4.35, 4, "Brussels", "Brussel", "Bruxelles"),
    _place(51.22, 4.40, 6, "Antwerp", "Antwerpen", "Anvers"),
    _place(51.05, 3.72, 7, "Ghent", "Gent", "Gand"),
    _place(50.41, 4.44, 7, "Charleroi"),
    _place(50.63, 5.57, 7, "Liège", "Luik"),
    _place(51.21, 3.22, 7, "Bruges", "Brugge"),
    _place(50.47, 4.87, 7, "Namur", "Namen"),
    _place(50.88, 4.70, 8, "Leuven", "Leuven", "Louvain"),
    _place(50.45, 3.95, 8, "Mons", "Bergen"),
    _place(51.03, 4.48, 8, "Mechelen", "Mechelen", "Malines"),
    _place(50.94, 4.04, 8, "Aalst", "Aalst", "Alost"),
    _place(50.83, 3.26, 8, "Kortrijk", "Kortrijk", "Courtrai"),
    _place(50.93, 5.34, 8, "Hasselt"),
    _place(51.16, 4.14, 9, "Sint-Niklaas", "Sint-Niklaas", "Saint-Nicolas"),
    _place(51.23, 2.92, 8, "Ostend", "Oostende", "Ostende"),
    _place(50.97, 5.50, 9, "Genk"),
    _place(50.61, 3.39, 8, "Tournai", "Doornik"),
    _place(51.33, 3.21, 8, "Zeebrugge", "Zeebrugge", "Zeebruges"),
    _place(50.95, 3.12, 9, "Roeselare", "Roeselare", "Roulers"),
    _place(50.59, 5.86, 9, "Verviers"),
    _place(51.32, 4.94, 9, "Turnhout"),
    _place(50.00, 5.72, 8, "Bastogne", "Bastenaken"),
    _place(49.68, 5.82, 8, "Arlon", "Aarlen"),
    _place(50.23, 5.34, 9, "Marche-en-Famenne"),
    _place(49.61, 6.13, 6, "Luxembourg", "Luxemburg"),
    _place(52.37, 4.90, 5, "Amsterdam"),
    _place(51.92, 4.48, 6, "Rotterdam"),
    _place(52.08, 4.31, 7, "The Hague", "Den Haag", "La Haye"),
    _place(52.09, 5.12, 7, "Utrecht"),
    _place(51.44, 5.48, 7, "Eindhoven"),
    _place(51.59, 4.78, 8, "Breda"),
    _place(51.56, 5.09, 8, "Tilburg", "Tilburg", "Tilbourg"),
    _place(50.85, 5.69, 8, "Maastricht"),
    _place(51.84, 5.85, 8, "Nijmegen", "Nijmegen", "Nimègue"),
    _place(53.22, 6.57, 7, "Groningen", "Groningen", "Groningue"),
    _place(51.50, 3.61, 8, "Middelburg", "Middelburg", "Middelbourg"),
    _place(51.34, 3.83, 9, "Terneuzen"),
    _place(48.86, 2.35, 4, "Paris", "Parijs"),
    _place(50.63, 3.06, 7, "Lille", "Rijsel"),
    _place(51.03, 2.38, 8, "Dunkirk", "Duinkerke", "Dunkerque"),
    _place(50.95, 1.86, 8, "Calais"),
    _place(50.36, 3.52, 9, "Valenciennes", "Valencijn"),
    _place(49.26, 4.03, 7, "Reims"),
    _place(49.12, 6.18, 7, "Metz"),
    _place(48.69, 6.18, 8, "Nancy"),
    _place(48.57, 7.75, 6, "Strasbourg", "Straatsburg"),
    _place(49.89, 2.30, 7, "Amiens"),
    _place(49.44, 1.10, 7, "Rouen"),
    _place(49.49, 0.11, 7, "Le Havre"),
    _place(45.76, 4.84, 5, "Lyon"),
    _place(43.30, 5.37, 5, "Marseille"),
    _place(44.84, -0.58, 6, "Bordeaux"),
    _place(47.22, -1.55, 6, "Nantes"),
    _place(50.94, 6.96, 6, "Cologne", "Keulen"),
    _place(51.23, 6.78, 7, "Düsseldorf"),
    _place(50.78, 6.08, 7, "Aachen", "Aken", "Aix-la-Chapelle"),
    _place(51.46, 7.01, 7, "Essen"),
    _place(51.51, 7.47, 7, "Dortmund"),
    _place(50.11, 8.68, 5, "Frankfurt", "Frankfurt", "Francfort"),
    _place(53.55, 9.99, 5, "Hamburg", "Hamburg", "Hambourg"),
    _place(52.52, 13.40, 4, "Berlin", "Berlijn"),
    _place(48.14, 11.58, 5, "Munich", "München"),
    _place(52.37, 9.73, 6, "Hanover", "Hannover", "Hanovre"),
    _place(49.76, 6.64, 8, "Trier", "Trier", "Trèves"),
    _place(51.51, -0.13, 4, "London", "Londen", "Londres"),
    _place(51.13, 1.31, 8, "Dover", "Dover", "Douvres"),
    _place(52.48, -1.89, 6, "Birmingham"),
    _place(47.56, 7.59, 6, "Basel", "Bazel", "Bâle"),
    _place(47.38, 8.54, 6, "Zurich", "Zürich"),
    _place(45.46, 9.19, 5, "Milan", "Milaan"),
)
