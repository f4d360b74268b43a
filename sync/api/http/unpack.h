/* A gzip stream that is unpacked piece by piece. libcurl can do that too, but when reading pauses it unpacks what it has
 * and keeps it: up to 64 MB for each exchange, from 64 KB that were sent. Here it stays packed until it is wanted.
 * For this room only. */
#ifndef SYNC_API_HTTP_UNPACK_H
#define SYNC_API_HTTP_UNPACK_H

#include "sync/api/http/transport.h"

#include <zlib.h>

struct unpack {
    z_stream stream;
    bool open;  /* the stream has its memory */
    bool begun; /* a byte has come */
    bool ended; /* the last one has, and its checksum is right */
    bool broken;
    char *window;     /* owned */
    size_t waiting_n; /* bytes of it that take() has put off */
    size_t done_n;    /* bytes of the packed piece that were unpacked before it was put off */
};

typedef enum transport_take unpack_take_fn(void *ctx, struct str piece);

/* For the next stream. */
void unpack_reset(struct unpack *u);
/* Hands out what `packed` holds, in windows. After TRANSPORT_TAKE_LATER the same bytes, and more, are to be given again.
 * TRANSPORT_TAKE_NEVER also if it is not gzip (then `broken`) or memory is short. */
enum transport_take unpack_piece(struct unpack *u, struct str packed, unpack_take_fn *take, void *ctx);
void unpack_free(struct unpack *u);

#endif
