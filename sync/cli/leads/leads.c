/* `leads`: the endpoints of Instantly's leads, by hand. The verbs have files of their own. */
#include "config.h"

#include "sync/cli/commands.h"
#include "sync/cli/leads/leads.h"

static const struct command *const verbs[] = {
    &leads_list,   &leads_get,         &leads_add,   &leads_patch,  &leads_interest,
    &leads_assign, &leads_subsequence, &leads_merge, &leads_delete, NULL,
};

const struct command command_leads = {
    .name = "leads",
    .usage = "VERB",
    .summary = "list and change leads in Instantly by hand",
    .help = "Reads and writes leads in Instantly without a source. A LEAD is a lead's id or\n"
            "an address; if several leads have the address, choose one with --campaign or\n"
            "--list.\n"
            "Writes are recorded in the state of the sync (name it with SYNC or --state), and\n"
            "status and results show them. The sync itself treats them as changes made in\n"
            "Instantly: what it remembers of its rows does not change.\n"
            "A lead that leads delete deleted is skipped as deleted_there, until --recreate;\n"
            "one that leads delete --run deleted is created again.\n"
            "Deleting, merging, assigning and setting the interest ask first; without a\n"
            "terminal they need --yes.",
    .examples = "leadsync leads list --campaign \"Q4 founders\"\n"
                "leadsync leads delete ann@example.com --campaign \"Q4 founders\"",
    .verbs = verbs,
};
