/* Strict checks of bodies and queries against tables of what may be there, with the texts of a Fastify server.
 * Knows the shape language only; the shapes of the endpoints are in shapes.c. */
#ifndef SYNC_SANDBOX_SERVER_CHECK_H
#define SYNC_SANDBOX_SERVER_CHECK_H

#include "sync/sandbox/server/http.h"

enum {
    CK_STRING = 1,
    CK_NUMBER = 2,
    CK_INTEGER = 4,
    CK_BOOLEAN = 8,
    CK_ARRAY = 16,
    CK_OBJECT = 32,
    CK_NULL = 64,
};
enum sim_format { FMT_ANY, FMT_UUID, FMT_EMAIL };

struct sim_shape;
struct sim_member {
    const char *name;
    unsigned types;
    enum sim_format format; /* of strings */
    const char *one_of;     /* allowed values, comma separated; NULL: any */
    int64_t min, max;       /* integers: value; arrays: items; both 0: unbounded */
    unsigned item_types;    /* arrays: types of the items, 0: any */
    enum sim_format item_format;
    const struct sim_shape *inside; /* of an object, or of the objects in an array */
};

struct sim_shape {
    const struct sim_member *members; /* ends with a NULL name */
    const char *required;             /* comma separated; NULL: nothing */
    const char *any_of;               /* one of them is required; NULL: nothing */
    size_t min_members;
    bool closed;         /* other members are refused */
    unsigned free_types; /* types of other members, 0: any */
};

/* 0 fine, 1 refused with the text in `why`, -1 out of memory. Members that a shape does not know pass, since endpoints
 * only read what they know; with unknown->refuse a closed shape refuses them. */
int sim_check_body(const struct sim_shape *shape, json_object *body, struct sim_unknown *unknown, struct buf *why);
int sim_check_query(const struct sim_member *members, const struct sim_request *q, struct buf *why);

/* The shapes; see shapes.c. */
extern const struct sim_shape sim_shape_add, sim_shape_create, sim_shape_delete, sim_shape_list, sim_shape_patch,
    sim_shape_merge, sim_shape_interest, sim_shape_subsequence_move, sim_shape_subsequence_remove, sim_shape_assign,
    sim_shape_move, sim_shape_new_list, sim_shape_variables, sim_shape_verify;
extern const struct sim_member sim_query_jobs[], sim_query_job[], sim_query_places[], sim_query_lists[], sim_query_blocks[],
    sim_query_none[];

#endif
