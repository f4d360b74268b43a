/* Loads the API key, checks it, and wipes it at the end.
 *
 * The key never comes from argv. Only the transport, for its header, and the log, to hide it, borrow a pointer to it. It is
 * cleared from the environment. Only regular files are read, so this does not block, unless the key comes from stdin. */
#ifndef SYNC_CLI_KEY_H
#define SYNC_CLI_KEY_H

#include "sync/base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { KEY_MAX_BYTES = 4096 };

struct api_key {
    char *text; /* owned; NULL: there is no key */
    size_t n;
};

/* Looks in this order: `file` ("-" is stdin), the systemd credential "instantly_api_key", INSTANTLY_API_KEY.
 * XS_KEY: none and `required` (the message names INSTANTLY_API_KEY), a file that cannot be read, is no regular file or
 * is readable by others, or holds what no key can be; XS_CONFIG: the variable holds what no key can be.
 * Without `required` a missing key leaves text NULL and returns 0. */
int key_load(const char *file, bool required, struct api_key *out, struct err *e);
/* Overwrites and frees; safe to call twice. */
void key_wipe(struct api_key *key);
/* Removes INSTANTLY_API_KEY from the environment and overwrites it there; for commands that need no key. */
void key_forget_environment(void);

#endif
