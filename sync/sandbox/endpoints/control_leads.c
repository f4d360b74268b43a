/* Test control of leads: what another user of the workspace may do by hand. */
#include "sync/sandbox/endpoints/control.h"
#include "sync/sandbox/world/lead.h"
#include "sync/sandbox/world/store.h"

#include <string.h>

enum { CUSTOM_MAX = SIM_BODY_MAX };

int control_texts(struct sim_world *w, json_object *array, int (*each)(struct sim_world *, struct str))
{
    if (!json_object_is_type(array, json_type_array))
        return 1;
    for (size_t i = 0; i < json_object_array_length(array); i++) {
        struct str text = sim_json_str(json_object_array_get_idx(array, i));
        int rc = text.p == NULL ? 1 : each(w, text);
        if (rc != 0)
            return rc;
    }
    return 0;
}

int control_members(struct sim_world *w, json_object *o, int (*each)(struct sim_world *, struct str, json_object *))
{
    if (!json_object_is_type(o, json_type_object))
        return 1;
    sim_json_each(o, i)
    {
        int rc = each(w, str_from(json_object_iter_peek_name(&i)), json_object_iter_peek_value(&i));
        if (rc != 0)
            return rc;
    }
    return 0;
}

uint32_t control_place(struct sim_world *w, struct str text)
{
    uint32_t no = sim_place_by_text(w, text, true);
    return no != 0 ? no : sim_place_by_text(w, text, false);
}

/* As if another user had added it: no plan, no block list, no lock. */
static int add_lead(struct sim_world *w, uint32_t place, json_object *item, struct buf *custom)
{
    struct sim_fields fields = {0};
    if (!json_object_is_type(item, json_type_object))
        return 1;
    if (sim_fields_overlay(&fields, item, false, custom) != 0)
        return -1;
    if (fields.f[BF_EMAIL].n > 0 && sim_world_has(w, fields.f[BF_EMAIL], place))
        return 0;
    uint32_t no = sim_world_lead_add(w, &fields, place);
    if (no == 0)
        return -1;
    sim_lead_interest(w, sim_table_at(&w->leads, no), item);
    sim_world_lead_changed(w, no);
    return 0;
}

/* One object or an array of them. */
int control_add(struct sim_world *w, json_object *value)
{
    struct buf custom = BUF_INIT(CUSTOM_MAX);
    int rc = 0;
    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; rc == 0 && i < json_object_array_length(value); i++)
            rc = json_object_is_type(json_object_array_get_idx(value, i), json_type_object)
                     ? control_add(w, json_object_array_get_idx(value, i))
                     : 1;
        return rc;
    }
    json_object *leads = sim_json_get(value, "leads");
    uint32_t place = control_place(w, sim_json_text(value, "to"));
    if (place == 0 || !json_object_is_type(leads, json_type_array))
        return 1;
    for (size_t i = 0; rc == 0 && i < json_object_array_length(leads); i++)
        rc = add_lead(w, place, json_object_array_get_idx(leads, i), &custom);
    buf_free(&custom);
    return rc;
}

/* Applies `each` to every lead with the address; 1 when there is none. */
static int for_address(struct sim_world *w, struct str email, json_object *value,
                       void (*each)(struct sim_world *, struct sim_lead *, json_object *))
{
    uint32_t no = sim_table_by_email(&w->leads, email, 0);
    if (no == 0)
        return 1;
    for (; no != 0; no = sim_table_by_email(&w->leads, email, no)) {
        each(w, sim_table_at(&w->leads, no), value);
        sim_table_at(&w->leads, no)->updated_ms = w->now_ms;
        sim_world_lead_changed(w, no);
    }
    return 0;
}

static void set_status(struct sim_world *w, struct sim_lead *lead, json_object *value)
{
    (void)w;
    lead->status = (int8_t)json_object_get_int(value);
}

static void set_interest(struct sim_world *w, struct sim_lead *lead, json_object *value)
{
    lead->has_interest = true;
    lead->interest = (int16_t)json_object_get_int(value);
    lead->interest_ms = w->now_ms;
}

static void set_contacted(struct sim_world *w, struct sim_lead *lead, json_object *value)
{
    (void)value;
    lead->contacted_ms = w->now_ms;
}

/* 0 leaves no time, as with a lead whose count was reset. */
static void set_engaged(struct sim_world *w, struct sim_lead *lead, json_object *value)
{
    lead->opens = (uint32_t)sim_json_int(value, "opens", lead->opens);
    lead->clicks = (uint32_t)sim_json_int(value, "clicks", lead->clicks);
    lead->replies = (uint32_t)sim_json_int(value, "replies", lead->replies);
    lead->opened_ms = lead->opens > 0 ? w->now_ms : SIM_NEVER;
    lead->clicked_ms = lead->clicks > 0 ? w->now_ms : SIM_NEVER;
    lead->replied_ms = lead->replies > 0 ? w->now_ms : SIM_NEVER;
}

static int one_engaged(struct sim_world *w, struct str email, json_object *value)
{
    static const char *const names[] = {"opens", "clicks", "replies"};
    bool fits = json_object_is_type(value, json_type_object);
    for (size_t i = 0; fits && i < sizeof names / sizeof names[0]; i++) {
        json_object *n = sim_json_get(value, names[i]);
        fits = n == NULL || (json_object_is_type(n, json_type_int) && json_object_get_int64(n) >= 0 &&
                             json_object_get_int64(n) <= INT32_MAX);
    }
    return fits ? for_address(w, email, value, set_engaged) : 1;
}

