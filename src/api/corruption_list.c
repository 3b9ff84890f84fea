#include "api/corruption_list.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <protea/options.h>

static const struct group { const char *name; int first, end; } groups[] = {
    { "standard", 0, PROTEA_CORRUPTIONS_STANDARD },
    { "extra", PROTEA_CORRUPTIONS_STANDARD, PROTEA_CORRUPTIONS },
    { "all", 0, PROTEA_CORRUPTIONS },
};
enum { GROUPS = sizeof groups / sizeof *groups, LONGEST_NAME = 64 };

static protea_status unknown(const char *option, const char *word)
{
    const char *names[PROTEA_CORRUPTIONS + GROUPS + 1] = { NULL };
    for (int i = 0; i < PROTEA_CORRUPTIONS; i++)
        names[i] = protea_corruption_name(i);
    for (int i = 0; i < GROUPS; i++)
        names[PROTEA_CORRUPTIONS + i] = groups[i].name;
    const char *near = protea_nearest(word, names);
    return near == NULL ? protea_fail(PROTEA_ERR_USAGE, "%s %s: no such corruption; wanted standard, extra, all or names like fog",
                                      option, word)
                        : protea_fail(PROTEA_ERR_USAGE, "%s %s: no such corruption; did you mean %s?", option, word, near);
}

static protea_status add(protea_corruption_list *list, const char *option, int id)
{
    for (int i = 0; i < list->n; i++)
        if (list->id[i] == id)
            return protea_fail(PROTEA_ERR_USAGE, "%s: %s found twice", option, protea_corruption_name(id));
    list->id[list->n++] = id;
    return PROTEA_OK;
}

static protea_status add_word(protea_corruption_list *list, const char *option, const char *word)
{
    int id = protea_corruption_find(word);
    if (id >= 0)
        return add(list, option, id);
    for (int g = 0; g < GROUPS; g++) {
        if (strcmp(groups[g].name, word) != 0)
            continue;
        for (int i = groups[g].first; i < groups[g].end; i++)
            PROTEA_TRY(add(list, option, i));
        return PROTEA_OK;
    }
    return unknown(option, word);
}

protea_status protea_corruption_list_read(protea_corruption_list *list, const char *option, const char *text)
{
    char word[LONGEST_NAME];
    *list = (protea_corruption_list){ 0 };
    while (*text != 0) {
        size_t len = strcspn(text, ",");
        snprintf(word, sizeof word, "%.*s", (int)(len < sizeof word ? len : sizeof word - 1), text);
        PROTEA_TRY(add_word(list, option, word));
        text += len + (text[len] == ',');
    }
    return PROTEA_OK;
}
