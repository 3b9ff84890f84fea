/* Recipes by name or path. */
#include "base/recipe.h"

#include <stdio.h>
#include <string.h>

#include <protea/options.h>

#include "base/status.h"

const char *const *protea_recipe_names(void)
{
    return protea_recipe_file_names;
}

protea_status protea_recipe_find(const char *name, const char **text, size_t *len)
{
    for (const protea_recipe_file *file = protea_recipe_files; file->name != NULL; file++) {
        if (strcmp(file->name, name) != 0)
            continue;
        *text = file->text;
        *len = file->len;
        return PROTEA_OK;
    }
    const char *near = protea_nearest(name, protea_recipe_file_names);
    if (near == NULL)
        return protea_fail(PROTEA_ERR_USAGE, "--recipe: \"%.100s\" found, a recipe's name or a path wanted", name);
    return protea_fail(PROTEA_ERR_USAGE, "--recipe: \"%.100s\" found; did you mean %s?", name, near);
}

static int ends_with(const char *text, const char *end)
{
    size_t len = strlen(text), end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

protea_status protea_options_read_recipe(protea_options *options, const char *name_or_path)
{
    if (strchr(name_or_path, '/') != NULL || ends_with(name_or_path, ".yaml") || ends_with(name_or_path, ".yml"))
        return protea_options_read_file(options, name_or_path, PROTEA_FROM_RECIPE);
    const char *text;
    size_t len;
    char label[128];
    PROTEA_TRY(protea_recipe_find(name_or_path, &text, &len));
    snprintf(label, sizeof label, "recipe %s", name_or_path);
    return protea_options_read_yaml(options, text, len, label, PROTEA_FROM_RECIPE);
}
