/* What the API makes this process wait for: told to the user in few lines, kept for the progress line and for the last word
 * when the time is over. One episode a kind: waits that follow each other closely are one. For this room only. */
#ifndef SYNC_API_HTTP_WAITS_H
#define SYNC_API_HTTP_WAITS_H

#include "sync/api/api.h"

struct wait {
    struct buf why;      /* "the API answered 429 (rate limit)" */
    int64_t begun_us;    /* of the episode */
    int64_t until_us;    /* the next try; 0: never waited */
    int64_t reported_us; /* `until_us` of the last line; 0: none in this episode */
    bool warned;         /* a line of this episode was a warning */
    bool over;           /* the API has answered well since */
};
struct waits {
    struct clock *clock; /* borrowed */
    struct wait of[API_WAITS_N];
};

void waits_init(struct waits *w, struct clock *clock);
void waits_free(struct waits *w);
/* The text that says why: empty it, fill it, and call waits_add(). */
struct buf *waits_why(struct waits *w, enum api_wait_kind kind);
/* The next try is `delay_ms` away. `end_us`: a limit after which nothing more is tried; 0: none. Logs at once if
 * the wait is long enough and was not logged yet, or has become much longer. */
void waits_add(struct waits *w, enum api_wait_kind kind, int64_t delay_ms, int64_t end_us);
void waits_over(struct waits *w, enum api_wait_kind kind);
/* The longest one that is under way; false: none. */
bool waits_now(const struct waits *w, struct api_wait *out);
/* Time ran out: if it was spent waiting for the API, says so in `e` (XS_API) and returns true. */
bool waits_last_word(const struct waits *w, struct err *e);

#endif
