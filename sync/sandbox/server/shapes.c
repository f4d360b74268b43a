/* What the endpoints take, as tables in our own words. Where a member is listed here and not acted on, the endpoint
 * says so; where a name is not listed and the shape is open, it is ignored, as the real API does. */
#include "sync/sandbox/server/check.h"

#define TEXT (CK_STRING | CK_NULL)
#define INTEREST "1,2,3,4,0,-1,-2,-3,-4"
#define UUIDS .types = CK_ARRAY, .item_types = CK_STRING, .item_format = FMT_UUID
#define UUID .types = CK_STRING, .format = FMT_UUID
#define UUID_OR_NULL .types = TEXT, .format = FMT_UUID
#define FLAG .types = CK_BOOLEAN
#define ESG "0,1,2,3,4,all,none"
#define ESP "0,1,2,3,8,9,10,12,13,999,1000"
#define FILTERS \
    "FILTER_VAL_CONTACTED,FILTER_VAL_NOT_CONTACTED,FILTER_VAL_COMPLETED,FILTER_VAL_UNSUBSCRIBED,FILTER_VAL_ACTIVE," \
    "FILTER_VAL_BOUNCED,FILTER_VAL_SKIPPED,FILTER_VAL_RISKY,FILTER_VAL_INVALID,FILTER_VAL_VALID," \
    "FILTER_VAL_IN_SUBSEQUENCE,FILTER_VAL_OPENED_NO_REPLY,FILTER_VAL_COMPLETED_NO_REPLY,FILTER_VAL_NO_OPENS," \
    "FILTER_VAL_REPLIED,FILTER_VAL_LINK_CLICKED,FILTER_LEAD_INTERESTED,FILTER_LEAD_NOT_INTERESTED," \
    "FILTER_LEAD_MEETING_BOOKED,FILTER_LEAD_MEETING_COMPLETED,FILTER_LEAD_CLOSED,FILTER_LEAD_OUT_OF_OFFICE," \
    "FILTER_LEAD_WRONG_PERSON,FILTER_LEAD_LOST,FILTER_LEAD_NO_SHOW,FILTER_LEAD_CUSTOM_LABEL_POSITIVE," \
    "FILTER_LEAD_CUSTOM_LABEL_NEGATIVE"
#define JOB_TYPES \
    "move-leads,import-leads,export-leads,update-warmup-accounts,rename-variable,broadcast-ai-generate," \
    "broadcast-website-scrape,import-subscribers-from-crm,resync-subscriber-crm-tags"
#define CAMPAIGN_STATUSES "-99,-1,-2,0,1,2,3,4"
/* clang-format off */
#define PAGE \
    {.name = "limit", .types = CK_INTEGER, .min = 1, .max = 100}, {.name = "starting_after", .types = CK_STRING}
/* clang-format on */

static const struct sim_shape custom_variables = {.free_types = CK_STRING | CK_NUMBER | CK_BOOLEAN | CK_NULL};

/* The fields of a lead, wherever one is sent. */
/* clang-format off */
#define LEAD_FIELDS \
    {.name = "personalization", .types = TEXT}, {.name = "website", .types = TEXT}, \
    {.name = "last_name", .types = TEXT}, {.name = "first_name", .types = TEXT}, \
    {.name = "company_name", .types = TEXT}, {.name = "job_title", .types = TEXT}, \
    {.name = "phone", .types = TEXT}, {.name = "pl_value_lead", .types = TEXT}, \
    {.name = "lt_interest_status", .types = CK_NUMBER, .one_of = INTEREST}, \
    {.name = "assigned_to", UUID_OR_NULL}, \
    {.name = "custom_variables", .types = CK_OBJECT, .inside = &custom_variables}
/* clang-format on */

static const struct sim_member one_lead_members[] = {{.name = "email", .types = TEXT}, LEAD_FIELDS, {0}};
static const struct sim_shape one_lead = {.members = one_lead_members, .closed = true};

