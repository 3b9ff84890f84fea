#include "api/corruption_list.h"

#include <stdio.h>
#include <string.h>

#include <protea/options.h>

static const struct group { const char *name; int first, end; } groups[] = {
    { "all", 0, PROTEA_CORRUPTIONS },
    { "standard", 0, PROTEA_CORRUPTIONS_STANDARD },
    { "extra", PROTEA_CORRUPTIONS_STANDARD, PROTEA_CORRUPTIONS },
};
enum { GROUPS = sizeof groups / sizeof *groups, LONGEST_NAME = 64 };

static protea_status unknown(const char *label, const char *word)
{
    const char *names[PROTEA_CORRUPTIONS + GROUPS + 1] = { NULL };
    for (int i = 0; i < GROUPS; i++)
        names[i] = groups[i].name;
    for (int i = 0; i < PROTEA_CORRUPTIONS; i++)
        names[GROUPS + i] = protea_corruption_name(i);
    const char *near = protea_nearest(word, names);
    if (near != NULL)
        return protea_fail(PROTEA_ERR_USAGE, "%s%s: no such corruption; did you mean %s?", label, word, near);
    char all[512] = "";
    for (const char *const *name = names; *name != NULL; name++)
        snprintf(all + strlen(all), sizeof all - strlen(all), " %s", *name);
    return protea_fail(PROTEA_ERR_USAGE, "%s%s: no such corruption; there are:%s", label, word, all);
}

static void add(protea_corruption_list *list, int id)
{
    for (int i = 0; i < list->n; i++)
        if (list->id[i] == id)
            return;
    list->id[list->n++] = id;
}

static protea_status add_word(protea_corruption_list *list, const char *label, const char *word)
{
    int id = protea_corruption_find(word);
    if (id >= 0) {
        add(list, id);
        return PROTEA_OK;
    }
    for (int g = 0; g < GROUPS; g++) {
        if (strcmp(groups[g].name, word) != 0)
            continue;
        for (int i = groups[g].first; i < groups[g].end; i++)
            add(list, i);
        return PROTEA_OK;
    }
    return unknown(label, word);
}

protea_status protea_corruption_list_read(protea_corruption_list *list, const char *label, const char *text)
{
    char word[LONGEST_NAME];
    *list = (protea_corruption_list){ 0 };
    if (*text == 0)
        return PROTEA_OK;
    for (;; text++) {
        size_t len = strcspn(text, ",");
        snprintf(word, sizeof word, "%.*s", (int)(len < sizeof word ? len : sizeof word - 1), text);
        PROTEA_TRY(add_word(list, label, word));
        text += len;
        if (*text == 0)
            return PROTEA_OK;
    }
}
