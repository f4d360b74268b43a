/* Everything that can be wrong with the words typed is said before the first request; everything that will be written
 * is known by id before anybody is asked. */
#include "config.h"

#include "sync/cli/leads/by_hand.h"

#include "mappings/mapping.h"
#include "sync/base/log.h"
#include "sync/cli/client.h"
#include "sync/cli/out_check.h"
#include "sync/cli/progress.h"
#include "sync/cli/args/select_arg.h"
#include "sync/cli/args/state_arg.h"
#include "sync/cli/args/state_list.h"
#include "sync/cli/args/sync_arg.h"
#include "sync/state/state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LIST_BYTES = 1 << 16, TEXT_BYTES = 1 << 16, JOB_WAIT_MS = 600000 };

/* The state of commands by hand if no sync has one. */
static const char own_name[] = "by-hand";

/* ---- which state ---- */

/* A mapping or a CSV among the operands is the sync whose state is meant; the others are leads. An address may end like a
 * file's name. */
static bool is_sync(const char *word)
{
    return sync_arg_is_mapping(word) || (sync_arg_is_csv(word) && (strchr(word, '@') == NULL || access(word, F_OK) == 0));
}

int by_hand_sort(struct by_hand_call *call, struct err *e)
{
    const struct invocation *inv = call->inv;
    if (call->operands != NULL)
        return 0;
    call->operands = calloc(inv->operands_n + 1, sizeof *call->operands);
    if (call->operands == NULL)
        return err_oom(e);
    for (size_t i = 0; i < inv->operands_n; i++) {
        const char *word = inv->operands[i];
        if (!is_sync(word))
            call->operands[call->operands_n++] = word;
        else if (call->sync == NULL)
            call->sync = word;
        else
            return err_set(e, XS_USAGE, "%s and %s are two syncs; give only one", call->sync, word);
    }
    return 0;
}

/* The name of a CSV's sync depends on its target, so only a sync that has run is found: the only one of the file, or, of
 * several, the one into --campaign or --list, even if these only say where the leads are now. */
static int path_of_csv(struct by_hand_call *call, struct err *e)
{
    struct common anywhere = call->inv->common;
    struct err several = ERR_INIT;
    anywhere.campaign = anywhere.list = NULL;
    bool placed = call->inv->common.campaign != NULL || call->inv->common.list != NULL;
    int rc = placed && !call->of_run ? state_arg_find(&anywhere, call->sync, &call->state_path, &several) : -1;
    err_clear(&several);
    return rc == 0 ? 0 : state_arg_find(&call->inv->common, call->sync, &call->state_path, e);
}

static int path_of_sync(struct by_hand_call *call, struct err *e)
{
    struct mapping *m = NULL;
    if (!sync_arg_is_mapping(call->sync))
        return path_of_csv(call, e);
    if (mapping_load(call->sync, &m, e) != 0)
        return -1;
    if (out_check_source(&call->inv->common, m, e) == 0)
        call->state_path = state_default_path(m->name, call->inv->common.connection.api.loopback, e);
    mapping_free(m);
    return call->state_path != NULL ? 0 : -1;
}

/* States of the other side (sandbox or not) do not count, nor does our own where a sync has one. */
static int only_state(struct by_hand_call *call, struct err *e)
{
    bool loopback = call->inv->common.connection.api.loopback;
    struct buf list = BUF_INIT(LIST_BYTES);
    char **paths = NULL, *own = state_default_path(own_name, loopback, e);
    size_t n = 0, found = 0;
    int rc = own != NULL ? state_find_all(&paths, &n, e) : -1;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        if (state_path_is_sandbox(paths[i]) != loopback || strcmp(paths[i], own) == 0)
            continue;
        if (found++ == 0 && (call->state_path = strdup(paths[i])) == NULL)
            rc = err_oom(e);
        else if (state_list_add(&call->inv->common, paths[i], &list) != 0)
            break; /* the first ones will do */
    }
    if (rc == 0 && found > 1 && !call->needs_state) {
        free(call->state_path);
        call->state_path = NULL;
    } else if (rc == 0 && found > 1) {
        rc = err_set(e, XS_USAGE, "%zu states exist here; choose one with SYNC (its mapping or CSV), --state%s:%s", found,
                     call->of_run ? "" : ", or --state with a new file, such as by-hand.db",
                     buf_cstr(&list) != NULL ? list.p : "");
    }
    if (rc == 0 && found == 0) {
        call->state_path = own;
        own = NULL;
    }
    for (size_t i = 0; i < n; i++)
        free(paths[i]);
    free(paths);
    free(own);
    buf_free(&list);
    return rc;
}