static const struct sim_member add_members[] = {
    {.name = "campaign_id", UUID},
    {.name = "list_id", UUID},
    {.name = "leads", .types = CK_ARRAY, .min = 1, .max = 1000, .inside = &one_lead},
    {.name = "blocklist_id", UUID_OR_NULL},
    {.name = "assigned_to", UUID},
    {.name = "verify_leads_on_import", FLAG},
    {.name = "skip_if_in_workspace", FLAG},
    {.name = "skip_if_in_campaign", FLAG},
    {.name = "skip_if_in_list", FLAG},
    {0},
};
const struct sim_shape sim_shape_add = {.members = add_members, .required = "leads"};

static const struct sim_member create_members[] = {
    {.name = "campaign", UUID_OR_NULL},
    {.name = "email", .types = TEXT},
    LEAD_FIELDS,
    {.name = "list_id", UUID_OR_NULL},
    {.name = "skip_if_in_workspace", FLAG},
    {.name = "skip_if_in_campaign", FLAG},
    {.name = "skip_if_in_list", FLAG},
    {.name = "blocklist_id", UUID},
    {.name = "verify_leads_for_lead_finder", FLAG},
    {.name = "verify_leads_on_import", FLAG},
    {0},
};
const struct sim_shape sim_shape_create = {.members = create_members, .closed = true};

static const struct sim_member patch_members[] = {LEAD_FIELDS, {0}};
const struct sim_shape sim_shape_patch = {.members = patch_members, .closed = true, .min_members = 1};

static const struct sim_member delete_members[] = {
    {.name = "campaign_id", UUID},
    {.name = "list_id", UUID},
    {.name = "status", .types = CK_NUMBER, .one_of = "1,2,3,-1,-2,-3"},
    {.name = "ids", UUIDS},
    {.name = "limit", .types = CK_INTEGER, .min = 1, .max = 10000},
    {0},
};
const struct sim_shape sim_shape_delete = {.members = delete_members, .any_of = "campaign_id,list_id"};

/* --- selectors --- */

static const struct sim_member query_members[] = {
    {.name = "actionType",
     .types = CK_STRING,
     .one_of = "reply,email-open,last-contacted,link-click,lead-status,lead-status-change"},
    {.name = "values", .types = CK_OBJECT},
    {0},
};
static const struct sim_shape query = {.members = query_members, .required = "actionType,values"};

/* clang-format off */
#define SELECTOR \
    {.name = "search", .types = CK_STRING}, {.name = "filter", .types = CK_STRING, .one_of = FILTERS}, \
    {.name = "campaign", UUID}, {.name = "list_id", UUID}, {.name = "in_campaign", FLAG}, {.name = "in_list", FLAG}, \
    {.name = "ids", UUIDS}, {.name = "queries", .types = CK_ARRAY, .inside = &query}
/* clang-format on */

/* clang-format off */
#define MORE_SELECTOR \
    {.name = "excluded_ids", UUIDS}, \
    {.name = "contacts", .types = CK_ARRAY, .item_types = CK_STRING, .item_format = FMT_EMAIL}, \
    {.name = "esg_code", .types = CK_STRING, .one_of = ESG}
/* clang-format on */

/* clang-format off */
static const struct sim_member list_members[] = {
    SELECTOR, MORE_SELECTOR, PAGE,
    {.name = "organization_user_ids", UUIDS},
    {.name = "smart_view_id", UUID},
    {.name = "is_website_visitor", FLAG},
    {.name = "distinct_contacts", FLAG},
    {.name = "enrichment_status", .types = CK_NUMBER, .one_of = "1,-1,11,-2"},
    {0},
};
/* clang-format on */
const struct sim_shape sim_shape_list = {.members = list_members};

static const struct sim_member move_members[] = {
    SELECTOR,
    MORE_SELECTOR,
    {.name = "to_campaign_id", UUID},
    {.name = "to_list_id", UUID},
    {.name = "ignore_resource_filter_clauses", FLAG},
    {.name = "check_duplicates_in_campaigns", FLAG},
    {.name = "skip_leads_in_verification", FLAG},
    {.name = "limit", .types = CK_NUMBER},
    {.name = "assigned_to", UUID},
    {.name = "esp_code", .types = CK_NUMBER, .one_of = ESP},
    {.name = "copy_leads", FLAG},
    {.name = "check_duplicates", FLAG},
    {.name = "reset_interest_status", FLAG},
    {0},
};
const struct sim_shape sim_shape_move = {.members = move_members};

