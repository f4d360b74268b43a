/* The results of the entries of one batch, packed: the blob of `batches.entries`, and the cells of `rejects.cells`.
 *
 * A row that was simply created takes about one byte: rows, lines and lead numbers are differences to the entry before,
 * and what the lead table knows (identity, lead id) is only referred to. Knows no SQL. */
#ifndef SYNC_STATE_TABLES_PACK_H
#define SYNC_STATE_TABLES_PACK_H

#include "sync/base/buf.h"
#include "sync/model/entry.h"

struct result {
    struct entry entry; /* has_lead_id with a lead number: this id and not the one that the lead has now */
    uint32_t target;
    uint64_t lead; /* number in lead_values, which knows key, text and id; 0: none, the record itself has them */
};

struct result_packer {
    struct buf *out; /* borrowed */
    uint32_t target; /* of the batch */
    struct result last;
};
void result_packer_init(struct result_packer *p, uint32_t target, struct buf *out);
/* Detail, changes and key text are written as they are given: leave them empty where they must not be kept. 0/-1 (buffer). */
int result_pack(struct result_packer *p, const struct result *r);

struct result_unpacker {
    const char *at, *end; /* borrowed */
    uint32_t target;
    struct result last;
};
void result_unpacker_init(struct result_unpacker *u, uint32_t target, struct str blob);
/* 1 with the next result, strings borrowed from the blob; 0 at the end; -1 malformed. */
int result_unpack(struct result_unpacker *u, struct result *out);

/* Cells of the entries of a batch that have any: position among the batch's results, then the packed cells. */
int reject_pack(struct buf *out, size_t position, struct str cells);
int reject_unpack(const char **p, const char *end, size_t *position, struct str *cells); /* 1/0/-1 */

/* Orders entries by row, those without a row (removals) last; rows that are equal keep their order. */
uint64_t result_order(uint64_t row);

#endif
