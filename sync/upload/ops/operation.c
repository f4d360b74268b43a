/* The table of operations. */
#include "config.h"

#include "sync/upload/ops/operation.h"

/* A merge, a copy and the like, by hand (sync/leads): what it did cannot be read back. */
const struct operation one_shot_operation = {.name = "one_shot"};

const struct operation *operation_of(enum op op)
{
    static const struct operation *const operations[OP_N] = {
        [OP_CREATE] = &create_operation, [OP_UPDATE] = &update_operation, [OP_MOVE] = &move_operation,
        [OP_REMOVE] = &remove_operation, [OP_HAND] = &one_shot_operation,
    };
    return op < OP_N ? operations[op] : NULL;
}
