#include "config.h"

#include "sync/cli/client.h"

#include "sync/base/file.h"
#include "sync/base/hash.h"
#include "sync/base/log.h"
#include "sync/state/state.h"

#include <stdlib.h>
#include <string.h>

/* The name of a shared request budget: a digest of address and key, which does not reveal the key. 0/-1 */
static int budget_digest(const struct common *c, const struct api_key *key, char hex[SHA256_HEX_N])
{
    struct str url = str_from(c->connection.api.base);
    struct buf what = BUF_INIT(url.n + key->n + 1);
    int rc = -1;
    /* Reserve all of it, because a growing buffer leaves copies of the key behind. */
    if (buf_reserve(&what, what.max) == 0 && buf_add(&what, url.p, url.n) == 0 && buf_addc(&what, '\n') == 0 &&
        buf_add(&what, key->text, key->n) == 0)
        rc = sha256_hex(what.p, what.n, hex);
    if (what.p != NULL)
        explicit_bzero(what.p, what.n);
    buf_free(&what);
    return rc;
}

char *client_rate_share(const struct common *c, const struct api_key *key)
{
    struct err e = ERR_INIT;
    char hex[SHA256_HEX_N], *path = NULL;
    char *folder = state_default_path("any", false, &e);
    if (folder != NULL) {
        *strrchr(folder, '/') = '\0';
        if (folder_make(folder, &e) == 0 && budget_digest(c, key, hex) == 0 &&
            asprintf(&path, "%s/budget-%.8s", folder, hex) < 0)
            path = NULL;
    }
    if (path == NULL)
        log_detail("the request budget is not shared with other processes: %s", err_text(&e));
    free(folder);
    err_clear(&e);
    return path;
}

int client_open(struct client *client, const struct common *c, bool needed, bool read_only, struct err *e)
{
    *client = (struct client){.common = c};
    if (key_load(c->connection.api_key_file, needed, &client->key, e) != 0)
        return -1;
    if (client->key.text == NULL)
        return 1;
    common_log(c, client->key.text);
    client->rate_share = client_rate_share(c, &client->key);
    const struct api_config config = {
        .base_url = c->connection.api.base,
        .key = client->key.text,
        .workspace = c->connection.workspace,
        .user_agent = CLIENT_USER_AGENT,
        .requests_per_second = CLIENT_PER_SECOND,
        .requests_per_minute = CLIENT_PER_MINUTE,
        .memory_max = (size_t)c->run.memory_mb << 20,
        .read_only = read_only,
        .rate_share = client->rate_share,
    };
    if (api_new(&config, NULL, c->clock, &client->api, e) != 0)
        return -1;
    if (c->run.max_ms > 0)
        api_wait_until(client->api, c->clock->mono_us(c->clock) + c->run.max_ms * 1000);
    return 0;
}

void client_close(struct client *client)
{
    api_free(client->api);
    if (client->common != NULL)
        common_log(client->common, NULL);
    key_wipe(&client->key);
    free(client->rate_share);
    *client = (struct client){.common = NULL};
}
