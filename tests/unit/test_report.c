/* Proves: text from outside stays text in a page that loads nothing; plots hold only finite numbers whatever they are
 * given; neighbours appear, and outlive the data; a run without anything to show still has its page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "comm/comm.h"
#include "report/html.h"
#include "report/plot.h"
#include "report/report.h"
#include "report/run_record.h"

static protea_ctx cx;
static char run[] = "/tmp/protea-report-XXXXXX";

static int open_context(void **state)
{
    (void)state;
    return mkdtemp(run) != NULL && protea_backend_cpu_open(&cx.be, PROTEA_ISA_BEST) == PROTEA_OK &&
           protea_comm_self(&cx.comm) == PROTEA_OK ? 0 : -1;
}

static const char *file(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", run, name);
    return path;
}

static int close_context(void **state)
{
    (void)state;
    const char *const names[] = { "config.yaml", "metrics.jsonl", "skipped.tsv", "report.html" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(file(names[i]));
    protea_comm_free(cx.comm);
    protea_backend_close(cx.be);
    return rmdir(run);
}

static void put(const char *name, const char *text)
{
    assert_int_equal(protea_file_write(file(name), text, strlen(text)), PROTEA_OK);
}

/* The page as text; the caller frees it. */
static char *page(void)
{
    char *text;
    size_t len;
    assert_int_equal(protea_file_read(&text, &len, file("report.html"), 1 << 26), PROTEA_OK);
    assert_int_equal(strlen(text), len);
    return text;
}

static int occurrences(const char *text, const char *word)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, word)) != NULL; at++)
        n++;
    return n;
}

static void text_is_escaped(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len;
    FILE *out = open_memstream(&text, &len);
    protea_html_text(out, "<b a=\"x\" b='y'>&\n\x1b\xff\xe2\x80\xaeü");
    fputc('|', out);
    protea_html_tail(out, "ääää", 3);
    fclose(out);
    assert_string_equal(text, "&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;\\n\\x1b\\xff\\u{202e}ü|…ä");
    free(text);
}

static void plots_are_finite(void **state)
{
    (void)state;
    const double nan = (double)NAN, x[6] = { 0, 1, 2, 3, 4, 5 };
    const double cases[][6] = {
        { 1, 1, 1, 1, 1, 1 },          { 0, 0, 0, 0, 0, 0 },        { nan, nan, nan, nan, nan, nan },
        { nan, 2, nan, 3, nan, nan },  { 1e300, -1e300, 0, 0, 0, 0 }, { 1e-300, 2e-300, 0, 0, 0, 0 },
        { (double)INFINITY, 1, 2, -(double)INFINITY, 3, 4 }, { 1e9 + 1, 1e9 + 2, 1e9 + 3, 1e9, 1e9, 1e9 },
    };
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (int64_t n = 0; n <= 6; n++) {
            char *text = NULL;
            size_t len;
            FILE *out = open_memstream(&text, &len);
            const protea_plot plot = { .label = "a <plot>", .line = { x, cases[c], n }, .dots = true, .mark_best = true,
                                       .reference = 5, .reference_label = c % 2 ? "five" : NULL, .small = n % 2 == 0 };
            protea_plot_write(out, &plot);
            fclose(out);
            assert_null(strstr(text, "nan"));
            assert_null(strstr(text, "inf"));
            assert_true(len < 20000);
            assert_non_null(strstr(text, "</svg>"));
            assert_non_null(strstr(text, "a &lt;plot&gt;"));
            free(text);
        }
}

static const char config[] = "verb: train\nkind: swav\narguments: [\"a<b>&\\\"c\\\"\"]\narch: \"resnet18\"  # network\n"
                             "batch_size: 64  # images <per> step\nnmb_prototypes: 30  # prototypes\nknn_test: \"\"  # none\n";

