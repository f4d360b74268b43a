/* One request budget for all processes of this user: a small file with the next free slot, so that a nightly sync and a
 * hand-typed command together stay under the workspace's limit. A process reserves a slot and leaves no earlier than
 * it.
 *
 * Times are those of the system-wide monotonic clock; the file names the boot they belong to. Never blocks for longer
 * than another process needs for one read and one write. Knows no HTTP. */
#ifndef SYNC_API_HTTP_RATE_SHARE_H
#define SYNC_API_HTTP_RATE_SHARE_H

#include "sync/base/err.h"

#include <stdint.h>

struct rate_share;
/* Opens or creates the file, 0600. XS_STATE if that fails or the file belongs to another user. */
int rate_share_open(const char *path, unsigned per_second, unsigned per_minute, struct rate_share **out, struct err *e);
void rate_share_free(struct rate_share *s); /* NULL is fine */

/* Microseconds until the slot held, reserving one when none is; 0: leave now. A file that stops working is logged once
 * and then not waited for: this process's own pacer still holds. */
int64_t rate_share_wait_us(struct rate_share *s, int64_t now_us);
void rate_share_use(struct rate_share *s); /* the slot held is used up */
/* No request leaves before `until_us`: the API has said "too many". */
void rate_share_pause(struct rate_share *s, int64_t now_us, int64_t until_us);
/* What is left of such a pause, as far as the slot held has to wait for it. */
int64_t rate_share_paused_us(const struct rate_share *s, int64_t now_us);

#endif
