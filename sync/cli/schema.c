/* `schema`: the JSON Schema of mapping files, from the table that validates them. */
#include "config.h"

#include "mappings/mapping.h"
#include "sync/cli/commands.h"
#include "sync/cli/out.h"

static int schema_command(struct invocation *inv, struct err *e)
{
    struct out out = {0};
    int rc = -1;
    if (out_open(&out, inv, OUT_PUBLIC, e) != 0)
        goto done;
    if (mapping_schema(&out.text) != 0) {
        err_oom(e);
        goto done;
    }
    rc = out_commit(&out, e);
done:
    out_abandon(&out);
    return rc;
}

const struct command command_schema = {
    .name = "schema",
    .usage = "",
    .summary = "print the JSON Schema of mapping files",
    .help = "Prints the JSON Schema (draft-07) of the mapping format, generated from the\n"
            "table that validates mappings. Editors with YAML schema support complete and\n"
            "check a mapping whose first line is\n"
            "  # yaml-language-server: $schema=mapping.schema.json",
    .examples = "leadsync schema -o mapping.schema.json",
    .groups = GROUP_OUTPUT,
    .run = schema_command,
};
