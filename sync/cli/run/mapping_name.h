/* The name of a sync whose mapping cannot be loaded, for the report, the metrics and the ping of the failed run. */
#ifndef SYNC_CLI_RUN_MAPPING_NAME_H
#define SYNC_CLI_RUN_MAPPING_NAME_H

/* From the line `name:` of the file; else the name of the file itself, without its ending. It is a valid name of a sync. The
 * caller frees it. NULL: no memory. */
char *mapping_name_guess(const char *path);

#endif