static int by_hand_find_state(struct by_hand_call *call, struct err *e)
{
    const char *given = call->inv->common.state;
    if (given == NULL)
        return call->sync != NULL ? path_of_sync(call, e) : only_state(call, e);
    call->state_path = strdup(given);
    return call->state_path != NULL ? 0 : err_oom(e);
}

/* ---- opening ---- */

int by_hand_open(struct by_hand_call *call, struct invocation *inv, bool writes, struct err *e)
{
    const struct common *c = &inv->common;
    call->inv = inv;
    if (actor_find(inv, &call->actor, e) != 0 || by_hand_sort(call, e) != 0 ||
        (writes && by_hand_find_state(call, e) != 0) || key_load(c->connection.api_key_file, true, &call->key, e) != 0)
        return -1;
    common_log(c, call->key.text);
    bool read_only = !writes || c->dry_run;
    if (!read_only)
        call->rate_share = client_rate_share(c, &call->key);
    call->api = (struct api_config){
        .base_url = c->connection.api.base,
        .key = call->key.text,
        .workspace = c->connection.workspace,
        .user_agent = CLIENT_USER_AGENT,
        .requests_per_second = CLIENT_PER_SECOND,
        .requests_per_minute = CLIENT_PER_MINUTE,
        .memory_max = (size_t)c->run.memory_mb << 20,
        .read_only = read_only,
        .rate_share = call->rate_share,
    };
    const struct lead_edit_config config = {
        .api = &call->api,
        .clock = c->clock,
        .command = inv->command->name,
        .actor = &call->actor.shown,
        .state_path = call->state_path,
        .force = call->force,
        .wait_lock_ms = c->run.wait_lock_ms,
        .settle_ms = c->look_ms,
        .no_wait = call->no_wait,
        .move = call->move,
        .job_wait_ms = call->job_wait_ms > 0 ? call->job_wait_ms : JOB_WAIT_MS,
    };
    return lead_edit_open(&call->edit, &config, e);
}

void by_hand_close(struct by_hand_call *call)
{
    if (call->edit.c.clock != NULL)
        lead_edit_close(&call->edit);
    if (call->inv != NULL)
        common_log(&call->inv->common, NULL);
    key_wipe(&call->key);
    actor_free(&call->actor);
    free(call->rate_share);
    free(call->state_path);
    free(call->operands);
}

/* ---- who is meant ---- */

static int by_hand_find_place(struct by_hand_call *call, struct err *e)
{
    int rc = select_arg_place(&call->inv->common, &call->edit, &call->place, e);
    call->has_place = rc > 0;
    return rc < 0 ? -1 : 0;
}

int by_hand_needs_leads(struct by_hand_call *call, struct err *e)
{
    if (call->operands_n > 0)
        return 0;
    return err_set(e, XS_USAGE, "missing LEAD; usage: leadsync %s %s [OPTIONS]", call->inv->command->name,
                   call->inv->command->usage);
}

int by_hand_find_named(struct by_hand_call *call, struct err *e)
{
    if (by_hand_find_place(call, e) != 0)
        return -1;
    for (size_t i = 0; i < call->operands_n; i++)
        if (lead_edit_find_one(&call->edit, str_from(call->operands[i]), call->has_place ? &call->place : NULL, e) != 0)
            return -1;
    return 0;
}

