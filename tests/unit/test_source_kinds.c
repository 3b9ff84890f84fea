/* Proves: IDX (packed or not), CIFAR-100 and lists give the pixels, labels and order that their files say; a header that lies,
 * a label file that does not fit and a list of traps are refused or passed over in one line; WebP equals what was written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <webp/encode.h>

#include "base/alloc.h"
#include "data/source.h"
#include "support/temp_folder.h"

static protea_source *open_set(const char *spec)
{
    protea_source *s;
    protea_source_opts opts = protea_source_opts_default();
    if (protea_source_open(&s, spec, &opts) != PROTEA_OK)
        fail_msg("%s", protea_last_error());
    return s;
}

static void assert_refused(const char *spec, const char *words)
{
    protea_source *s;
    protea_source_opts opts = protea_source_opts_default();
    assert_int_equal(protea_source_open(&s, spec, &opts), PROTEA_ERR_INPUT);
    if (strstr(protea_last_error(), words) == NULL || strchr(protea_last_error(), '\n') != NULL)
        fail_msg("'%s' wanted in one line, found: %s", words, protea_last_error());
}

static void write_gz(const char *path, const void *bytes, size_t len)
{
    struct archive *a = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    archive_write_add_filter_gzip(a);
    archive_write_set_format_raw(a);
    assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
    archive_entry_set_filetype(entry, AE_IFREG);
    assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
    assert_int_equal(archive_write_data(a, bytes, len), len);
    archive_entry_free(entry);
    assert_int_equal(archive_write_free(a), ARCHIVE_OK);
}

/* ---- IDX */

enum { N = 12, H = 5, W = 3 };

static size_t idx_pictures(uint8_t *out, int channels)
{
    uint8_t head[] = { 0, 0, 8, channels == 1 ? 3 : 4, 0, 0, 0, N, 0, 0, 0, H, 0, 0, 0, W, 0, 0, 0, 3 };
    size_t at = channels == 1 ? 16 : 20, bytes = (size_t)(N * H * W * channels);
    memcpy(out, head, at);
    for (size_t i = 0; i < bytes; i++)
        out[at + i] = (uint8_t)(7 * i);
    return at + bytes;
}

static size_t idx_labels(uint8_t *out)
{
    memcpy(out, (uint8_t[]){ 0, 0, 8, 1, 0, 0, 0, N }, 8);
    for (int i = 0; i < N; i++)
        out[8 + i] = (uint8_t)(N - i); /* 12 to 1: two digits */
    return 8 + N;
}

static void assert_idx(const char *path, int channels, int classes)
{
    protea_source *s = open_set(path);
    protea_image image = { 0 };
    assert_string_equal(protea_source_kind(s), "idx");
    assert_int_equal(protea_source_count(s), N);
    assert_int_equal(protea_source_n_classes(s), classes);
    for (int64_t i = 0; i < N; i++) { /* in the order of their classes, as names are */
        size_t picture = (size_t)(classes > 0 ? N - 1 - i : i), first = picture * H * W * (size_t)channels;
        assert_int_equal(protea_source_label(s, i), classes > 0 ? i : -1);
        assert_int_equal(protea_source_read(s, i, &image), PROTEA_OK);
        assert_true(image.w == W && image.h == H);
        for (size_t k = 0; k < H * W * 3; k++)
            assert_int_equal(image.px[k], (uint8_t)(7 * (first + (channels == 1 ? k / 3 : k))));
    }
    if (classes > 0)
        assert_string_equal(protea_source_class(s, 0), "01");
    protea_image_release(&image);
    protea_source_close(s);
}

static void idx_files(void **state)
{
    (void)state;
    uint8_t pictures[1024], labels[64];
    size_t len = idx_pictures(pictures, 1), n_labels = idx_labels(labels);
    write_file("idx/t-images-idx3-ubyte", pictures, len);
    assert_idx("idx/t-images-idx3-ubyte", 1, 0);
    write_gz("idx/t-labels-idx1-ubyte.gz", labels, n_labels);
    assert_idx("idx/t-images-idx3-ubyte", 1, N);
    write_gz("idx/p-images-idx3-ubyte.gz", pictures, len);
    write_file("idx/p-labels-idx1-ubyte", labels, n_labels);
    assert_idx("idx/p-images-idx3-ubyte.gz", 1, N);
    write_file("idx/colour", pictures, idx_pictures(pictures, 3));
    assert_idx("idx/colour", 3, 0);
}

