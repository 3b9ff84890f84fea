/* Proves: pictures of a page keep to the bytes they are given, becoming smaller before any is left out; a page of clusters
 * stays below its limits when there are a million images with the longest and worst of names; each of few has a point; without a
 * map pages keep their pictures; those on a page are the most typical, on the border and far, as it says; few images, images that
 * are one point and images that cannot be read have their page; names stay text. */
#include "support/test_context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "format/npy.h"
#include "report/cluster_view.h"
#include "report/thumbs.h"
#include "support/temp_folder.h"

enum { SIDE = 96, PICTURES = 64, FILES = 8, DIM = 4, K = 1010 };
static protea_ctx cx;

static int setup(void **state)
{
    cx = test_context_open(1 << 20);
    return temp_folder_enter(state);
}

static int teardown(void **state)
{
    test_context_close(&cx);
    return temp_folder_leave(state);
}

static uint32_t noise(uint32_t *at)
{
    *at = *at * 1664525U + 1013904223U;
    return *at >> 16;
}

static int occurrences(const char *text, const char *word)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at += strlen(word))
        n++;
    return n;
}

/* Noise is the worst that JPEG and PNG can be given. */
static void write_noise_set(void)
{
    uint8_t *pixel = malloc((size_t)PICTURES * SIDE * SIDE * 3);
    uint32_t at = 1;
    for (int i = 0; i < PICTURES * SIDE * SIDE * 3; i++)
        pixel[i] = (uint8_t)noise(&at);
    const protea_tensor t = { .data = pixel, .dtype = PROTEA_U8, .n_dims = 4, .dim = { PICTURES, SIDE, SIDE, 3 } };
    assert_ok(protea_npy_write("noise.npy", &t));
    free(pixel);
}

/* Rules written into so many bytes; *len: bytes taken. */
static int thumbs_in(size_t budget, size_t *len)
{
    protea_source *source;
    protea_source_opts opts = protea_source_opts_default();
    int64_t image[PICTURES];
    char *text = NULL;
    for (int i = 0; i < PICTURES; i++)
        image[i] = i;
    assert_ok(protea_source_open(&source, "noise.npy", &opts));
    FILE *out = open_memstream(&text, len);
    assert_ok(protea_thumbs_write(out, source, image, PICTURES, budget));
    fclose(out);
    assert_true(*len <= budget);
    int written = occurrences(text, "{--t:url(data:image/jpeg;base64,/9j/");
    assert_int_equal(occurrences(text, ")}\n"), written);
    free(text);
    protea_source_close(source);
    return written;
}

static void pictures_keep_to_their_budget(void **state)
{
    (void)state;
    size_t all, fewer, few, none;
    write_noise_set();
    assert_int_equal(thumbs_in(10000000, &all), PICTURES);
    assert_int_equal(thumbs_in(all / 3, &fewer), PICTURES); /* all are there, but smaller */
    assert_true(fewer < all / 3);
    int left = thumbs_in(all / 40, &few);
    assert_true(left > 0 && left < PICTURES);
    assert_int_equal(thumbs_in(0, &none), 0);
}

/* ---- pages */

/* Files whose names are as long as they can be and all markup; the last is no picture. */
static void write_folder(void)
{
    uint8_t *png;
    size_t len;
    protea_image image = { 0 };
    uint32_t at = 2;
    assert_ok(protea_image_reserve(&image, 128, 128));
    for (int i = 0; i < FILES; i++) {
        char name[300] = "bad/";
        size_t at_end = strlen(name);
        for (int c = 0; c < 128 * 128 * 3; c++)
            image.px[c] = (uint8_t)noise(&at);
        assert_ok(protea_image_encode_png(&png, &len, &image));
        for (int c = 0; c < 30; c++, at_end += 7)
            memcpy(name + at_end, "\"'<&>\x01\xff", 7);
        snprintf(name + at_end, 16, "%d.png", i);
        write_file(name, png, i < FILES - 1 ? len : 9);
        protea_free(png);
    }
    protea_image_release(&image);
}

typedef struct fixture {
    protea_clustering c;
    protea_class_names names;
    protea_source *source;
    int64_t *image;
    uint8_t *outlier;
    float *z, *xy;
} fixture;

/* Clusters of equal size, without the cosines of a million images to a thousand centroids. */
static void deal_out(protea_clustering *c)
{
    uint32_t at = 4;
    c->used = c->k;
    for (int64_t i = 0; i < c->n; i++) {
        c->cluster[i] = (int32_t)(i % c->k);
        c->size[i % c->k]++;
        c->similarity[i] = (float)noise(&at) / 65536;
        c->margin[i] = (float)noise(&at) / 65536;
        c->confidence[i] = (float)noise(&at) / 65536;
    }
}