int by_hand_check_selected(const struct by_hand_call *call, bool all, struct err *e)
{
    const struct common *c = &call->inv->common;
    if (call->operands_n > 0 && (select_arg_given(c) || all))
        return err_set(e, XS_USAGE, "LEAD arguments and a selection exclude each other; give one of them");
    if (call->operands_n > 0)
        return 0;
    if (!select_arg_given(c) && !all)
        return err_set(e, XS_USAGE, "no leads selected; name or select some, or give --all with --campaign or --list");
    if (all && select_arg_given(c))
        return err_set(e, XS_USAGE, "--all and a selection exclude each other");
    if (all && c->campaign == NULL && c->list == NULL)
        return err_set(e, XS_USAGE, "--all needs --campaign or --list");
    return 0;
}

/* A CSV among the words is a sync whose campaign or list may have to say which of its states is meant. */
int by_hand_check_run(const struct by_hand_call *call, bool all, struct err *e)
{
    const struct common *c = &call->inv->common;
    bool of_csv = call->sync != NULL && !sync_arg_is_mapping(call->sync);
    if (call->operands_n > 0 || all || select_arg_given(c) || ((c->campaign != NULL || c->list != NULL) && !of_csv))
        return err_set(e, XS_USAGE, "--run selects the leads; leave out %s",
                       call->operands_n > 0  ? "LEAD"
                       : all                 ? "--all"
                       : select_arg_given(c) ? "the selection"
                                             : "--campaign and --list");
    return 0;
}

int by_hand_find_selected(struct by_hand_call *call, bool all, struct err *e)
{
    const struct common *c = &call->inv->common;
    struct lead_selector selector;
    if (by_hand_check_selected(call, all, e) != 0)
        return -1;
    if (call->operands_n > 0)
        return by_hand_find_named(call, e);
    if (select_arg_fill(c, &call->edit, &selector, e) != 0 || by_hand_find_place(call, e) != 0)
        return -1;
    selector.filter.in = call->has_place ? &call->place : NULL;
    return lead_edit_find(&call->edit, &selector, e);
}

int by_hand_place_text(struct lead_edit *edit, const struct target *t, struct buf *out)
{
    char text[TARGET_TEXT_N];
    int bad = lead_edit_place_show(edit, t, out);
    if (t->status != TARGET_STATUS_UNKNOWN)
        bad |= buf_addf(out, " (%s)", campaign_status_text(t->status, text));
    return bad;
}

static int add_place(struct by_hand_call *call, const struct target *place, const char *before, struct buf *text)
{
    bool named = call->has_place && target_eq(&call->place, place);
    if (!named)
        lead_edit_target_record(&call->edit, place);
    return buf_adds(text, before) | by_hand_place_text(&call->edit, named ? &call->place : place, text);
}

int by_hand_places_text(struct by_hand_call *call, const char *before, struct buf *text)
{
    enum { PLACES_SHOWN = 5 };
    const struct lead_edit *edit = &call->edit;
    struct target places[PLACES_SHOWN];
    size_t n = 0;
    int bad = 0;
    for (size_t i = 0; i < edit->leads_n; i++) {
        const struct edited_lead *lead = &edit->leads[i];
        bool known = lead->outcome != OUTCOME_NONE || !lead->has_place;
        for (size_t k = 0; k < n && !known; k++)
            known = target_eq(&places[k], &lead->place);
        if (known)
            continue;
        if (n == PLACES_SHOWN)
            return bad | buf_adds(text, " …");
        places[n] = lead->place;
        bad |= add_place(call, &places[n], n > 0 ? ", " : before, text);
        n++;
    }
    return bad;
}

int by_hand_missing_text(const struct lead_edit *edit, struct buf *text)
{
    size_t n = 0;
    for (size_t i = 0; i < edit->leads_n; i++)
        n += edit->leads[i].missing;
    return n > 0 ? buf_addf(text, "; %zu %s no longer in Instantly", n, n == 1 ? "is" : "are") : 0;
}

size_t by_hand_open_n(const struct lead_edit *edit)
{
    return lead_edit_count(edit, OUTCOME_NONE);
}

/* ---- asking ---- */