static void lying_idx(void **state)
{
    (void)state;
    uint8_t pictures[1024], labels[64];
    size_t len = idx_pictures(pictures, 1), n_labels = idx_labels(labels);
    write_file("short-idx", pictures, len - 1);
    assert_refused("short-idx", "bytes follow the header");
    for (int dim = 0; dim < 3; dim++) { /* sizes whose product overflows, and none */
        idx_pictures(pictures, 1);
        memset(pictures + 4 + 4 * dim, 0xff, 4);
        write_file("huge-idx", pictures, len);
        assert_refused("huge-idx", "cannot hold");
        memset(pictures + 4 + 4 * dim, 0, 4);
        write_file("none-idx", pictures, len);
        assert_refused("none-idx", "is 0");
    }
    idx_pictures(pictures, 1);
    pictures[2] = 13;
    write_file("float-idx", pictures, len);
    assert_refused("float-idx", "type 0x0d");
    write_file("head-idx", pictures, 10);
    assert_refused("head-idx", "head-idx");
    idx_pictures(pictures, 1);
    write_file("a-images", pictures, len);
    labels[7] = N - 1;
    write_file("a-labels", labels, n_labels - 1);
    assert_refused("a-images", "11 labels for 12 pictures");
}

/* ---- CIFAR-100 */

static void cifar100_files(void **state)
{
    (void)state;
    enum { RECORD = 3074, RECORDS = 4 };
    static uint8_t records[RECORDS * RECORD];
    const uint8_t label[RECORDS] = { 99, 0, 49, 1 };
    for (int i = 0; i < RECORDS; i++) {
        memset(records + i * RECORD, 40 + i, RECORD);
        records[i * RECORD] = 19;
        records[i * RECORD + 1] = label[i];
    }
    write_file("c100/train.bin", records, sizeof records);
    protea_image image = { 0 };
    const char *const specs[] = { "c100", "c100/train.bin" };
    for (int i = 0; i < 2; i++) {
        protea_source *s = open_set(specs[i]);
        assert_string_equal(protea_source_kind(s), "cifar100");
        assert_int_equal(protea_source_count(s), RECORDS);
        assert_string_equal(protea_source_name(s, 0), "train.bin/apple/00001.png");
        assert_string_equal(protea_source_name(s, 3), "train.bin/worm/00000.png");
        assert_int_equal(protea_source_read(s, 3, &image), PROTEA_OK);
        assert_true(image.w == 32 && image.px[0] == 40 && image.px[3071] == 40);
        protea_source_close(s);
    }
    protea_image_release(&image);
    records[RECORD] = 20;
    write_file("c100/train.bin", records, sizeof records);
    assert_refused("c100/train.bin", "record 1 has label 20, wanted 0 to 19");
}

/* ---- pictures and lists of them */

/* A lossless WebP of one colour. */
static void write_webp(const char *path, uint8_t red)
{
    uint8_t px[4 * 4 * 3], *bytes;
    for (int i = 0; i < 48; i++)
        px[i] = i % 3 == 0 ? red : 7;
    size_t len = WebPEncodeLosslessRGB(px, 4, 4, 12, &bytes);
    assert_int_not_equal(len, 0);
    write_file(path, bytes, len);
    WebPFree(bytes);
}

static uint8_t red_of(const protea_source *s, int64_t i)
{
    protea_image image = { 0 };
    assert_int_equal(protea_source_read(s, i, &image), PROTEA_OK);
    assert_true(image.w == 4 && image.h == 4 && image.px[1] == 7 && image.px[47] == 7);
    uint8_t red = image.px[0];
    protea_image_release(&image);
    return red;
}

