/* A mapping that does not parse still shows its name, since `name:` is a line of its own. */
#include "config.h"

#include "sync/cli/run/mapping_name.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_BYTES = 63, LINES_MAX = 10000 };

static bool is_name(const char *text, size_t n)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    return n > 0 && n <= NAME_MAX_BYTES && strspn(text, allowed) >= n && strchr("._-", text[0]) == NULL;
}

static char *name_of_line(const char *line)
{
    static const char key[] = "name:";
    if (strncmp(line, key, sizeof key - 1) != 0)
        return NULL;
    line += sizeof key - 1;
    line += strspn(line, " \t\"'");
    size_t n = strcspn(line, " \t\"'#\r\n");
    return is_name(line, n) ? strndup(line, n) : NULL;
}

char *mapping_name_guess(const char *path)
{
    FILE *f = fopen(path, "re");
    char *line = NULL, *name = NULL;
    size_t size = 0;
    for (int i = 0; f != NULL && name == NULL && i < LINES_MAX && getline(&line, &size, f) >= 0; i++)
        name = name_of_line(line);
    free(line);
    if (f != NULL)
        fclose(f);
    if (name != NULL)
        return name;
    const char *slash = strrchr(path, '/'), *base = slash != NULL ? slash + 1 : path, *dot = strrchr(base, '.');
    size_t n = dot != NULL ? (size_t)(dot - base) : strlen(base);
    return is_name(base, n) ? strndup(base, n) : strdup("unknown");
}
