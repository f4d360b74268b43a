/* Runs a fuzz target over its kept inputs without a fuzzer, as one TAP test: what was found once stays found, under every
 * compiler and sanitizer. The inputs lie in tests/fuzz/corpus/TARGET, TARGET being the name of this program. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fail(const char *what, const char *name)
{
    printf("not ok 1 - %s: %s: %s\n", name, what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* Each input gets memory of just its size, so that reading past it is noticed. */
static void replay(const char *path)
{
    struct stat st;
    FILE *f = fopen(path, "rb");
    if (f == NULL || fstat(fileno(f), &st) < 0)
        fail("cannot be read", path);
    size_t n = (size_t)st.st_size;
    uint8_t *data = malloc(n > 0 ? n : 1);
    if (data == NULL || fread(data, 1, n, f) != n)
        fail("cannot be read", path);
    fclose(f);
    /* A target that finds something aborts: the log then ends in the input that did it. */
    printf("# %s\n", path);
    fflush(stdout);
    LLVMFuzzerTestOneInput(data, n);
    free(data);
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

int main(int argc, char **argv)
{
    const char *name = strrchr(argv[0], '/'), *srcdir = getenv("srcdir");
    struct dirent **inputs;
    char *folder, *path;
    (void)argc;
    name = name != NULL ? name + 1 : argv[0];
    printf("1..1\n");
    if (asprintf(&folder, "%s/tests/fuzz/corpus/%.*s", srcdir != NULL ? srcdir : ".", (int)strcspn(name, "."), name) < 0)
        fail("no memory", name);
    int n = scandir(folder, &inputs, is_input, alphasort);
    if (n < 0)
        fail("cannot be listed", folder);
    for (int i = 0; i < n; i++) {
        if (asprintf(&path, "%s/%s", folder, inputs[i]->d_name) < 0)
            fail("no memory", name);
        replay(path);
        free(path);
        free(inputs[i]);
    }
    free(inputs);
    printf("%sok 1 - %d inputs of %s\n", n > 0 ? "" : "not ", n, folder);
    free(folder);
    return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