static void write_text(const char *path, const char *text)
{
    write_file(path, text, strlen(text));
}

static void webp_pictures(void **state)
{
    (void)state;
    write_webp("webp/a.webp", 200);
    protea_source *s = open_set("webp");
    assert_int_equal(red_of(s, 0), 200);
    protea_source_close(s);
    char bytes[256];
    FILE *f = fopen("webp/a.webp", "rb");
    size_t len = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    for (size_t cut = 12; cut < len; cut++) { /* a cut picture is bad, never a crash */
        protea_image image = { 0 };
        write_file("cut/a.webp", bytes, cut);
        s = open_set("cut");
        protea_status status = protea_source_read(s, 0, &image);
        assert_true(status == PROTEA_ERR_INPUT || status == PROTEA_OK); /* the last bytes may be padding */
        assert_true(status == PROTEA_ERR_INPUT || cut > len - 4);
        protea_source_close(s);
        protea_image_release(&image);
    }
}

static void lists(void **state)
{
    (void)state;
    write_webp("pool/x/1.webp", 10);
    write_webp("pool/x/2.webp", 20);
    write_webp("pool/with, comma.webp", 30);
    write_text("pool/set.csv", "path,label\r\nx/2.webp,zebra\r\n\"with, comma.webp\",ant\nx/1.webp,\n");
    protea_source *s = open_set("pool/set.csv");
    assert_string_equal(protea_source_kind(s), "list");
    assert_int_equal(protea_source_count(s), 3);
    assert_int_equal(protea_source_n_classes(s), 2);
    assert_string_equal(protea_source_class(s, 1), "zebra");
    assert_int_equal(protea_source_label(s, 0), 0); /* "with, comma.webp" */
    assert_int_equal(protea_source_label(s, 1), -1);
    assert_int_equal(protea_source_label(s, 2), 1);
    assert_true(red_of(s, 0) == 30 && red_of(s, 1) == 10 && red_of(s, 2) == 20);
    protea_source_close(s);
    write_text("pool/set.txt", "x/2.webp\n\n  \nx/1.webp\nwith, comma.webp");
    s = open_set("pool/set.txt");
    assert_int_equal(protea_source_count(s), 3);
    assert_int_equal(protea_source_n_classes(s), 0);
    assert_int_equal(red_of(s, 0), 30);
    protea_source_close(s);
    protea_source_opts opts = protea_source_opts_default();
    opts.no_labels = true;
    assert_int_equal(protea_source_open(&s, "pool/set.csv", &opts), PROTEA_OK);
    assert_true(protea_source_n_classes(s) == 0 && protea_source_label(s, 0) == -1);
    protea_source_close(s);
}

