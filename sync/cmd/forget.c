/* `forget`: takes a person out of a state, and keeps a keyed hash so that no run brings them back. */
#include "config.h"

#include "mappings/mapping.h"
#include "sync/base/jsonw.h"
#include "sync/base/log.h"
#include "sync/cmd/commands.h"
#include "sync/cmd/out.h"
#include "sync/cmd/state_arg.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESS_BYTES = 64 << 10, STATE_BYTES = 4 << 20, ARENA_BYTES = 4 << 20, LIST_BYTES = 1 << 14 };

static const char *const formats[] = {"text", "json", NULL};

static int forget(struct state *state, struct str address, struct forgotten *counts, struct err *e)
{
    struct buf normal = BUF_INIT(ADDRESS_BYTES);
    int rc = mapping_email_key(address, &normal);
    if (rc != 0) {
        err_set(e, XS_USAGE, "\"%.*s\" is no e-mail address; give the address of the person to forget",
                STR_ARG(address));
    } else {
        struct hash128 key = hash_keyed128(state_secret(state), normal.p, normal.n);
        rc = state_forget(state, buf_str(&normal), &key, counts, e);
    }
    buf_free(&normal);
    return rc;
}

/* ---- other states ---- */

/* Is there a lead under this address? Only where the address is the key; what cannot be read is passed over. */
static bool knows(const struct common *c, const char *path, struct str normal)
{
    struct err e = ERR_INIT;
    struct state *state = NULL;
    struct arena arena;
    struct known_lead known;
    const struct state_options options = {
        .path = path, .access = STATE_READ, .memory_max = STATE_BYTES, .clock = c->clock};
    arena_init(&arena, ARENA_BYTES);
    int rc = state_open(&options, &state, &e);
    if (rc == 0) {
        struct hash128 key = hash_keyed128(state_secret(state), normal.p, normal.n);
        rc = state_lead_get(state, &key, &arena, &known, &e);
    } else if (rc > 0) {
        rc = 0;
    }
    state_close(state);
    arena_free(&arena);
    if (rc < 0)
        log_warning("not looked at: %s", err_text(&e));
    err_clear(&e);
    return rc > 0;
}

/* The state at hand has forgotten the person, so that whoever knows them is another one. */
static int say_others(const struct common *c, struct str address, struct err *e)
{
    struct buf normal = BUF_INIT(ADDRESS_BYTES), list = BUF_INIT(LIST_BYTES);
    char **paths = NULL;
    size_t n = 0;
    int rc = mapping_email_key(address, &normal) == 0 ? state_find_all(&paths, &n, e) : 0;
    for (size_t i = 0; i < n; i++) {
        if (state_path_is_sandbox(paths[i]) == c->api.loopback && knows(c, paths[i], buf_str(&normal)) &&
            buf_addf(&list, "\n  %s", paths[i]) != 0)
            log_detail("%s: not listed", paths[i]); /* the first ones will do */
        free(paths[i]);
    }
    free(paths);
    if (list.n > 0 && buf_cstr(&list) != NULL)
        log_warning("other states know this person, too; forget them there with --state, one after the other:%s", list.p);
    buf_free(&list);
    buf_free(&normal);
    return rc;
}

/* ---- */

static int show_json(struct state *state, const struct forgotten *counts, struct buf *out)
{
    struct jsonw w;
    jsonw_init(&w, out);
    jsonw_object(&w);
    jsonw_key(&w, "version");
    jsonw_int(&w, 1);
    jsonw_key(&w, "sync");
    jsonw_text(&w, state_sync(state));
    jsonw_key(&w, "leads");
    jsonw_uint(&w, counts->leads);
    jsonw_key(&w, "others");
    jsonw_uint(&w, counts->others);
    jsonw_object_end(&w);
    return jsonw_end(&w) | buf_addc(out, '\n');
}

static int show_text(struct state *state, const struct forgotten *counts, struct buf *out)
{
    const char *sync = state_sync(state);
    if (counts->leads + counts->others == 0)
        return buf_addf(out, "sync %s had nothing of this address; no run will bring it in\n", sync);
    return buf_addf(out, "sync %s: removed %" PRIu64 " lead%s and %" PRIu64 " other trace%s of this address; no run "
                    "will bring it back\n", sync, counts->leads, counts->leads == 1 ? "" : "s", counts->others,
                    counts->others == 1 ? "" : "s");
}

static int run(struct invocation *inv, struct err *e)
{
    struct state *state = NULL;
    struct forgotten counts = {0};
    struct out out = {0};
    int rc = -1;
    if (inv->operands_n == 0)
        return err_set(e, XS_USAGE, "forget whom? usage: leadsync forget %s [OPTIONS]", inv->command->usage);
    const char *sync = inv->operands_n > 1 ? inv->operands[1] : NULL;
    if (out_open(&out, inv, OUT_PUBLIC, e) != 0 ||
        state_arg_open_sync(&inv->common, sync, STATE_WRITE, false, &state, e) != 0 ||
        forget(state, str_from(inv->operands[0]), &counts, e) != 0)
        goto done;
    int bad = inv->common.format == FORMAT_JSON ? show_json(state, &counts, &out.text)
                                                : show_text(state, &counts, &out.text);
    rc = bad == 0 ? out_commit(&out, e) : err_oom(e);
    if (rc == 0)
        rc = say_others(&inv->common, str_from(inv->operands[0]), e);
    if (rc == 0)
        log_notice("nothing was deleted in Instantly, in the source, or in files that reports and rejects were written to");
done:
    out_abandon(&out);
    state_close(state);
    return rc;
}

const struct command command_forget = {
    .name = "forget",
    .usage = "EMAIL [SYNC]",
    .summary = "remove a person from a state, so that no run brings them back",
    .help = "Takes everything known of the address out of the state, whatever the key of the\n"
            "sync is: leads, results, rows to be tried again, raw rows. What stays is a keyed\n"
            "hash, by which later runs leave the person out (skipped: deleted_there), with\n"
            "--recreate too. The file is written anew, so that no old bytes stay in it. It\n"
            "does not ask, and deletes nothing in Instantly or in the source.\n"
            "Without SYNC or --state it takes the only state there is; when there are several\n"
            "it lists them. It works on one state: others of the default folder where the\n"
            "address is a lead's key are named on stderr afterwards. While a run is not settled it is refused: leadsync resume first.",
    .groups = GROUP_OUTPUT | GROUP_STATE | GROUP_URL | GROUP_KEY | GROUP_CSV | GROUP_LOCK,
    .formats = formats,
    .operands_max = 2,
    .run = run,
};
