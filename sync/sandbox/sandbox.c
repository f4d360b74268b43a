#include "sync/sandbox/sandbox.h"

#include "sync/base/clock.h"
#include "sync/base/stop.h"
#include "sync/sandbox/endpoints/move.h"
#include "sync/sandbox/server/server.h"
#include "sync/sandbox/world/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_FOR_SIGNAL_US = 50000 };

struct sandbox {
    struct sim_world world;
    struct sim_server *server; /* NULL: not serving */
    uint16_t port;
};

enum { STATUS_KEPT = -1 };

/* Takes ":active" and the like off a campaign's name. Any other colon is part of the name. The status, or STATUS_KEPT. */
static int split_status(struct str *name)
{
    static const char *const statuses[] = {"draft", "active", "paused", "completed"}; /* by the API's number */
    size_t colon = name->n;
    while (colon > 0 && name->p[colon - 1] != ':')
        colon--;
    for (int i = 0; colon > 1 && i < (int)(sizeof statuses / sizeof statuses[0]); i++) {
        if (!str_is((struct str){name->p + colon, name->n - colon}, statuses[i]))
            continue;
        name->n = colon - 1;
        return i;
    }
    return STATUS_KEPT;
}

/* An id that depends on kind, name and, among equal names, on the order. */
static int named_id(struct str name, bool is_campaign, unsigned ordinal, struct uuid *id)
{
    struct buf text = BUF_INIT(1 << 20);
    char hex[SHA256_HEX_N];
    int rc = buf_addf(&text, "%s %u %.*s", is_campaign ? "campaign" : "list", ordinal, STR_ARG(name));
    if (rc == 0)
        rc = sha256_hex(text.p, text.n, hex);
    buf_free(&text);
    if (rc != 0)
        return -1;
    /* 8-4-4-4-12, made a version 4 */
    char shaped[UUID_TEXT_N];
    snprintf(shaped, sizeof shaped, "%.8s-%.4s-4%.3s-a%.3s-%.12s", hex, hex + 8, hex + 13, hex + 17, hex + 20);
    return uuid_parse(str_from(shaped), id);
}

static int add_place(struct sim_world *w, struct str name, bool is_campaign, const struct uuid *id, int status,
                     struct err *e)
{
    uint32_t no = sim_place_by_id(w, id, is_campaign);
    if (no != 0 && status == STATUS_KEPT) /* as the store has it */
        return 0;
    if (no == 0)
        no = sim_place_add(w, name, is_campaign, id);
    if (no == 0)
        return err_oom(e);
    if (status != STATUS_KEPT)
        sim_place_at(w, no)->status = status;
    sim_place_changed(w, no);
    return 0;
}

static int add_places(struct sim_world *w, const char *const *names, size_t n, bool is_campaign, struct err *e)
{
    struct uuid id, own;
    if (uuid_parse(is_campaign ? STR(SANDBOX_CAMPAIGN_DEMO) : STR(SANDBOX_LIST_INCOMING), &own) != 0)
        return err_set(e, XS_INTERNAL, "the sandbox's own ids are malformed: please report");
    if (add_place(w, is_campaign ? STR("Demo") : STR("Incoming"), is_campaign, &own, STATUS_KEPT, e) != 0)
        return -1;
    const char *first = is_campaign ? "Demo" : "Incoming";
    for (size_t i = 0; i < n; i++) {
        unsigned ordinal = 0;
        struct str name = str_from(names[i]);
        int status = is_campaign ? split_status(&name) : STATUS_KEPT;
        for (size_t k = 0; k < i; k++) {
            struct str other = str_from(names[k]);
            if (is_campaign)
                split_status(&other);
            ordinal += str_eq(other, name);
        }
        /* The first of that name is the one that is there: it gets the status. Another one makes a second. */
        if (ordinal == 0 && str_is(name, first)) {
            if (add_place(w, name, is_campaign, &own, status, e) != 0)
                return -1;
            continue;
        }
        if (named_id(name, is_campaign, ordinal, &id) != 0)
            return err_oom(e);
        if (add_place(w, name, is_campaign, &id, status, e) != 0)
            return -1;
    }
    return 0;
}

/* First the store, then what the config names: a campaign that the store knows by its id is not made twice. */
int sandbox_start(const struct sandbox_config *config, struct sandbox **out, struct err *e)
{
    struct sandbox *s = calloc(1, sizeof *s);
    if (s == NULL)
        return err_oom(e);
    if (sim_world_init(&s->world, config, e) != 0)
        goto fail;
    s->world.carry_out = sim_move_run;
    s->world.now_ms = clock_system()->wall_ms(clock_system());
    if (config->store != NULL && sim_store_open(&s->world, config->store, e) != 0)
        goto fail;
    s->world.now_ms += s->world.knobs.advance_ms;
    if (add_places(&s->world, config->campaigns, config->campaigns_n, true, e) != 0 ||
        add_places(&s->world, config->lists, config->lists_n, false, e) != 0 || sim_store_flush(&s->world, e) != 0 ||
        sim_server_start(&s->world, config->port, &s->server, e) != 0)
        goto fail;
    s->port = sim_server_port(s->server);
    *out = s;
    return 0;
fail:
    sandbox_free(s);
    return -1;
}

uint16_t sandbox_port(const struct sandbox *s)
{
    return s->port;
}

static int stop(struct sandbox *s, struct err *e)
{
    sim_server_stop(s->server);
    s->server = NULL;
    return sim_store_close(&s->world, e);
}

int sandbox_serve(struct sandbox *s, struct err *e)
{
    while (!stop_requested())
        clock_system()->sleep_us(clock_system(), LOOK_FOR_SIGNAL_US);
    return stop(s, e);
}

void sandbox_free(struct sandbox *s)
{
    struct err ignored = ERR_INIT; /* the store already holds every change; only its compact form is lost */
    if (s == NULL)
        return;
    stop(s, &ignored);
    err_clear(&ignored);
    sim_world_free(&s->world);
    free(s);
}
