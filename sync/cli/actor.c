#include "config.h"

#include "sync/cli/actor.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HOST_BYTES = 256 };

/* The effective user, not the one of an environment variable. */
static char *user_name(void)
{
    const struct passwd *user = getpwuid(geteuid());
    char *name = NULL;
    if (user != NULL && user->pw_name[0] != '\0')
        return strdup(user->pw_name);
    return asprintf(&name, "%lu", (unsigned long)geteuid()) < 0 ? NULL : name;
}

int actor_find(const struct invocation *inv, struct actor *out, struct err *e)
{
    char host[HOST_BYTES] = "";
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    out->user = user_name();
    out->host = strdup(host);
    out->shown = (struct run_actor){out->user, out->host, PACKAGE_VERSION, inv->line};
    return out->user != NULL && out->host != NULL ? 0 : err_oom(e);
}

void actor_free(struct actor *a)
{
    free(a->user);
    free(a->host);
    *a = (struct actor){.user = NULL};
}
