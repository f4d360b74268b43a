/* Addresses: any bytes. What is taken keeps its limits, is plain ASCII behind the @, and is taken again as the same. */
#include "config.h"

#include "mappings/convert/email.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int truth)
{
    if (!truth)
        abort();
}

static void again(struct str address, struct str key, struct arena *arena)
{
    struct email email;
    expect(email_parse(address, arena, &email) == 0);
    expect(email.why == NULL && str_eq(email.send, address) && str_eq(email.key, key));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct email email;
    struct str raw = {(const char *)data, size}, inside = email_unwrap(raw);

    arena_init(&arena, 1 << 20);
    expect(inside.n <= size);
    expect(email_parse(raw, &arena, &email) == 0);
    if (email.why != NULL) {
        expect(email.send.n == 0 && email.key.n == 0);
    } else {
        const char *at = memrchr(email.send.p, '@', email.send.n);
        expect(at != NULL && email.send.n <= EMAIL_MAX && at - email.send.p <= EMAIL_LOCAL_MAX);
        for (const char *p = at; p < email.send.p + email.send.n; p++)
            expect((unsigned char)*p > 0x20 && (unsigned char)*p < 0x7f);
        again(email.send, email.key, &arena);
        if (email.key.n <= EMAIL_MAX &&
            memrchr(email.key.p, '@', email.key.n) <= (const void *)(email.key.p + EMAIL_LOCAL_MAX))
            again(email.key, email.key, &arena);
        email_tld_unknown(email.key);
    }
    arena_free(&arena);
    return 0;
}