static void open_fixture(fixture *f, int64_t n, int64_t k, bool one_point)
{
    protea_source_opts opts = protea_source_opts_default();
    uint32_t at = 3;
    *f = (fixture){ .z = malloc((size_t)n * DIM * sizeof(float)), .xy = malloc((size_t)n * 2 * sizeof(float)),
                    .image = malloc((size_t)n * sizeof(int64_t)), .outlier = calloc((size_t)n, 1) };
    for (int64_t i = 0; i < n * DIM; i++)
        f->z[i] = one_point ? 0.5F : (float)noise(&at) / 32768 - 1;
    for (int64_t i = 0; i < n; i++) {
        f->image[i] = i % FILES;
        f->outlier[i] = i % 7 == 0;
        f->xy[2 * i] = one_point ? 3 : (float)(noise(&at) * 65536 + noise(&at));
        f->xy[2 * i + 1] = one_point ? 3 : (float)(noise(&at) * 65536 + noise(&at));
    }
    assert_ok(protea_source_open(&f->source, ".", &opts));
    assert_ok(protea_unit_rows(&cx, f->z, n, DIM));
    assert_ok(protea_clustering_new(&f->c, f->z, n, DIM, k));
    memcpy(f->c.centroids, f->z, (size_t)(k * DIM) * sizeof(float));
    if (n < 1000)
        assert_ok(protea_clustering_assign(&cx, &f->c));
    else
        deal_out(&f->c);
    for (int64_t j = 0; j < k; j++)
        assert_ok(protea_class_names_add(&f->names, j % 2 ? "<script>alert(1)</script>\"'&\x02" : "plain"));
}

static void close_fixture(fixture *f)
{
    protea_source_close(f->source);
    protea_clustering_release(&f->c);
    protea_class_names_release(&f->names);
    free(f->z);
    free(f->xy);
    free(f->image);
    free(f->outlier);
}

/* The page as text; the caller frees it. */
static char *page_of(const fixture *f, const float *xy)
{
    const protea_near_pair pair[] = { { 0, 1, 0.995F } };
    const protea_cluster_page page = {
        .name = "d/<k>", .model = "<b>model</b>", .data = "<b>data</b>", .rule = "k-means", .c = &f->c, .names = &f->names,
        .source = f->source, .image = f->image, .outlier = f->outlier, .n_outliers = f->c.n / 7 + 1, .pair = pair,
        .n_pairs = f->c.n > 1, .pairs_sought = true, .pair_similarity = 0.99, .xy = xy, .map_rule = "<b>rule</b>", .cx = &cx,
        .output = "d",
    };
    char *text;
    size_t len;
    assert_ok(protea_cluster_page_write("page.html", &page));
    assert_ok(protea_file_read(&text, &len, "page.html", 1 << 26));
    assert_true(len <= PROTEA_PAGE_BYTES);
    assert_int_equal(strlen(text), len);
    assert_int_equal(occurrences(text, "<script"), 1);
    assert_null(strstr(text, "<b>model"));
    assert_null(strstr(text, "<b>rule"));
    assert_null(strstr(text, "nan"));
    assert_null(strstr(text, "http:"));
    assert_null(strstr(text, "https:"));
    return text;
}

/* Points of the map alone: pictures in base64 hold what looks like one now and then. */
static int points_of(char *text)
{
    char *map = strstr(text, "<svg viewBox="), *end = strstr(map, "</svg>");
    char held = *end;
    *end = 0;
    int points = occurrences(map, "h0");
    *end = held;
    return points;
}

static void a_million_images_fit(void **state)
{
    (void)state;
    write_folder(); /* for the tests after it, too */
#ifdef __SANITIZE_ADDRESS__
    skip(); /* minutes */
#endif
    fixture f;
    open_fixture(&f, 1000000, K, false);
    char *text = page_of(&f, f.xy);
    int points = points_of(text);
    assert_true(points > 490000 && points <= 500000);
    assert_int_equal(occurrences(text, "class=\"pin "), 4000);
    int pictures = occurrences(text, "{--t:url(");
    assert_true(pictures > 3300 && pictures < 3700); /* an eighth cannot be read */
    assert_int_equal(occurrences(text, "<article class=\"page\""), 1000);
    assert_non_null(strstr(text, "smaller ones stand in assignments.csv alone"));
    assert_non_null(strstr(text, "4000 of 1000000 images have a picture"));
    protea_free(text);
    close_fixture(&f);
}

