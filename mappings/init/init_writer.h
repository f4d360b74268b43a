/* The mapping file that init writes, part by part. Internal to init. */
#ifndef MAPPINGS_INIT_INIT_WRITER_H
#define MAPPINGS_INIT_INIT_WRITER_H

#include "mappings/file/yaml_write.h"

struct mapping_init;
struct mapping_init_file;

struct init_writer {
    struct yaml_writer yaml;
    const struct mapping_init *init;
    const struct mapping_init_file *file;
};

/* The first part of the file (init_head.c): what it is, its name, source and target. */
void init_put_head(struct init_writer *w);

#endif
