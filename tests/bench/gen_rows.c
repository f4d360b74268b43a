/* People as a CSV on stdout, about 173 bytes a row.
 *
 * usage: gen_rows N [--from FIRST] [--seed S] [--changed PERCENT]
 *
 * Person FIRST … FIRST+N-1. The same seed gives the same rows; with --changed, that share of the rows (every row has
 * its own luck, by the seed) has another job title than without it, and nothing else differs. */
#include "config.h"

#include "tests/bench/person.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const first_names[] = {"Ann",  "Bogdan", "Chidi",     "Dolores", "Eskil", "Fatima", "Günther",   "Hana",
                                          "Ilse", "João",   "Katarzyna", "Liam",    "Mei",   "Noor",   "Oluwaseun", "Pia"};
static const char *const last_names[] = {"Abernathy",  "Brandt",    "Castellanos", "Dvořák",      "Eriksen",   "Fernández",
                                         "Grünwald",   "Hashimoto", "Ibrahim",     "Johansson",   "Kowalczyk", "Lindqvist",
                                         "Montgomery", "Nakamura",  "O'Brien",     "Papadopoulos"};
static const char *const companies[] = {"Northwind Logistics", "Blue Harbor Foods",  "Kestrel Analytics",
                                        "Oak & Sons",          "Meridian Health",    "Summit Robotics",
                                        "Lumen Energy",        "Copper Canyon Media"};
static const char *const titles[] = {"Head of Operations",       "VP Sales EMEA",    "Founder",
                                     "Chief Technology Officer", "Procurement Lead", "Marketing Manager",
                                     "Director of Growth",       "Partner"};
#define PICK(table, bits) (table)[(bits) % (sizeof(table) / sizeof(table)[0])]

static void row(uint64_t n, uint64_t seed, uint64_t changed_per_10000)
{
    uint64_t luck = person_mix(n ^ person_mix(seed));
    bool changed = (luck >> 40) % 10000 < changed_per_10000;
    const char *company = PICK(companies, luck >> 8);
    printf(PERSON_EMAIL ",%s,%s,\"%s, %s\",%s%s,+49 30 %07" PRIu64 ",https://example.com/team/%09" PRIu64
                        ",Saw your talk on %s today.\n",
           n, PICK(first_names, luck), PICK(last_names, luck >> 4), company, (luck & 64) != 0 ? "Inc." : "GmbH & Co",
           changed ? "Interim " : "", PICK(titles, luck >> 12), luck % 10000000, n, company);
}

static int usage(void)
{
    fputs("usage: gen_rows N [--from FIRST] [--seed S] [--changed PERCENT]\n", stderr);
    return 64;
}

int main(int argc, char **argv)
{
    uint64_t from = 1, seed = 1, changed = 0;
    if (argc < 2 || argc % 2 != 0)
        return usage();
    char *end;
    uint64_t n = strtoull(argv[1], &end, 10);
    if (*end != '\0')
        return usage();
    for (int i = 2; i < argc; i += 2) {
        double value = strtod(argv[i + 1], &end);
        if (*end != '\0' || value < 0)
            return usage();
        if (strcmp(argv[i], "--from") == 0)
            from = (uint64_t)value;
        else if (strcmp(argv[i], "--seed") == 0)
            seed = (uint64_t)value;
        else if (strcmp(argv[i], "--changed") == 0)
            changed = (uint64_t)(value * 100);
        else
            return usage();
    }
    setvbuf(stdout, NULL, _IOFBF, 1 << 20);
    puts("email,first_name,last_name,company_name,job_title,phone,website,personalization");
    for (uint64_t i = 0; i < n; i++)
        row(from + i, seed, changed);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "gen_rows: %s\n", strerror(errno));
        return 74;
    }
    return 0;
}
