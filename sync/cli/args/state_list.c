#include "config.h"

#include "sync/cli/args/state_list.h"

#include "sync/base/log.h"
#include "sync/base/text.h"
#include "sync/state/state.h"

enum { STATE_BYTES = 4 << 20 };

static int state_list_add_run(struct state *state, struct buf *out, struct err *e)
{
    struct run_record run;
    struct arena arena;
    char time[TIME_TEXT_N];
    arena_init(&arena, STATE_BYTES);
    int rc = state_run_get(state, 0, &arena, &run, e);
    if (rc > 0)
        rc = buf_addf(out, ": run %llu of %s", (unsigned long long)run.id, time_format(run.started_ms, time));
    else if (rc == 0)
        rc = buf_adds(out, ": no run yet");
    arena_free(&arena);
    return rc;
}

static int add_source(struct state *state, struct buf *out, struct err *e)
{
    const char *source;
    if (state_get(state, STATE_SOURCE_FILE, &source, e) != 0)
        return -1;
    if (source == NULL)
        return 0;
    return buf_adds(out, ", source ") | text_show(str_from(source), 0, out);
}

static int state_list_add_state(struct state *state, struct buf *out, struct err *e)
{
    return text_show(str_from(state_sync(state)), 0, out) != 0 || state_list_add_run(state, out, e) != 0 ||
                   add_source(state, out, e) != 0 || buf_adds(out, ", state ") != 0
               ? -1
               : 0;
}

int state_list_add(const struct common *c, const char *path, struct buf *out)
{
    struct err e = ERR_INIT;
    struct state *state = NULL;
    const struct state_options options = {.path = path, .access = STATE_READ, .memory_max = STATE_BYTES, .clock = c->clock};
    int bad = buf_adds(out, "\n  ");
    size_t start = out->n;
    if (state_open(&options, &state, &e) != 0 || state_list_add_state(state, out, &e) != 0)
        out->n = start;
    if (e.status != 0)
        log_detail("not looked at: %s", err_text(&e));
    err_clear(&e);
    state_close(state);
    return bad | text_show(str_from(path), 0, out);
}
