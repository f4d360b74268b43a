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
enum box_format { FMT_ANY, FMT_UUID, FMT_EMAIL };

struct box_shape;
struct box_member {
    const char *name;
    unsigned types;
    enum box_format format; /* of strings */
    const char *one_of;     /* allowed values, comma separated; NULL: any */
    int64_t min, max;       /* integers: value; arrays: items; both 0: unbounded */
    unsigned item_types;    /* arrays: types of the items, 0: any */
    enum box_format item_format;
    const struct box_shape *inside; /* of an object, or of the objects in an array */
};

struct box_shape {
    const struct box_member *members; /* ends with a NULL name */
    const char *required;             /* comma separated; NULL: nothing */
    const char *any_of;               /* one of them is required; NULL: nothing */
    size_t min_members;
    bool closed;         /* other members are refused */
    unsigned free_types; /* types of other members, 0: any */
};

/* 0 fine, 1 refused with the text in `why`, -1 out of memory. Members that a shape does not know pass, since endpoints
 * only read what they know; with unknown->refuse a closed shape refuses them. */
int box_check_body(const struct box_shape *shape, json_object *body, struct box_unknown *unknown, struct buf *why);
int box_check_query(const struct box_member *members, const struct box_request *q, struct buf *why);

/* The shapes; see shapes.c. */
extern const struct box_shape box_shape_add, box_shape_create, box_shape_delete, box_shape_list, box_shape_patch,
    box_shape_merge, box_shape_interest, box_shape_subsequence_move, box_shape_subsequence_remove, box_shape_assign,
    box_shape_move, box_shape_new_list, box_shape_variables, box_shape_verify;
extern const struct box_member box_query_jobs[], box_query_job[], box_query_places[], box_query_lists[], box_query_blocks[],
    box_query_none[];

#endif