/* The classes of image i as text. */
static const char *classes_of(const protea_source *s, int64_t i)
{
    static char text[200];
    const int32_t *label;
    int n = protea_source_labels(s, i, &label);
    text[0] = 0;
    for (int k = 0; k < n; k++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", k > 0 ? "+" : "", protea_source_class(s, label[k]));
    return text;
}

static void lists_of_several_classes(void **state)
{
    (void)state;
    static const char rows[] = "x/1.webp,cat; dog\nx/2.webp,dog\n%s,zebra;cat;;dog;cat\nx/none.webp,\nx/odd.webp,; ;\n";
    char text[300], first[33];
    protea_source_opts opts = protea_source_opts_default();
    protea_source *s;
    opts.several = PROTEA_SEVERAL_KEEP;
    for (int csv = 0; csv < 2; csv++) {
        const char *path = csv ? "pool/several.csv" : "pool/several.txt";
        snprintf(text, sizeof text, rows, csv ? "\"with, comma.webp\"" : "with, comma.webp");
        write_text(path, text);
        assert_int_equal(protea_source_open(&s, path, &opts), PROTEA_OK);
        assert_int_equal(protea_source_count(s), 5);
        assert_int_equal(protea_source_n_classes(s), 3);
        assert_true(protea_source_has_several(s));
        assert_string_equal(classes_of(s, 0), "cat+dog+zebra"); /* "with, comma.webp" */
        assert_string_equal(classes_of(s, 1), "cat+dog");
        assert_string_equal(classes_of(s, 2), "dog");
        assert_string_equal(classes_of(s, 3), "");
        assert_string_equal(classes_of(s, 4), "");
        assert_true(protea_source_label(s, 0) == 0 && protea_source_label(s, 2) == 1 && protea_source_label(s, 4) == -1);
        if (csv)
            assert_string_equal(protea_source_fingerprint(s), first);
        memcpy(first, protea_source_fingerprint(s), sizeof first);
        protea_source_close(s);
    }
    /* whoever wants one class says so; whoever wants none has none */
    opts.several = PROTEA_SEVERAL_REFUSE;
    assert_int_equal(protea_source_open(&s, "pool/several.csv", &opts), PROTEA_ERR_INPUT);
    assert_non_null(strstr(protea_last_error(), "(with, comma.webp is cat;dog;zebra), one each wanted"));
    for (int i = 0; i < 2; i++) {
        opts.several = i == 0 ? PROTEA_SEVERAL_REFUSE : PROTEA_SEVERAL_UNLABEL;
        opts.no_labels = i == 0;
        assert_int_equal(protea_source_open(&s, "pool/several.csv", &opts), PROTEA_OK);
        assert_true(protea_source_n_classes(s) == 0 && !protea_source_has_several(s) && protea_source_label(s, 0) == -1);
        assert_string_equal(classes_of(s, 0), "");
        protea_source_close(s);
    }
    /* other classes, another set; a lone `;` makes no set of several */
    opts.several = PROTEA_SEVERAL_KEEP;
    write_text("pool/several.csv", "x/1.webp,cat;zebra\nx/2.webp,dog\n");
    assert_int_equal(protea_source_open(&s, "pool/several.csv", &opts), PROTEA_OK);
    memcpy(first, protea_source_fingerprint(s), sizeof first);
    protea_source_close(s);
    write_text("pool/several.csv", "x/1.webp,cat;dog\nx/2.webp,dog\nx/3.webp,zebra");
    opts.limit = 2;
    assert_int_equal(protea_source_open(&s, "pool/several.csv", &opts), PROTEA_OK);
    assert_string_not_equal(protea_source_fingerprint(s), first);
    protea_source_close(s);
    write_text("pool/several.csv", "x/1.webp,cat;\nx/2.webp,dog\n");
    s = open_set("pool/several.csv");
    assert_true(protea_source_n_classes(s) == 2 && !protea_source_has_several(s));
    assert_string_equal(classes_of(s, 0), "cat");
    protea_source_close(s);
}

static void lists_of_traps(void **state)
{
    (void)state;
    protea_image image = { 0 };
    mkfifo("fifo.webp", 0600);
    write_text("traps.txt", "fifo.webp\n/dev/zero\nnothing.webp\n..\n");
    protea_source *s = open_set("traps.txt");
    assert_int_equal(protea_source_count(s), 4);
    for (int64_t i = 0; i < 4; i++)
        assert_int_equal(protea_source_read(s, i, &image), PROTEA_ERR_INPUT);
    protea_source_close(s);
    protea_image_release(&image);
    write_file("nul.txt", "a\0b", 3);
    assert_refused("nul.txt", "NUL");
    write_text("quote.csv", "\"a.webp,1\n");
    assert_refused("quote.csv", "never closed");
    write_text("empty.csv", "path,label\n");
    assert_refused("empty.csv", "no images");
    write_text("some.text", "a.webp\n");
    assert_refused("some.text", "a list (.txt, .csv)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(idx_files),     cmocka_unit_test(lying_idx), cmocka_unit_test(cifar100_files),
        cmocka_unit_test(webp_pictures), cmocka_unit_test(lists),     cmocka_unit_test(lists_of_traps),
        cmocka_unit_test(lists_of_several_classes),
    };
    return cmocka_run_group_tests(tests, temp_folder_enter, temp_folder_leave);
}
