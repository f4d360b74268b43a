/* Steps: the first byte chooses one, arguments follow up to a NUL each, the rest is the value. Whatever compiles turns
 * valid UTF-8 into valid UTF-8; steps that clean up find nothing to do in what they made. */
#include "config.h"

#include "mappings/convert/transform.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistr.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(int truth)
{
    if (!truth)
        abort();
}

static struct str take_argument(struct str *rest)
{
    const char *nul = rest->n > 0 ? memchr(rest->p, 0, rest->n) : NULL;
    size_t n = nul != NULL ? (size_t)(nul - rest->p) : rest->n;
    struct str argument = {rest->p, n};
    *rest = nul != NULL ? (struct str){nul + 1, rest->n - n - 1} : STR_NONE;
    return argument;
}

static int settles(enum transform_op op)
{
    return op == TRANSFORM_TRIM || op == TRANSFORM_CLEAN || op == TRANSFORM_SQUEEZE || op == TRANSFORM_NFC ||
           op == TRANSFORM_DIGITS || op == TRANSFORM_EMAIL || op == TRANSFORM_URL || op == TRANSFORM_TRUNCATE ||
           op == TRANSFORM_TITLE;
}

static void run(const struct transform_step *step, struct str in)
{
    struct arena scratch;
    struct str out, again;
    const char *why;

    arena_init(&scratch, 16 << 20);
    expect(transform_run(step, 1, in, &scratch, &out, &why) == 0);
    if (why == NULL) {
        expect(out.n == 0 || u8_check((const uint8_t *)out.p, out.n) == NULL);
        if (settles(step->op)) {
            expect(transform_run(step, 1, out, &scratch, &again, &why) == 0 && why == NULL);
            expect(str_eq(out, again) && (out.n == 0 || again.p == out.p));
        }
    }
    arena_free(&scratch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct transform_step step;
    struct flaw flaw = {NULL, 0, 0};
    struct str args[2], rest = {(const char *)data + 1, size - 1};

    /* A mapping is valid UTF-8 as a whole, and so is every value. */
    if (size == 0 || u8_check(data + 1, size - 1) != NULL)
        return 0;
    size_t op = data[0] % TRANSFORM_N;
    for (unsigned i = 0; i < transform_table[op].args_n; i++)
        args[i] = take_argument(&rest);
    arena_init(&arena, 1 << 20);
    if (transform_compile(str_from(transform_table[op].name), args, transform_table[op].args_n, &arena, &step, &flaw) == 0) {
        run(&step, rest);
        transform_free(&step, 1);
    } else {
        expect(flaw.text != NULL && (flaw.arg == FLAW_WHOLE || (flaw.arg < 2 && flaw.offset <= args[flaw.arg].n)));
    }
    arena_free(&arena);
    return 0;
}