static void each_image_has_a_point_and_a_picture(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f, 350, 5, false);
    char *text = page_of(&f, f.xy);
    assert_int_equal(points_of(text), 350);
    assert_int_equal(occurrences(text, "class=\"pin "), 350);
    assert_int_equal(occurrences(text, " have a picture here"), 0);
    assert_int_equal(occurrences(text, "<article class=\"page\""), f.c.used);
    assert_int_equal(occurrences(text, "class=\"card\" href"), f.c.used + f.c.used * (f.c.used - 1)); /* list, and neighbours */
    assert_non_null(strstr(text, "Near-duplicates"));
    protea_free(text);
    close_fixture(&f);
}

static void without_a_map_pages_have_all_pictures(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f, 350, 5, false);
    char *text = page_of(&f, NULL);
    assert_null(strstr(text, "href=\"#map\""));
    assert_null(strstr(text, "id=\"map\""));
    assert_int_equal(occurrences(text, "class=\"pin "), 0);
    int pictures = occurrences(text, "{--t:url(");
    assert_true(pictures > 100 && pictures < 250); /* 40 for each cluster, and the outliers; no others */
    protea_free(text);
    close_fixture(&f);
}

typedef enum part { TYPICAL, BORDER, FAR, UNSEEN } part;

/* Where a row stands on the page. */
static part part_of(const protea_cluster_faces *face, int64_t row)
{
    for (int i = 0; i < face->typical + face->border + face->far; i++)
        if (face->row[i] == row)
            return i < face->typical ? TYPICAL : i < face->typical + face->border ? BORDER : FAR;
    return UNSEEN;
}

/* Rows of a part come in rising order of their keys. */
static void check_order(const float *key, float sign, const int64_t *row, int n)
{
    for (int i = 1; i < n; i++)
        assert_true(sign * key[row[i]] >= sign * key[row[i - 1]]);
}

/* Typical: nearest to the centroid. Border: of the others, nearest to another centroid. Far: outliers, the farthest first. */
static void check_face(const protea_cluster_faces *face, const fixture *f, int64_t j)
{
    const int64_t *border = face->row + face->typical, *far = border + face->border;
    const float *similarity = f->c.similarity, *margin = f->c.margin;
    check_order(similarity, -1, face->row, face->typical);
    check_order(margin, 1, border, face->border);
    check_order(similarity, 1, far, face->far);
    for (int64_t i = 0; i < f->c.n; i++) {
        part p = part_of(face, i);
        assert_true(f->c.cluster[i] == j || p == UNSEEN);
        if (f->c.cluster[i] != j)
            continue;
        assert_int_equal(f->outlier[i] != 0, p == FAR || (p == UNSEEN && f->outlier[i]));
        if (f->outlier[i])
            assert_true(p == FAR || (face->far > 0 && similarity[i] >= similarity[far[face->far - 1]]));
        else
            assert_true(p == TYPICAL || (face->typical > 0 && similarity[i] <= similarity[face->row[face->typical - 1]]));
        if (!f->outlier[i] && p == UNSEEN)
            assert_true(face->border > 0 && margin[i] >= margin[border[face->border - 1]]);
    }
}

static void pages_show_what_they_say(void **state)
{
    (void)state;
    fixture f;
    protea_cluster_view view;
    open_fixture(&f, 350, 5, false);
    const protea_cluster_page page = { .c = &f.c, .names = &f.names, .source = f.source, .image = f.image, .outlier = f.outlier,
                                       .n_outliers = 50, .cx = &cx };
    assert_ok(protea_cluster_view_new(&view, &page));
    assert_int_equal(view.n_pages, f.c.used);
    for (int64_t p = 0; p < view.n_pages; p++)
        check_face(&view.face[p], &f, view.order[p]);
    protea_cluster_view_release(&view);
    close_fixture(&f);
}

static void least_pages(void **state)
{
    (void)state;
    for (int64_t n = 1; n <= 9; n += 4) {
        fixture f;
        open_fixture(&f, n, 1, true);
        protea_free(page_of(&f, f.xy));
        protea_free(page_of(&f, NULL));
        close_fixture(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pictures_keep_to_their_budget), cmocka_unit_test(a_million_images_fit),
        cmocka_unit_test(each_image_has_a_point_and_a_picture), cmocka_unit_test(without_a_map_pages_have_all_pictures),
        cmocka_unit_test(pages_show_what_they_say), cmocka_unit_test(least_pages),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
