#include "config.h"

#include "sync/cli/args/run_words.h"

#include "sync/base/log.h"
#include "sync/base/opt.h"
#include "sync/base/text.h"
#include "sync/cli/args/sync_arg.h"
#include "sync/report/report_read.h"

#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 64 << 20, WORD_BYTES = 1 << 20, RUNS_BACK = 100, WORDS_MAX = 4096, RULES_SHOWN = 8 };

/* Splits the line. 1, or -1 without memory. */
static int run_words_split(const char *line, struct run_words *out, struct err *e)
{
    struct buf word = BUF_INIT(WORD_BYTES);
    int found = 0;
    out->v = calloc(WORDS_MAX, sizeof *out->v);
    while (out->v != NULL && out->n < WORDS_MAX && (found = opt_next_word(&line, &word)) > 0) {
        const char *text = buf_cstr(&word);
        char *copy = text != NULL ? strdup(text) : NULL;
        if (copy == NULL) {
            found = -1;
            break;
        }
        out->v[out->n++] = copy;
        buf_reset(&word);
    }
    buf_free(&word);
    return out->v == NULL || found < 0 ? err_oom(e) : 1;
}

/* `begun` is the run's record of who began it and how. 1/0/-1 */
static int split_begun(const char *begun, struct run_words *out, struct err *e)
{
    struct buf command = BUF_INIT(1 << 20);
    int rc = report_read_text(begun, "actor", "command", &command);
    const char *line = rc == 1 ? buf_cstr(&command) : NULL;
    if (rc < 0 || (rc == 1 && line == NULL))
        rc = err_oom(e);
    else if (rc == 1)
        rc = run_words_split(line, out, e);
    buf_free(&command);
    return rc;
}

int run_words_load(struct state *s, enum run_words_of of, struct run_words *out, struct err *e)
{
    struct arena arena;
    struct run_record *runs;
    size_t n = 0;
    int found = 0;
    *out = (struct run_words){.v = NULL};
    arena_init(&arena, ARENA_BYTES);
    if (state_runs(s, RUNS_BACK, &arena, &runs, &n, e) != 0)
        found = -1;
    for (size_t i = 0; i < n && found == 0; i++)
        if (runs[i].read != NULL && (of == RUN_WORDS_FULL ? strcmp(runs[i].read, "full") == 0 : runs[i].read[0] != '\0'))
            found = split_begun(runs[i].begun, out, e);
    arena_free(&arena);
    return found;
}

void run_words_free(struct run_words *w)
{
    for (size_t i = 0; i < w->n; i++)
        free(w->v[i]);
    free(w->v);
    *w = (struct run_words){.v = NULL};
}

/* Is this an option whose value may be named like a SYNC? */
static bool takes_file(const char *word)
{
    static const char *const options[] = {"--input", "--output", "--report", "--metrics-file", "--api-key-file"};
    for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
        if (strcmp(word, options[i]) == 0)
            return true;
    return false;
}

const char *run_words_sync(const struct run_words *w)
{
    for (size_t i = 1; i < w->n; i++)
        if (!takes_file(w->v[i - 1]) && sync_arg_is(w->v[i]))
            return w->v[i];
    return NULL;
}

const char *run_words_value(const struct run_words *w, const char *option, size_t *at)
{
    for (; *at + 1 < w->n; ++*at)
        if (strcmp(w->v[*at], option) == 0) {
            *at += 2;
            return w->v[*at - 1];
        }
    return NULL;
}

/* Appends the --campaign or --list of a CSV's state. */
static int show_target(struct state *s, struct buf *out, struct err *e)
{
    struct arena arena;
    struct target t;
    char id[UUID_TEXT_N];
    arena_init(&arena, ARENA_BYTES);
    int rc = state_target_get(s, 1, &arena, &t, e);
    if (rc == 1) {
        struct buf word = BUF_INIT(WORD_BYTES);
        uuid_format(&t.id, id);
        /* The name comes from Instantly, so it is made harmless to a terminal. */
        rc = opt_show_quoted(t.name != NULL ? t.name : id, &word) | buf_addf(out, " --%s ", target_kind_text(t.kind)) |
             text_show(buf_str(&word), 0, out);
        rc = rc != 0 ? err_oom(e) : 0;
        buf_free(&word);
    }
    arena_free(&arena);
    return rc;
}

/* Appends the rules by which the newest full read of a CSV left rows out. */
static int show_rules(struct state *s, struct buf *out, struct err *e)
{
    struct run_words words = {.v = NULL};
    const char *rule;
    size_t at = 0;
    int rc = run_words_load(s, RUN_WORDS_FULL, &words, e) < 0 ? -1 : 0;
    while (rc == 0 && (rule = run_words_value(&words, "--skip-when", &at)) != NULL)
        rc = (buf_adds(out, " --skip-when ") | opt_show_quoted(rule, out)) != 0 ? err_oom(e) : 0;
    run_words_free(&words);
    return rc;
}

int run_words_warn_dropped(struct state *s, const struct mapping *m, struct err *e)
{
    struct run_words words = {.v = NULL};
    struct buf lost = BUF_INIT(WORD_BYTES);
    const char *rule;
    size_t at = 0, n = 0;
    int rc = run_words_load(s, RUN_WORDS_FULL, &words, e) < 0 ? -1 : 0;
    while (rc == 0 && (rule = run_words_value(&words, "--skip-when", &at)) != NULL) {
        int has = mapping_skips_by(m, (struct str){rule, strcspn(rule, "=")});
        if (has == 0 && n++ < RULES_SHOWN)
            has = (buf_adds(&lost, " --skip-when ") | opt_show_quoted(rule, &lost)) != 0 ? -1 : 0;
        rc = has < 0 ? err_oom(e) : 0;
    }
    if (rc == 0 && n > 0)
        log_warning(
            "the last full run left rows out by a rule that this run lacks, so this run takes these people; to leave "
            "them out again, add%.*s%s",
            STR_ARG(buf_str(&lost)), n > RULES_SHOWN ? " and its other rules" : "");
    buf_free(&lost);
    run_words_free(&words);
    return rc;
}

int run_words_show_sync(struct state *s, const char *sync, struct buf *out, struct err *e)
{
    struct run_words words = {.v = NULL};
    int rc = sync == NULL && run_words_load(s, RUN_WORDS_ANY, &words, e) < 0 ? -1 : 0;
    if (rc == 0 && sync == NULL)
        sync = run_words_sync(&words);
    if (rc == 0 && (sync != NULL ? opt_show_quoted(sync, out) : buf_adds(out, "SYNC")) != 0)
        rc = err_oom(e);
    if (rc == 0 && sync != NULL && sync_arg_is_csv(sync))
        rc = show_target(s, out, e) != 0 ? -1 : show_rules(s, out, e);
    run_words_free(&words);
    return rc;
}
