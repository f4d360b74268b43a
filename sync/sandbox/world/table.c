#include "sync/sandbox/world/table.h"

#include <stdlib.h>
#include <string.h>

enum { SIM_CHUNK = 4096, SCRATCH_MAX = 4 << 20 };

uint64_t sim_mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

struct uuid sim_lead_id(uint64_t seed, int64_t ms, uint32_t no)
{
    /* 48 bits of time, version 7, 12 bits that depend on the time alone (so that order within one millisecond is the
     * order of numbers), variant, 34 bits of number, 28 bits of noise. */
    uint64_t time = (uint64_t)ms & 0xffffffffffffu;
    uint64_t high = time << 16 | 0x7000u | (sim_mix(seed ^ time) & 0xfffu);
    uint64_t low = UINT64_C(2) << 62 | (uint64_t)no << 28 | (sim_mix(seed + no) & 0xfffffffu);
    struct uuid id;
    for (unsigned i = 0; i < 8; i++) {
        id.b[i] = (unsigned char)(high >> (56 - 8 * i));
        id.b[8 + i] = (unsigned char)(low >> (56 - 8 * i));
    }
    return id;
}

uint32_t sim_lead_no(const struct uuid *id)
{
    uint64_t low = 0;
    for (unsigned i = 8; i < 16; i++)
        low = low << 8 | id->b[i];
    return (uint32_t)(low >> 28 & 0xffffffffu);
}

void sim_table_init(struct sim_table *t, uint64_t seed, bool exact_case)
{
    *t = (struct sim_table){.exact_case = exact_case};
    buf_init(&t->scratch, SCRATCH_MAX);
    for (unsigned i = 0; i < HASH_SECRET_N; i++)
        t->secret[i] = (unsigned char)sim_mix(seed + i);
}

void sim_table_free(struct sim_table *t)
{
    for (uint32_t no = 1; no <= t->n; no++)
        free(sim_table_at(t, no)->text);
    for (size_t i = 0; i < t->chunks_n; i++)
        free(t->chunks[i]);
    free(t->chunks);
    free(t->slots);
    buf_free(&t->scratch);
    *t = (struct sim_table){0};
}

struct sim_lead *sim_table_at(const struct sim_table *t, uint32_t no)
{
    return &t->chunks[(no - 1) / SIM_CHUNK][(no - 1) % SIM_CHUNK];
}

/* The number is only where to look: all of the id must agree. */
uint32_t sim_table_by_id(const struct sim_table *t, const struct uuid *id)
{
    uint32_t no = sim_lead_no(id);
    if (no == 0 || no > t->n)
        return 0;
    const struct sim_lead *lead = sim_table_at(t, no);
    return lead->text != NULL && uuid_eq(&lead->id, id) ? no : 0;
}

