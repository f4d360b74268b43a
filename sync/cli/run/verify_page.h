/* What stands around the list of `verify` on its page. */
#ifndef SYNC_CLI_RUN_VERIFY_PAGE_H
#define SYNC_CLI_RUN_VERIFY_PAGE_H

#include "sync/cli/run/verify_list.h"

/* The `part` of struct record_page; ctx is a struct verify_list. */
int verify_page_part(void *ctx, struct str slot, struct buf *out);

#endif
