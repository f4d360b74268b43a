#include "config.h"

#include "sync/api/http/unpack.h"

#include <stdlib.h>

enum {
    WINDOW_BYTES = 16384,
    GZIP_ONLY = 16, /* added to the window bits: zlib's own format and raw deflate were not asked for */
};

void unpack_reset(struct unpack *u)
{
    u->begun = u->ended = u->broken = false;
    u->waiting_n = u->done_n = 0;
    if (u->open)
        inflateReset(&u->stream);
}

static bool unpack_make_ready(struct unpack *u)
{
    if (u->window == NULL && (u->window = malloc(WINDOW_BYTES)) == NULL)
        return false;
    if (!u->open)
        u->open = inflateInit2(&u->stream, MAX_WBITS + GZIP_ONLY) == Z_OK;
    return u->open;
}

/* Fills the window from the packed bytes. */
static void fill(struct unpack *u)
{
    u->stream.next_out = (Bytef *)u->window;
    u->stream.avail_out = WINDOW_BYTES;
    int rc = inflate(&u->stream, Z_NO_FLUSH);
    u->waiting_n = WINDOW_BYTES - u->stream.avail_out;
    u->ended = rc == Z_STREAM_END;
    /* Z_BUF_ERROR: all that has come is unpacked. Bytes behind the end belong to no answer. */
    u->broken = (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR) || (u->ended && u->stream.avail_in > 0);
}

enum transport_take unpack_piece(struct unpack *u, struct str packed, unpack_take_fn *take, void *ctx)
{
    if (u->broken || u->ended || !unpack_make_ready(u)) {
        u->broken = u->broken || u->ended;
        return TRANSPORT_TAKE_NEVER;
    }
    u->begun = true;
    size_t done_n = u->done_n < packed.n ? u->done_n : packed.n;
    u->stream.next_in = (Bytef *)(uintptr_t)(packed.p + done_n);
    u->stream.avail_in = (uInt)(packed.n - done_n);
    for (;;) {
        if (u->waiting_n > 0) {
            enum transport_take wanted = take(ctx, (struct str){u->window, u->waiting_n});
            if (wanted == TRANSPORT_TAKE_LATER)
                u->done_n = packed.n - u->stream.avail_in;
            if (wanted != TRANSPORT_TAKE_MORE)
                return wanted;
            u->waiting_n = 0;
        } else if (u->ended || u->broken) {
            break;
        } else {
            fill(u);
            if (u->waiting_n == 0 && !u->ended)
                break;
        }
    }
    u->done_n = 0;
    return u->broken ? TRANSPORT_TAKE_NEVER : TRANSPORT_TAKE_MORE;
}

void unpack_free(struct unpack *u)
{
    if (u->open)
        inflateEnd(&u->stream);
    free(u->window);
    *u = (struct unpack){0};
}