/* ASCII alone; what the real service does with other letters is not known. */
static char fold(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

uint64_t sim_table_hash(struct sim_table *t, struct str email)
{
    if (t->exact_case)
        return hash_keyed64(t->secret, email.p, email.n);
    char small[320];
    if (email.n > sizeof small) /* longer than any address that is accepted: only ever asked for, never stored */
        return hash_keyed64(t->secret, email.p, email.n);
    for (size_t i = 0; i < email.n; i++)
        small[i] = fold(email.p[i]);
    return hash_keyed64(t->secret, small, email.n);
}

/* The slot of a hash, or the free one where it would go. */
static struct sim_slot *find_slot(struct sim_slot *slots, size_t cap, uint64_t hash)
{
    size_t i = hash & (cap - 1);
    while (slots[i].used && slots[i].hash != hash)
        i = (i + 1) & (cap - 1);
    return &slots[i];
}

/* Keeps the slots at most two thirds full; addresses whose leads are all gone are left behind. */
static int grow_slots(struct sim_table *t)
{
    if ((t->slots_used + 1) * 3 <= t->slots_cap * 2)
        return 0;
    size_t cap = t->slots_cap == 0 ? 1024 : t->slots_cap * 2;
    struct sim_slot *slots = calloc(cap, sizeof *slots);
    if (slots == NULL)
        return -1;
    size_t used = 0;
    for (size_t i = 0; i < t->slots_cap; i++) {
        if (t->slots[i].head == 0)
            continue;
        *find_slot(slots, cap, t->slots[i].hash) = t->slots[i];
        used++;
    }
    free(t->slots);
    t->slots = slots;
    t->slots_cap = cap;
    t->slots_used = used;
    return 0;
}

/* Equal hashes are all but equal addresses; this is for the rest. */
static bool same_email(const struct sim_table *t, struct str a, struct str b)
{
    return t->exact_case ? str_eq(a, b) : str_eq_nocase(a, b);
}

/* Newest first: a chain is built at its head. */
uint32_t sim_table_by_email(struct sim_table *t, struct str email, uint32_t after)
{
    if (t->slots_cap == 0 || email.n == 0)
        return 0;
    uint32_t no = after != 0 ? sim_table_at(t, after)->next
                             : find_slot(t->slots, t->slots_cap, sim_table_hash(t, email))->head;
    while (no != 0 && !same_email(t, sim_lead_email(sim_table_at(t, no)), email))
        no = sim_table_at(t, no)->next;
    return no;
}

/* Into the scratch buffer: a number and the bytes, field by field. */
static int pack(struct sim_table *t, const struct sim_fields *fields)
{
    buf_reset(&t->scratch);
    for (unsigned i = 0; i < BF_N; i++) {
        struct str s = fields->f[i];
        /* the length plus one, so that 0 says absent */
        if (buf_add_varint(&t->scratch, s.p == NULL ? 0 : s.n + 1) != 0)
            return -1;
        if (s.n > 0 && buf_add(&t->scratch, s.p, s.n) != 0)
            return -1;
    }
    return 0;
}

/* The fields may borrow from the lead itself: its old text goes when the new one is there. */
int sim_table_set(struct sim_table *t, struct sim_lead *lead, const struct sim_fields *fields)
{
    if (pack(t, fields) != 0)
        return -1;
    char *text = malloc(t->scratch.n);
    if (text == NULL)
        return -1;
    memcpy(text, t->scratch.p, t->scratch.n);
    free(lead->text);
    lead->text = text;
    lead->text_n = (uint32_t)t->scratch.n;
    return 0;
}

/* Makes room for lead number `no`. */
static int grow_chunks(struct sim_table *t, uint32_t no)
{
    while (t->chunks_n * SIM_CHUNK < no) {
        if (t->chunks_n == t->chunks_cap) {
            size_t cap = t->chunks_cap == 0 ? 64 : t->chunks_cap * 2;
            struct sim_lead **chunks = realloc(t->chunks, cap * sizeof *chunks);
            if (chunks == NULL)
                return -1;
            t->chunks = chunks;
            t->chunks_cap = cap;
        }
        struct sim_lead *chunk = calloc(SIM_CHUNK, sizeof *chunk);
        if (chunk == NULL)
            return -1;
        t->chunks[t->chunks_n++] = chunk;
    }
    return 0;
}

/* Everything that can fail comes before the lead counts. */
struct sim_lead *sim_table_put(struct sim_table *t, uint32_t no, const struct sim_fields *fields)
{
    if (no <= t->n || grow_chunks(t, no) != 0 || grow_slots(t) != 0)
        return NULL;
    struct sim_lead *lead = sim_table_at(t, no);
    if (sim_table_set(t, lead, fields) != 0)
        return NULL;
    t->n = no;
    t->live++;
    struct str email = fields->f[BF_EMAIL];
    if (email.n > 0) {
        uint64_t hash = sim_table_hash(t, email);
        struct sim_slot *slot = find_slot(t->slots, t->slots_cap, hash);
        if (!slot->used)
            t->slots_used++;
        lead->next = slot->head;
        *slot = (struct sim_slot){.hash = hash, .head = no, .used = true};
    }
    return lead;
}

int sim_table_skip(struct sim_table *t, uint32_t no)
{
    if (no <= t->n)
        return 0;
    if (grow_chunks(t, no) != 0)
        return -1;
    t->n = no;
    return 0;
}

/* The id stays, so that the number is never mistaken for free; the address is unlinked from its chain. */
void sim_table_delete(struct sim_table *t, uint32_t no)
{
    struct sim_lead *lead = sim_table_at(t, no);
    struct str email = sim_lead_email(lead);
    if (email.n > 0) {
        struct sim_slot *slot = find_slot(t->slots, t->slots_cap, sim_table_hash(t, email));
        uint32_t *link = &slot->head;
        while (*link != no)
            link = &sim_table_at(t, *link)->next;
        *link = lead->next;
    }
    free(lead->text);
    *lead = (struct sim_lead){.id = lead->id};
    t->live--;
}

void sim_lead_fields(const struct sim_lead *lead, struct sim_fields *out)
{
    const char *p = lead->text, *end = lead->text + lead->text_n;
    for (unsigned i = 0; i < BF_N; i++) {
        unsigned long long n = 0;
        out->f[i] = STR_NONE;
        if (unpack_varint(&p, end, &n) != 0 || n == 0)
            continue;
        out->f[i] = (struct str){p, (size_t)n - 1};
        p += n - 1;
    }
}

struct str sim_lead_email(const struct sim_lead *lead)
{
    const char *p = lead->text;
    unsigned long long n = 0;
    if (p == NULL || unpack_varint(&p, lead->text + lead->text_n, &n) != 0 || n == 0)
        return STR_NONE;
    return (struct str){p, (size_t)n - 1};
}