/* Without anybody to ask, nothing is even looked up. */
static int check_consent(const struct by_hand_call *call, const struct by_hand_verb *verb, struct err *e)
{
    const struct common *c = &call->inv->common;
    if (!verb->asks || c->yes || c->dry_run || (c->terminal.in && c->terminal.err))
        return 0;
    return err_set(e, XS_USAGE,
                   "leadsync %s asks before it changes anything, and there is no terminal; give --yes, or "
                   "--dry-run to see which leads are selected",
                   call->inv->command->name);
}

static int consent(struct by_hand_call *call, const struct by_hand_verb *verb, struct err *e)
{
    const struct common *c = &call->inv->common;
    struct buf text = BUF_INIT(TEXT_BYTES);
    if (!verb->asks || verb->describe == NULL)
        return 0;
    int rc = verb->describe(call, &text) != 0 || buf_cstr(&text) == NULL ? err_oom(e) : 0;
    if (rc == 0 && (c->yes || c->dry_run))
        log_notice("%s%s", c->dry_run ? "dry run: " : "", text.p);
    else if (rc == 0 && !consent_ask(text.p))
        rc = err_set(e, XS_USAGE, "not confirmed: nothing was changed");
    buf_free(&text);
    return rc;
}

/* ---- the whole of it ---- */

/* What is wrong with the words is said before anybody is asked. */
static int by_hand_check(struct by_hand_call *call, const struct by_hand_verb *verb, struct err *e)
{
    struct uuid ignored;
    if (by_hand_sort(call, e) != 0 || (verb->check != NULL && verb->check(call, e) != 0))
        return -1;
    for (size_t i = 0; i < call->operands_n && !verb->makes; i++)
        if (strchr(call->operands[i], '@') == NULL && uuid_parse(str_from(call->operands[i]), &ignored) != 0)
            return err_set(e, XS_USAGE, "\"%s\" is neither a lead's id nor an address", call->operands[i]);
    call->of_run = verb->of_run;
    call->needs_state = verb->of_run || !call->inv->common.dry_run;
    return check_consent(call, verb, e);
}

static int begin_and_write(struct by_hand_call *call, const struct by_hand_verb *verb, struct err *e)
{
    int rc = lead_edit_begin(&call->edit, e);
    if (rc == 0)
        rc = verb->write(call, e);
    return lead_edit_end(&call->edit, rc, e);
}

static int find_and_write(struct by_hand_call *call, const struct by_hand_verb *verb, struct out *out, struct err *e)
{
    bool dry = call->inv->common.dry_run;
    struct err late = ERR_INIT;
    if (verb->find != NULL && verb->find(call, e) != 0) {
        if (e->status == XS_KEY || e->status == XS_API)
            lead_edit_record_failure(&call->edit, e);
        return -1;
    }
    bool asked = verb->makes || by_hand_open_n(&call->edit) > 0;
    bool something = asked || call->edit.newly_absent > 0;
    if (asked && consent(call, verb, e) != 0)
        return -1;
    int rc = something && !dry ? begin_and_write(call, verb, e) : 0;
    size_t kept = lead_edit_kept_n(&call->edit);
    if (kept > 0)
        log_notice(
            "%zu lead%s left out: the person unsubscribed, bounced, was skipped or forgotten; --force includes such leads",
            kept, kept == 1 ? " is" : "s are");
    enum exit_status status = rc != 0 ? e->status : lead_edit_status(&call->edit);
    call->inv->status = status;
    /* Report what was done, even after an error. */
    if ((rc == 0 || call->edit.run != 0) && by_hand_report(call, something && !dry, status, out, &late) != 0 && rc == 0)
        rc = err_take(e, &late);
    err_clear(&late);
    return rc;
}

int by_hand_run(struct invocation *inv, const struct by_hand_verb *verb, struct err *e)
{
    struct by_hand_call call = {.inv = inv};
    struct out out = {0};
    int rc = -1;
    if (by_hand_check(&call, verb, e) == 0 && by_hand_open(&call, inv, true, e) == 0 &&
        out_open(&out, inv, OUT_PRIVATE, e) == 0) {
        rc = find_and_write(&call, verb, &out, e);
    }
    out_abandon(&out);
    by_hand_close(&call);
    return rc;
}