int control_engaged(struct sim_world *w, json_object *value)
{
    return control_members(w, value, one_engaged);
}

static int one_status(struct sim_world *w, struct str email, json_object *value)
{
    return json_object_is_type(value, json_type_int) ? for_address(w, email, value, set_status) : 1;
}

static int one_interest(struct sim_world *w, struct str email, json_object *value)
{
    return json_object_is_type(value, json_type_int) ? for_address(w, email, value, set_interest) : 1;
}

static int one_contacted(struct sim_world *w, struct str email)
{
    return for_address(w, email, NULL, set_contacted);
}

int control_status(struct sim_world *w, json_object *value)
{
    return control_members(w, value, one_status);
}

int control_interest(struct sim_world *w, json_object *value)
{
    return control_members(w, value, one_interest);
}

int control_contacted(struct sim_world *w, json_object *value)
{
    return control_texts(w, value, one_contacted);
}

/* By id one lead, by address all of that person, in every place and under any lock. */
static int delete_one(struct sim_world *w, struct str text)
{
    struct uuid id;
    uint32_t no, n = 0;
    if (uuid_parse(text, &id) == 0) {
        if ((no = sim_table_by_id(&w->leads, &id)) != 0)
            sim_world_lead_delete(w, no);
        return no == 0;
    }
    for (; (no = sim_table_by_email(&w->leads, text, 0)) != 0; n++)
        sim_world_lead_delete(w, no);
    return n == 0;
}

int control_delete(struct sim_world *w, json_object *value)
{
    return control_texts(w, value, delete_one);
}

static int new_ids(struct sim_world *w, struct str text)
{
    uint32_t place = control_place(w, text);
    return place == 0 ? 1 : sim_world_new_ids(w, place);
}

int control_change_ids(struct sim_world *w, json_object *value)
{
    return control_texts(w, value, new_ids);
}

/* The leads that a text names: by id one, by address all of that person. `each` gets their numbers. 1 when there is none. */
static int for_leads(struct sim_world *w, struct str text, json_object *value, uint32_t place,
                     int (*each)(struct sim_world *w, uint32_t no, json_object *value, uint32_t place))
{
    struct uuid id;
    uint32_t no = uuid_parse(text, &id) == 0 ? sim_table_by_id(&w->leads, &id) : 0;
    if (no != 0)
        return each(w, no, value, place);
    no = sim_table_by_email(&w->leads, text, 0);
    int rc = no == 0;
    for (; no != 0 && rc == 0; no = sim_table_by_email(&w->leads, text, no))
        rc = each(w, no, value, place);
    return rc;
}

static int edit_lead(struct sim_world *w, uint32_t no, json_object *value, uint32_t place)
{
    struct sim_lead *lead = sim_table_at(&w->leads, no);
    struct buf custom = BUF_INIT(CUSTOM_MAX);
    struct sim_fields fields;
    (void)place;
    if (!json_object_is_type(value, json_type_object))
        return 1;
    sim_lead_fields(lead, &fields);
    struct str email = fields.f[BF_EMAIL];
    int rc = sim_fields_overlay(&fields, value, true, &custom);
    fields.f[BF_EMAIL] = email;
    if (rc == 0)
        rc = sim_world_lead_set(w, no, &fields);
    buf_free(&custom);
    if (rc != 0)
        return -1;
    sim_lead_interest(w, lead, value);
    lead->updated_ms = w->now_ms;
    sim_world_lead_changed(w, no);
    return 0;
}

static int edit_leads(struct sim_world *w, struct str text, json_object *value)
{
    return for_leads(w, text, value, 0, edit_lead);
}

/* Variables that are not given stay, whatever PATCH does. */
int control_edit(struct sim_world *w, json_object *value)
{
    return control_members(w, value, edit_leads);
}

/* As a move job leaves the lead: a campaign makes it active. */
static int move_lead(struct sim_world *w, uint32_t no, json_object *value, uint32_t place)
{
    struct sim_lead *lead = sim_table_at(&w->leads, no);
    (void)value;
    lead->place = lead->place_was = place;
    if (sim_place_at(w, place)->is_campaign && lead->status == 0)
        lead->status = 1;
    lead->updated_ms = w->now_ms;
    sim_world_lead_changed(w, no);
    return 0;
}

int control_move(struct sim_world *w, json_object *value)
{
    int rc = 0;
    if (json_object_is_type(value, json_type_array)) {
        for (size_t i = 0; rc == 0 && i < json_object_array_length(value); i++)
            rc = control_move(w, json_object_array_get_idx(value, i));
        return rc;
    }
    json_object *leads = sim_json_get(value, "leads");
    uint32_t place = control_place(w, sim_json_text(value, "to"));
    if (place == 0 || !json_object_is_type(leads, json_type_array))
        return 1;
    for (size_t i = 0; rc == 0 && i < json_object_array_length(leads); i++)
        rc = for_leads(w, sim_json_str(json_object_array_get_idx(leads, i)), NULL, place, move_lead);
    return rc;
}