static void hostile_names_stay_text(void **state)
{
    (void)state;
    put("config.yaml", config);
    put("metrics.jsonl", "{\"kind\":\"step\",\"step\":5,\"epoch\":1,\"loss\":3.25,\"<i>key\":1,\"seconds\":2}\n"
                         "{\"kind\":\"epoch\",\"step\":10,\"epoch\":1,\"loss\":3.1,\"knn_top1\":0.5,\"seconds\":4,"
                         "\"warning\":\"<img src=x>\"}\n"
                         "{\"kind\":\"step\",\"step\":15,\"lo");
    put("skipped.tsv", "<script>alert(1)</script>.jpg\tit is <html>\nno tab here\n");
    const protea_report_args args = { .run_dir = run };
    assert_int_equal(protea_report_run(&cx, &args), PROTEA_OK);
    char *text = page();
    assert_null(strstr(text, "<script"));
    assert_null(strstr(text, "<img"));
    assert_null(strstr(text, "<i>"));
    assert_null(strstr(text, "http:"));
    assert_null(strstr(text, "https:"));
    assert_null(strstr(text, "url("));
    assert_non_null(strstr(text, "&lt;script&gt;alert(1)&lt;/script&gt;.jpg"));
    assert_non_null(strstr(text, "&lt;img src=x&gt;"));
    assert_non_null(strstr(text, "a&lt;b&gt;&amp;&quot;c&quot;"));
    assert_non_null(strstr(text, "images &lt;per&gt; step"));
    assert_non_null(strstr(text, "50.0 %"));
    assert_non_null(strstr(text, ">3.25<"));
    assert_non_null(strstr(text, "ln K = 3.40"));
    protea_free(text);
}

static void neighbours_are_shown_and_kept(void **state)
{
    (void)state;
    protea_source *source;
    protea_model model;
    protea_source_opts opts = protea_source_opts_default();
    assert_int_equal(protea_source_open(&source, "synth:shapes,n=60,size=16", &opts), PROTEA_OK);
    assert_int_equal(protea_model_open(&cx, &model, "pixels", 0), PROTEA_OK);
    assert_int_equal(protea_model_fit(&model, source), PROTEA_OK);
    assert_int_equal(model.image_size, 16);
    const protea_report_args with = { .run_dir = run, .model = &model, .source = source }, without = { .run_dir = run };
    put("config.yaml", config);
    assert_int_equal(protea_report_run(&cx, &with), PROTEA_OK);
    char *first = page();
    assert_int_equal(occurrences(first, "<figure class=\"sheet\""), 12);
    assert_int_equal(occurrences(first, "src=\"data:image/png;base64,iVBORw0KGgo"), 12 * 9);
    assert_int_equal(protea_report_run(&cx, &without), PROTEA_OK);
    char *second = page();
    assert_string_equal(first, second);
    protea_free(first);
    protea_free(second);
    protea_model_close(&model);
    protea_source_close(source);
}

/* A curve comes from the lines of steps or of epochs, whichever are more. */
static void the_fuller_curve_is_drawn(void **state)
{
    (void)state;
    protea_run_record r;
    put("config.yaml", config);
    put("metrics.jsonl", "{\"kind\":\"epoch\",\"step\":4,\"epoch\":1,\"loss\":3}\n"
                         "{\"kind\":\"epoch\",\"step\":8,\"epoch\":2,\"loss\":2}\n"
                         "{\"kind\":\"step\",\"step\":8,\"epoch\":2,\"loss\":9,\"lr\":1}\n");
    assert_int_equal(protea_run_record_read(&r, run), PROTEA_OK);
    assert_int_equal(r.n_curves, 2);
    assert_int_equal(protea_run_curve(&r, "loss")->n, 2);
    assert_true(protea_run_curve(&r, "loss")->y[1] == 2 && protea_run_curve(&r, "loss")->x[1] == 2);
    assert_int_equal(protea_run_curve(&r, "lr")->n, 1);
    assert_true(r.in_epochs && r.epochs == 2 && r.steps == 8);
    protea_run_record_release(&r);
}

static void empty_runs_and_no_runs(void **state)
{
    (void)state;
    const protea_report_args args = { .run_dir = run }, nowhere = { .run_dir = "/no/such/run" };
    unlink(file("metrics.jsonl"));
    unlink(file("skipped.tsv"));
    unlink(file("report.html"));
    put("config.yaml", config);
    assert_int_equal(protea_report_run(&cx, &args), PROTEA_OK);
    char *text = page();
    assert_non_null(strstr(text, "nothing measured yet"));
    protea_free(text);
    assert_int_equal(protea_report_run(&cx, &nowhere), PROTEA_ERR_INPUT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_escaped), cmocka_unit_test(plots_are_finite), cmocka_unit_test(hostile_names_stay_text),
        cmocka_unit_test(neighbours_are_shown_and_kept), cmocka_unit_test(the_fuller_curve_is_drawn),
        cmocka_unit_test(empty_runs_and_no_runs),
    };
    return cmocka_run_group_tests(tests, open_context, close_context);
}
