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

static void count_image(part *parts, const char *name)
{
    for (const char *slash; (slash = strchr(name, '/')) != NULL; name = slash + 1)
        for (part *p = parts; p->name != NULL; p++)
            if (strlen(p->name) == (size_t)(slash - name) && strncasecmp(p->name, name, strlen(p->name)) == 0) {
                p->images++; /* of the outermost folder alone */
                return;
            }
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
    size_t n = json_array_size(images_per_class), first = 0;
    int64_t single = 0, labelled = 0;
    for (size_t c = n; c-- > 0;) {
        json_int_t images = json_integer_value(json_array_get(images_per_class, c));
        labelled += images;
        single += images == 1;
        first = images == 1 ? c : first;
    }
    protea_escape(name, sizeof name, protea_source_class(source, (int)first));
    if (single == 1)
        note(odd, "a class has a single image: %s", name);
    if (single > 1)
        note(odd, "%lld of %zu classes have a single image, %s first", (long long)single, n, name);
    if (n > 0 && labelled < protea_source_count(source))
        note(odd, "%lld of %lld images have no label", (long long)(protea_source_count(source) - labelled),
             (long long)protea_source_count(source));
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
    note_holder(odd, source);
    if (width[0] != width[1] || height[0] != height[1])
        note(odd, "sizes differ: %d to %d pixels wide, %d to %d high", width[0], width[1], height[0], height[1]);
}
