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

/* Sets the error from the answer to a GET of the target: XS_CONFIG if the target is missing, XS_API if it exists or if the
 * answer does not show it. `shown` is the target's name for people. Returns 1 if the target exists, else -1. */
int missing_target_err(const char *call, struct str words, const struct target *t, struct str shown,
                       const struct api_reply *seen, struct err *e);

#endif
