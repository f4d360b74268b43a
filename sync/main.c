#include "config.h"

#include <stdio.h>

int main(void)
{
    printf("leadsync %s\n", PACKAGE_VERSION);
    return 0;
}
