/* Prints the differences that `verify` has found. */
#ifndef SYNC_CLI_RUN_VERIFY_LIST_H
#define SYNC_CLI_RUN_VERIFY_LIST_H

#include "sync/cli/out.h"
#include "sync/compare/verify.h"

struct verify_list {
    const struct invocation *inv;
    struct verify *verify;
    const char *sync;
    int64_t at_ms;
};

/* Writes the list to `out`, which is open, in the format of the command. 0/-1 */
int verify_list_print(const struct verify_list *list, struct out *out, struct err *e);

/* How many leads or rows are not as the source wants them. */
uint64_t verify_list_differences(const struct verify_counts *counts);

#endif
