/* The recipes that ship inside the library: made from recipes/ by recipes.cmake, looked up by recipe.c. */
#ifndef PROTEA_BASE_RECIPE_H
#define PROTEA_BASE_RECIPE_H

#include <stddef.h>

typedef struct protea_recipe_file {
    const char *name, *text;
    size_t len;
} protea_recipe_file;

/* In alphabetical order, ended by a NULL name. */
extern const protea_recipe_file protea_recipe_files[];
extern const char *const protea_recipe_file_names[];

#endif
