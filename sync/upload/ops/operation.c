/* The table of operations. */
#include "config.h"

#include "sync/upload/operation.h"

const struct operation *operation_of(enum op op)
{
    static const struct operation *const operations[OP_N] = {
        [OP_CREATE] = &create_operation, [OP_UPDATE] = &update_operation, [OP_MOVE] = &move_operation,
        [OP_REMOVE] = &remove_operation, [OP_HAND] = &one_shot_operation,
    };
    return op < OP_N ? operations[op] : NULL;
}

const struct operation *one_shot_operation_of(enum one_shot_kind kind)
{
    static const struct operation *const operations[ONE_SHOT_N] = {
        [ONE_SHOT_INTEREST] = &interest_operation,
        [ONE_SHOT_ASSIGN] = &assign_operation,
        [ONE_SHOT_SUBSEQUENCE] = &subsequence_operation,
        [ONE_SHOT_MERGE] = &merge_operation,
    };
    return operations[kind];
}
