/* `leads`: the endpoints of Instantly's leads, by hand. The verbs have files of their own. */
#include "config.h"

#include "sync/cli/commands.h"
#include "sync/cli/leads/leads.h"

static const struct command *const verbs[] = {
    &leads_list, &leads_get, &leads_add, &leads_patch, &leads_interest, &leads_assign,
    &leads_subsequence, &leads_merge, &leads_delete, NULL,
};

const struct command command_leads = {
    .name = "leads",
    .usage = "VERB",
    .summary = "list and change leads in Instantly by hand",
    .help = "Reads and writes leads in Instantly without a source. A LEAD is a lead's id or an\n"
            "address; where several leads have the address, --campaign or --list says which.\n"
            "Writes are noted in the state of the sync (its mapping may stand among the words,\n"
            "or --state names it), so that status and results tell of them, but the sync's\n"
            "memory of its rows stays as it is: to it they were done in Instantly.\n"
            "A lead that leads delete deleted is skipped as deleted_there from then on, until\n"
            "--recreate; what leads delete --run took back, the sync creates again.\n"
            "Deleting, merging, assigning and setting the interest ask first; without a\n"
            "terminal they need --yes.",
    .examples = "leadsync leads list --campaign \"Q4 founders\"\n"
                "leadsync leads delete ann@example.com --campaign \"Q4 founders\"",
    .verbs = verbs,
};