static const struct sim_member assign_members[] = {
    SELECTOR,
    {.name = "organization_user_ids", UUIDS, .min = 1, .max = INT64_MAX},
    {.name = "smart_view_id", UUID},
    {.name = "limit", .types = CK_INTEGER, .min = 0, .max = INT64_MAX},
    {.name = "assigned_to", UUID},
    {.name = "has_clause", FLAG},
    {0},
};
const struct sim_shape sim_shape_assign = {.members = assign_members, .required = "organization_user_ids"};

/* --- one lead --- */

static const struct sim_member merge_members[] = {{.name = "lead_id", UUID}, {.name = "destination_lead_id", UUID}, {0}};
const struct sim_shape sim_shape_merge = {.members = merge_members, .required = "lead_id,destination_lead_id"};

static const struct sim_member interest_members[] = {
    {.name = "lead_email", .types = CK_STRING},
    {.name = "interest_value", .types = CK_NUMBER | CK_NULL},
    {.name = "campaign_id", .types = CK_STRING},
    {.name = "ai_interest_value", .types = CK_NUMBER},
    {.name = "disable_auto_interest", FLAG},
    {.name = "list_id", .types = CK_STRING},
    {0},
};
const struct sim_shape sim_shape_interest = {.members = interest_members, .required = "lead_email,interest_value"};

static const struct sim_member subsequence_members[] = {{.name = "id", UUID}, {.name = "subsequence_id", UUID}, {0}};
const struct sim_shape sim_shape_subsequence_move = {.members = subsequence_members, .required = "id,subsequence_id"};
const struct sim_shape sim_shape_subsequence_remove = {.members = subsequence_members, .required = "id"};

/* --- the rest --- */

static const struct sim_member new_list_members[] = {
    {.name = "name", .types = CK_STRING},
    {.name = "has_enrichment_task", .types = CK_BOOLEAN | CK_NULL},
    {.name = "owned_by", UUID_OR_NULL},
    {0},
};
const struct sim_shape sim_shape_new_list = {.members = new_list_members, .required = "name", .closed = true};

static const struct sim_member variables_members[] = {{.name = "variables", .types = CK_ARRAY, .item_types = CK_STRING},
                                                      {0}};
const struct sim_shape sim_shape_variables = {.members = variables_members, .required = "variables"};

static const struct sim_member verify_members[] = {{.name = "email", .types = CK_STRING},
                                                   {.name = "webhook_url", .types = CK_STRING},
                                                   {0}};
const struct sim_shape sim_shape_verify = {.members = verify_members, .required = "email", .closed = true};

/* --- queries --- */

const struct sim_member sim_query_jobs[] = {
    PAGE,
    {.name = "type", .types = CK_STRING, .one_of = JOB_TYPES},
    {.name = "entity_type",
     .types = CK_STRING,
     .one_of = "list,campaign,workspace,broadcast,subscriber-group-sync,subscriber-group"},
    {.name = "sort_column", .types = CK_STRING, .one_of = "created_at,updated_at"},
    {.name = "sort_order", .types = CK_STRING, .one_of = "asc,desc"},
    {0},
};
const struct sim_member sim_query_job[] = {{.name = "data_fields", .types = CK_STRING}, {0}};
const struct sim_member sim_query_places[] = {
    PAGE,
    {.name = "ai_sales_agent_id", .types = CK_STRING, .format = FMT_UUID},
    {.name = "status", .types = CK_NUMBER, .one_of = CAMPAIGN_STATUSES},
    {.name = "exclude_status", .types = CK_NUMBER, .one_of = CAMPAIGN_STATUSES},
    {0},
};
const struct sim_member sim_query_lists[] = {PAGE, {.name = "has_enrichment_task", .types = CK_BOOLEAN}, {0}};
const struct sim_member sim_query_blocks[] = {PAGE, {.name = "domains_only", .types = CK_BOOLEAN}, {0}};
const struct sim_member sim_query_none[] = {{0}};
