/* What looks odd about a data set, each thing in a line: seldom wrong, but worth a look before hours are spent on it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/inspect.h"

enum { NAME_SHOWN = 300 };

static void note(json_t *odd, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void note(json_t *odd, const char *format, ...)
{
    char line[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    json_array_append_new(odd, json_string(line));
}

/* ---- parts of a benchmark beside each other */

typedef struct part { const char *name; int64_t images; } part;

/* Whose name a folder has; folder: not ended by 0. NULL: it is no part. */
static part *part_of(part *parts, const char *folder, size_t len)
{
    for (part *p = parts; p->name != NULL; p++)
        if (strlen(p->name) == len && strncasecmp(p->name, folder, len) == 0)
            return p;
    return NULL;
}

/* Counts for the outermost of the image's folders that is a part. */
static void count_image(part *parts, const char *name)
{
    part *p = NULL;
    for (const char *slash; p == NULL && (slash = strchr(name, '/')) != NULL; name = slash + 1)
        p = part_of(parts, name, (size_t)(slash - name));
    if (p != NULL)
        p->images++;
}

static void note_parts(json_t *odd, const protea_source *source)
{
    part parts[] = { { "train", 0 }, { "training", 0 }, { "val", 0 },     { "valid", 0 },
                     { "validation", 0 }, { "test", 0 },  { "testing", 0 }, { NULL, 0 } };
    char list[400] = "";
    int found = 0;
    for (int64_t i = 0; i < protea_source_count(source); i++)
        count_image(parts, protea_source_name(source, i));
    for (const part *p = parts; p->name != NULL; p++)
        if (p->images > 0) {
            size_t len = strlen(list);
            snprintf(list + len, sizeof list - len, "%s%s/ (%lld images)", found++ > 0 ? ", " : "", p->name, (long long)p->images);
        }
    if (found > 1)
        note(odd, "parts lie in one tree and are taken as one set: %s; PATH::FOLDER is one of them alone", list);
}

/* ---- classes */

static void note_classes(json_t *odd, const protea_source *source, const json_t *images_per_class)
{
    char name[NAME_SHOWN];
    size_t n = json_array_size(images_per_class), first = 0, single = 0;
    for (size_t c = n; c-- > 0;)
        if (json_integer_value(json_array_get(images_per_class, c)) == 1) {
            single++;
            first = c;
        }
    protea_escape(name, sizeof name, protea_source_class(source, (int)first));
    if (single == 1)
        note(odd, "a class has a single image: %s", name);
    if (single > 1)
        note(odd, "%zu of %zu classes have a single image, %s first", single, n, name);
}

static void note_unlabelled(json_t *odd, const protea_source *source)
{
    const int32_t *label;
    int64_t n = protea_source_count(source), without = 0;
    for (int64_t i = 0; i < n; i++)
        without += protea_source_labels(source, i, &label) == 0;
    if (protea_source_n_classes(source) > 0 && without > 0)
        note(odd, "%lld of %lld images have no label", (long long)without, (long long)n);
}

/* ---- what was seen when it was opened, and sizes */

static void note_holder(json_t *odd, const protea_source *source)
{
    char name[NAME_SHOWN];
    const protea_oddities seen = protea_source_oddities(source);
    if (seen.same_names > 0)
        note(odd, "%lld members are left out, as a later one has the same name", (long long)seen.same_names);
    protea_escape(name, sizeof name, seen.empty_folder);
    if (seen.empty_folders == 1)
        note(odd, "a folder holds no images: %s", name);
    if (seen.empty_folders > 1)
        note(odd, "%lld folders hold no images, %s first", (long long)seen.empty_folders, name);
}

void protea_inspect_odd(json_t *odd, const protea_source *source, const json_t *images_per_class, const int width[2],
                        const int height[2])
{
    note_parts(odd, source);
    note_classes(odd, source, images_per_class);
    note_unlabelled(odd, source);
    note_holder(odd, source);
    if (width[0] != width[1] || height[0] != height[1])
        note(odd, "sizes differ: %d to %d pixels wide, %d to %d high", width[0], width[1], height[0], height[1]);
}
