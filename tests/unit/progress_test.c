/* The text of the progress line: what happens, and how far it is. */
#include "sync/cli/progress.h"
#include "sync/model/entry.h"
#include "tests/unit/harness.h"

#include <string.h>

static const struct {
    struct run_progress now;
    const char *text;
} lines[] = {
    {{.open_batches = 1, .limit_share = -1, .done_share = -1}, "settling 1 batch of earlier runs"},
    {{.open_batches = 3, .open_jobs = 1, .limit_share = -1, .done_share = -1},
     "settling 3 batches of earlier runs, waiting for 1 background job"},
    {{.rows = 2000, .held = true, .reads = true, .limit_share = -1, .done_share = 0},
     "2000 rows read; checking the limits (guards) before anything is written"},
    {{.rows = 1, .held = true, .limit_share = -1, .done_share = 0},
     "1 row read; checking the limits (guards) before anything is written"},
    {{.rows = 2000,
      .done = 1713,
      .updated = 1713,
      .ops = 1U << OP_UPDATE,
      .leads_per_second = 49,
      .limit_share = 0.98,
      .done_share = 0.8565},
     "updating: 1713 of 2000 rows (85 %), 1713 updated, 49 rows/s, 00:07 left, 98 % of the request limit"},
    {{.rows = 5000,
      .done = 3000,
      .created = 2900,
      .ops = 1U << OP_CREATE,
      .reads = true,
      .leads_per_second = 900,
      .limit_share = -1,
      .done_share = 0.25},
     "creating: 3000 of 5000 rows (25 %), 2900 created, 900 rows/s, 02:00 left"},
    {{.rows = 10,
      .done = 8,
      .created = 3,
      .updated = 4,
      .moved = 1,
      .ops = 1U << OP_MOVE | 1U << OP_UPDATE,
      .leads_per_second = 2,
      .open_jobs = 2,
      .limit_share = -1,
      .done_share = -1},
     "updating and moving: 8 of 10 rows, 3 created, 4 updated, 1 moved, 2 rows/s, waiting for 2 background jobs"},
    {{.rows = 10,
      .done = 10,
      .removed = 7,
      .ops = 1U << OP_REMOVE,
      .leads_per_second = 1,
      .limit_share = -1,
      .done_share = 1},
     "removing: 10 of 10 rows (100 %), 7 removed, 1 rows/s"},
    {{.rows = 64000,
      .done = 64000,
      .dry = true,
      .reads = true,
      .leads_per_second = 10780,
      .limit_share = -1,
      .done_share = -1},
     "reading: 64000 rows, 10780 rows/s"},
    {{.rows = 2000,
      .done = 300,
      .ops = 1U << OP_CREATE,
      .created = 300,
      .leads_per_second = 5,
      .limit_share = 0,
      .done_share = -1,
      .waits = true,
      .wait = {API_WAIT_RATE_LIMIT, 31200}},
     "creating: 300 of 2000 rows, 300 created, 5 rows/s, 0 % of the request limit, waiting for the API's rate limit (429), "
     "next try in 32 s"},
    {{.open_batches = 1, .limit_share = -1, .done_share = -1, .waits = true, .wait = {API_WAIT_LOCK, 2000}},
     "settling 1 batch of earlier runs, waiting for leads that are being moved (409), next try in 2 s"},
    /* A pause that nobody sees. */
    {{.open_batches = 1, .limit_share = -1, .done_share = -1, .waits = true, .wait = {API_WAIT_RATE_LIMIT, 90}},
     "settling 1 batch of earlier runs"},
};

START_TEST(text)
{
    struct buf line = BUF_INIT(1024);
    progress_line(&lines[_i].now, 40000000, &line);
    ck_assert_msg(str_is(buf_str(&line), lines[_i].text), "\"%.*s\" is not \"%s\"", STR_ARG(buf_str(&line)), lines[_i].text);
    buf_free(&line);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("progress");
    TCase *t = tcase_create("progress");
    tcase_add_loop_test(t, text, 0, (int)(sizeof lines / sizeof lines[0]));
    suite_add_tcase(s, t);
    return unit_run(s);
}
