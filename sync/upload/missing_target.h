/* A write that names a campaign or list is answered with 404: is that place gone, or is it something else? Instantly is
 * asked for the place itself, and the error says which. Internal to the upload and to what is done by hand. */
#ifndef SYNC_UPLOAD_MISSING_TARGET_H
#define SYNC_UPLOAD_MISSING_TARGET_H

#include "sync/api/api.h"

struct batch_slice;
struct upload;

struct missing_target {
    const char *call;         /* the write that was refused first: "POST /leads/add" */
    struct buf words;         /* the API's about it */
    struct target targets[2]; /* that it named; the names are borrowed */
    size_t targets_n, asked_n;
    struct batch_slice *slices; /* that wait for the answer */
};

/* Keeps the slice until it is known what is missing. Then the upload has failed, and `refused` gets the slice back, with
 * every other one that came meanwhile. */
void missing_target_ask(struct batch_slice *s, const char *call, const struct api_reply *reply,
                        void (*refused)(struct batch_slice *s));
void missing_target_free(struct upload *u);

/* The error, from the answer to a GET of the place: XS_CONFIG where it is gone; XS_API where it is there, or where that
 * cannot be told. `shown` is the place as people read it. Returns 1 when the place is there, and sets the error all the
 * same; else -1. */
int missing_target_err(const char *call, struct str words, const struct target *t, struct str shown,
                       const struct api_reply *seen, struct err *e);

#endif
