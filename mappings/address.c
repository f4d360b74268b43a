/* Addresses that are given by hand, in the spellings under which a person may be known. */
#include "config.h"

#include "mappings/convert/email.h"
#include "mappings/convert/host.h"
#include "mappings/mapping.h"

#include <string.h>

/* Not a hot path, so it uses an arena of its own. A text longer than four addresses is not an address. */
int mapping_email_key(struct str address, struct buf *out)
{
    struct arena scratch;
    struct email email;
    arena_init(&scratch, 1 << 16);
    int rc = address.n > 4 * EMAIL_MAX ? -1 : email_parse(address, &scratch, &email);
    if (rc == 0)
        rc = email.why != NULL ? -1 : buf_add(out, email.key.p, email.key.n);
    arena_free(&scratch);
    return rc;
}

bool mapping_same_address(struct str a, struct str b)
{
    if (str_eq_nocase(a, b))
        return true;
    struct buf x = BUF_INIT(4 * EMAIL_MAX), y = BUF_INIT(4 * EMAIL_MAX);
    bool same = mapping_email_key(a, &x) == 0 && mapping_email_key(b, &y) == 0 && str_eq(buf_str(&x), buf_str(&y));
    buf_free(&x);
    buf_free(&y);
    return same;
}

int mapping_email_unicode(struct str key, struct buf *out)
{
    struct arena scratch;
    const char *at = key.n > 0 ? memrchr(key.p, '@', key.n) : NULL;
    if (at == NULL)
        return 0;
    struct str local = {key.p, (size_t)(at + 1 - key.p)}, host = {at + 1, key.n - local.n}, unicode;
    arena_init(&scratch, 1 << 16);
    int rc = host_to_unicode(host, &scratch, &unicode);
    if (rc == 0 && !str_eq(host, unicode))
        rc = buf_add(out, local.p, local.n) != 0 || buf_add(out, unicode.p, unicode.n) != 0 ? -1 : 0;
    arena_free(&scratch);
    return rc;
}
