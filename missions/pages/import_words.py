"""What is wrong with a table, said in the reader's language.

A problem is stored with its code and an English sentence that names the very value. Readers
of English get that sentence; others get the one for its code, which says as much but the value.
"""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

SENTENCES: Final[Mapping[str, Promise]] = {
    "too_long": _("This cell holds too many characters."),
    "control_character": _("This cell holds a character that nobody can see."),
    "not_yes_or_no": _("This is neither yes nor no."),
    "not_a_number": _("This is not a number."),
    "not_a_whole_number": _("This is not a whole number."),
    "doubtful_number": _("This may mean thousands or decimals: write it without a separator."),
    "not_a_time": _("This is not a day and a time."),
    "time_missing": _("This is a day without a time."),
    "local_time_skipped": _("This time does not exist there: the clocks were put forward."),
    "local_time_twice": _("This time came twice there: add the offset, such as +01:00."),
    "unknown_mission": _("There is no such mission."),
    "mission_twice": _("Another row is about the same mission."),
    "unknown_driver": _("No driver has this number."),
    "unknown_truck": _("No truck in service has this plate."),
    "truck_ambiguous": _("Trucks of several countries have this plate: assign it by hand."),
    "mission_over": _("This mission is over, so it stays as it is."),
    "mission_started": _("This mission has started: hand it over at a moment instead."),
    "reversed": _("The plan ends before it starts."),
    "stop_kept": _("The table does not name a stop where somebody has been: it stays."),
    "column_twice": _("Two columns mean the same; only the first is read."),
    "column_missing": _("There is no column external_id: it says which rows are one mission."),
    "column_unknown": _("This column is not known, so its cells are not read."),
    "required": _("This is needed."),
    "differs_from_row_above": _("A row above says otherwise of the same."),
    "stop_twice": _("A row above has this stop already, and this one adds no goods to it."),
    "seq_missing": _("The other stops of this mission have a seq: give it to all or to none."),
    "seq_twice": _("Another row has another stop at this place."),
    "unknown_site": _("There is no such site, and too little is said to make it."),
    "site_ambiguous": _("Several sites have this name and address: give site_external_id."),
    "site_differs": _("The site has another value. An import changes no sites; this one stays."),
    "site_differs_from_row_above": _("An earlier row makes this site with another value."),
    "no_rows": _("The table has no rows."),
    "too_many_rows": _("The table has more rows than are read."),
    "too_many_columns": _("There are more columns than are read."),
    "encoding_guessed": _("The file is not UTF-8, so its letters were guessed: look at accents."),
    "changed_since_check": _("The mission was changed after the table was checked."),
    "file_too_large": _("The file is larger than 5 MB."),
    "old_spreadsheet": _("Save it as .xlsx without a password, or as CSV."),
    "not_a_table": _("This is neither a CSV nor an XLSX file."),
    "not_csv": _("This file cannot be read as CSV."),
    "damaged_spreadsheet": _("This is a damaged .xlsx file."),
    "has_macros": _("Files with macros are not read: save it as .xlsx."),
    "more_problems": _("There are more problems than are shown."),
}


def problem_sentence(code: str, detail: str) -> str:
    """One problem as a sentence; without a translation as it was written."""
    if (get_language() or "en").startswith("en"):
        return detail
    return str(SENTENCES.get(code) or detail)


def shown_problem(problem: Mapping[str, Any]) -> dict[str, Any]:
    """A stored problem with its sentence."""
    said = problem_sentence(problem["code"], problem["detail"])
    return {**problem, "said": said, "is_warning": problem["severity"] == "warning"}
