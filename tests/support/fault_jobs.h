/* Jobs of the command, called as it calls them, on small sets; and running one again and again while something fails. */
#ifndef PROTEA_TESTS_SUPPORT_FAULT_JOBS_H
#define PROTEA_TESTS_SUPPORT_FAULT_JOBS_H

#include <jansson.h>
#include <protea/job.h>

#include "support/faults.h"
#include "support/small_sets.h"
#include "support/tiny_classifier.h"

/* A call of the command. output is removed before each run. */
typedef struct fault_job {
    const char *verb, *kind;      /* kind: or NULL */
    const char *arguments[3];     /* NULL-terminated */
    const char *output;           /* or NULL */
    const char *options;          /* "key value key value" */
} fault_job;

/* Reference kernels on one thread: quick for so little, and no library that ends the process where memory is short. */
#define FAULT_MACHINE "isa ref threads 1 "

/* *json: owned (free()), NULL where there is none. */
static inline protea_status fault_run(const fault_job *f, char **json)
{
    static const protea_hooks hooks = { 0 };
    protea_job *job;
    char words[1024], *save = NULL;
    int n = 0;
    *json = NULL;
    while (f->arguments[n] != NULL)
        n++;
    protea_status status = protea_job_new(&job, f->verb, f->kind);
    snprintf(words, sizeof words, "%s", f->options);
    for (char *key = strtok_r(words, " ", &save); key != NULL && status == PROTEA_OK; key = strtok_r(NULL, " ", &save))
        status = protea_options_set(protea_job_options(job), key, strtok_r(NULL, " ", &save), PROTEA_FROM_FLAG);
    if (status == PROTEA_OK)
        status = protea_job_run(job, f->arguments, n, f->output, &hooks, json);
    protea_job_free(job);
    return status;
}

/* The result of a run without what differs from run to run. */
static inline json_t *fault_result(const char *text)
{
    static const char *const timed[] = { "seconds", "images_per_second", "peak_memory", "total_seconds", "ms_per_image" };
    json_t *result = json_loads(text, 0, NULL);
    if (result == NULL)
        fail_msg("no JSON: %s", text);
    for (size_t i = 0; i < sizeof timed / sizeof *timed; i++)
        json_object_del(result, timed[i]);
    return result;
}

/* A folder of classes, a tar of it that is packed, pictures of every format, and a classifier for them. */
static inline void fault_make_sets(void)
{
    static const char *const members[] = { "a/0.png", "a/1.png", "b/2.png", "b/3.png" };
    protea_image image = { 0 };
    uint8_t *bytes;
    size_t len;
    char path[64];
    for (int i = 0; i < 12; i++) {
        snprintf(path, sizeof path, "set/%c/%d.png", 'a' + i % 2, i);
        write_png(path, i);
    }
    assert_ok(protea_image_reserve(&image, 20, 20));
    for (int i = 0; i < 1200; i++)
        image.px[i] = (uint8_t)(i * 7);
    assert_ok(protea_image_encode_jpeg(&bytes, &len, &image, 90));
    write_file("set/a/photo.jpg", bytes, len);
    protea_free(bytes);
    protea_image_release(&image);
    write_file("set/b/torn.png", "\x89PNG\r\n\x1a\n", 8);
    write_tar_of("packed.tar.xz", "pax", "xz", members, 4);
    write_file("list.csv", "path,label\nset/a/0.png,x\nset/b/1.png,y\n", 39);
    tiny_classifier_write("classifier.safetensors", 4, 8);
}

static inline int fault_enter(void **state)
{
    if (temp_folder_enter(state) != 0)
        return 1;
    fault_make_sets();
    return 0;
}

#endif
