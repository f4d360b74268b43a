/* Names of settings that state_get() and state_set() know, with what each says and how long. */
#ifndef SYNC_STATE_SETTINGS_H
#define SYNC_STATE_SETTINGS_H

/* A setting, "RUN LEADS": a run after which leads wait to be removed, unless a complete read since then left none. */
#define STATE_REMOVALS_WAIT "removals_wait"
/* A setting beside it: why they wait, for people. */
#define STATE_REMOVALS_WHY "removals_why"
/* A setting, from when a run left removals whose rows are gone, or they wait for rows with a key, until a complete full read: no other read wants them again. */
#define STATE_REMOVALS_LEFT "removals_left"
/* A setting, "RUN LEADS": a mirror that keeps leads missing from the source found LEADS of them in its latest complete read. */
#define STATE_LEADS_KEPT "leads_kept"
/* The file that the latest run read as its source, its path resolved; unset for other sources. */
#define STATE_SOURCE_FILE "source_file"
/* A setting, from when a journal is given up until a complete read: what it held is to be looked for, not created. */
#define STATE_CHECK_FIRST "look_first"
/* A setting, from when a run begins under another mapping than the last complete one until a complete full read: what
 * that run wrote may be wrong, and only a read of every row shows it. */
#define STATE_OTHER_MAPPING "other_mapping"
/* A setting, from the first run by another `key:` on: leads may be known under keys of a mapping of before. */
#define STATE_OTHER_KEYS "other_keys"
/* A setting, from when a row waits that may take over another row's lead, until a complete full read: only that shows whether
 * the lead is still the other row's, or is to be removed. */
#define STATE_OWNERS_UNREAD "owners_unread"
/* A setting, from when a guard stops a full read until a complete one: an incremental read of a table that was emptied has
 * no rows, and would look like a night without changes. */
#define STATE_FULL_STOPPED "full_stopped"
/* The id of the saved plan that the latest run applied; unset by every other run that reads a source, and by edits by hand. */
#define STATE_PLAN "plan"
/* A setting, from when the table of `results_to:` could not be written until it is: the message, for people. */
#define STATE_RESULTS_ERROR "results_error"
/* A setting, the number of rows that were given up since the last complete full read. */
#define STATE_GIVEN_UP "given_up"

#endif
