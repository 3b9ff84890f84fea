#include "data/labelled_part.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "data/named_images.h"

/* ---- what is wanted */

protea_status protea_part_wish_read(protea_part_wish *wish, const char *text)
{
    char *end;
    double number = strtod(text, &end);
    *wish = (protea_part_wish){ 0 };
    if (end > text && strcmp(end, "%") == 0) {
        wish->share = number / 100;
        return wish->share > 0 && wish->share <= 1
                   ? PROTEA_OK
                   : protea_fail(PROTEA_ERR_USAGE, "--labels: \"%s\" found, a share above 0%% and up to 100%% wanted", text);
    }
    if (text[0] != 0 && strspn(text, "0123456789") == strlen(text)) {
        wish->per_class = strlen(text) < 16 ? strtoll(text, NULL, 10) : 0;
        return wish->per_class > 0
                   ? PROTEA_OK
                   : protea_fail(PROTEA_ERR_USAGE, "--labels: \"%s\" found, a number of images of each class wanted", text);
    }
    wish->list = text;
    return text[0] != 0 ? PROTEA_OK
                        : protea_fail(PROTEA_ERR_USAGE, "--labels: nothing found; wanted a share as 10%%, a number of images of "
                                      "each class, or a list of images");
}

/* ---- choosing */

typedef struct choice {
    protea_source *whole;
    const protea_part_wish *wish;
    uint64_t seed;
    const char *name;
    bool *taken;         /* (images) owned */
    int64_t *order;      /* (images) class after class; owned */
    int64_t *first;      /* (classes + 2) class k is order[first[k]] .. order[first[k + 1] - 1]; owned */
    int64_t *of_class;   /* (classes) images taken; owned */
} choice;

/* How many of a class's n images. */
static protea_status how_many(int64_t *out, const choice *c, int class, int64_t n)
{
    const protea_part_wish *w = c->wish;
    int64_t share = (int64_t)floor(w->share * (double)n + 0.5);
    *out = w->per_class > 0 ? w->per_class : share < 1 ? 1 : share;
    if (*out <= n)
        return PROTEA_OK;
    return protea_fail(PROTEA_ERR_INPUT, "%s: its class %s has %lld images, %lld wanted", c->name,
                       protea_source_class(c->whole, class), (long long)n, (long long)*out);
}

/* By counting; images without a class are in none. While it runs, first[k + 1] is where the next image of class k goes. */
static void sort_by_class(choice *c)
{
    int64_t n = protea_source_count(c->whole);
    for (int64_t i = 0; i < n; i++)
        if (protea_source_label(c->whole, i) >= 0)
            c->first[protea_source_label(c->whole, i) + 2]++;
    for (int class = 0; class < protea_source_n_classes(c->whole); class++)
        c->first[class + 2] += c->first[class + 1];
    for (int64_t i = 0; i < n; i++)
        if (protea_source_label(c->whole, i) >= 0)
            c->order[c->first[protea_source_label(c->whole, i) + 1]++] = i;
}

static protea_status draw_class(choice *c, int class)
{
    int64_t *image = c->order + c->first[class], n = c->first[class + 1] - c->first[class], wanted;
    protea_rng rng = protea_rng_make(c->seed, PROTEA_RNG_LABELS, 0, (uint64_t)class, 0);
    PROTEA_TRY(how_many(&wanted, c, class, n));
    protea_rng_shuffle(&rng, image, n);
    for (int64_t i = 0; i < wanted; i++)
        c->taken[image[i]] = true;
    return PROTEA_OK;
}

static protea_status take_named(void *self, int64_t line, int64_t image)
{
    choice *c = self;
    char shown[512];
    protea_escape(shown, sizeof shown, protea_source_name(c->whole, image));
    if (protea_source_label(c->whole, image) < 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: line %lld: %s has no class", c->wish->list, (long long)line, shown);
    if (c->taken[image])
        return protea_fail(PROTEA_ERR_INPUT, "%s: line %lld: %s is named a second time", c->wish->list, (long long)line, shown);
    c->taken[image] = true;
    return PROTEA_OK;
}

static protea_status choose(choice *c)
{
    if (c->wish->list != NULL)
        return protea_named_images_read(c->wish->list, c->whole, c->name, take_named, c);
    sort_by_class(c);
    for (int class = 0; class < protea_source_n_classes(c->whole); class++)
        PROTEA_TRY(draw_class(c, class));
    return PROTEA_OK;
}

static protea_status check_classes(const choice *c)
{
    for (int class = 0; class < protea_source_n_classes(c->whole); class++)
        if (c->of_class[class] == 0)
            return protea_fail(PROTEA_ERR_INPUT, "%s: names no image of the class %s of %s", c->wish->list,
                               protea_source_class(c->whole, class), c->name);
    return PROTEA_OK;
}

/* ---- the part as a data set */

static protea_status name_classes(protea_class_names *names, const protea_source *whole)
{
    for (int class = 0; class < protea_source_n_classes(whole); class++)
        PROTEA_TRY(protea_class_names_add(names, protea_source_class(whole, class)));
    return PROTEA_OK;
}

static protea_status gather(protea_source **out, choice *c, protea_pick *pick, const protea_class_names *classes)
{
    int64_t n = 0;
    for (int64_t i = 0; i < protea_source_count(c->whole); i++)
        if (c->taken[i]) {
            pick[n++] = (protea_pick){ .image = i, .label = protea_source_label(c->whole, i) };
            c->of_class[protea_source_label(c->whole, i)]++;
        }
    PROTEA_TRY(check_classes(c));
    return protea_source_gather(out, &c->whole, 1, pick, n, classes);
}

static protea_status allocate(choice *c)
{
    size_t images = (size_t)protea_source_count(c->whole), classes = (size_t)protea_source_n_classes(c->whole);
    PROTEA_TRY(protea_new(&c->taken, images, sizeof *c->taken, "choosing images"));
    PROTEA_TRY(protea_new(&c->order, images, sizeof *c->order, "choosing images"));
    PROTEA_TRY(protea_new(&c->first, classes + 2, sizeof *c->first, "choosing images"));
    return protea_new(&c->of_class, classes, sizeof *c->of_class, "choosing images");
}

static protea_status open_part(protea_source **out, choice *c)
{
    protea_pick *pick = NULL;
    protea_class_names classes = { 0 };
    PROTEA_TRY(allocate(c));
    PROTEA_TRY(choose(c));
    protea_status status = protea_new(&pick, (size_t)protea_source_count(c->whole), sizeof *pick, "choosing images");
    if (status == PROTEA_OK)
        status = name_classes(&classes, c->whole);
    if (status == PROTEA_OK)
        status = gather(out, c, pick, &classes);
    protea_class_names_release(&classes);
    protea_free(pick);
    return status;
}

protea_status protea_labelled_part_open(protea_source **out, protea_source *whole, const protea_part_wish *wish, uint64_t seed,
                                        const char *name)
{
    choice c = { .whole = whole, .wish = wish, .seed = seed, .name = name };
    *out = NULL;
    if (protea_source_n_classes(whole) == 0)
        return protea_fail(PROTEA_ERR_INPUT, "%s: its images have no classes; wanted a folder of class folders", name);
    protea_status status = open_part(out, &c);
    protea_free(c.taken);
    protea_free(c.order);
    protea_free(c.first);
    protea_free(c.of_class);
    return status;
}
