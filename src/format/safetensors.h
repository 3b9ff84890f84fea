/* safetensors: u64 header length, JSON header, then the tensors, without holes. The only form Protea writes weights in. */
#ifndef PROTEA_FORMAT_SAFETENSORS_H
#define PROTEA_FORMAT_SAFETENSORS_H

#include "tensor/context.h"

/* ---- writing: collect tensors and metadata, then write the file once, atomically and durably. */
typedef struct protea_st_writer protea_st_writer;
protea_status protea_st_writer_new(protea_st_writer **out);
void protea_st_writer_free(protea_st_writer *w); /* accepts NULL */
/* Plain tensor, borrowed until the write. Order of adding is the order in the file. Names must be unique. */
protea_status protea_st_add(protea_st_writer *w, const char *name, const protea_tensor *t);
protea_status protea_st_add_metadata(protea_st_writer *w, const char *key, const char *value);
/* Writes path.tmp with a checksum of every tensor and of the whole in the metadata (xxh3), fsyncs, reads it back,
 * keeps the old file as `previous` where that is not NULL, renames and fsyncs the directory. On failure the old file
 * stands and the temporary is removed. Errors: PROTEA_ERR_IO naming path. */
protea_status protea_st_write(protea_st_writer *w, const char *path, const char *previous);

/* ---- reading: everything is checked against the file's size before it is believed. */
typedef struct protea_st_file protea_st_file;
/* Maps the file. Errors: PROTEA_ERR_INPUT (not safetensors, truncated, bad checksum), PROTEA_ERR_IO. */
protea_status protea_st_open(protea_st_file **out, const char *path);
void protea_st_close(protea_st_file *f); /* accepts NULL */
int64_t protea_st_count(const protea_st_file *f);
const char *protea_st_name(const protea_st_file *f, int64_t i);
/* View into the mapping: read-only, valid until close. F32, I32, I64, U8 as they are; F16, BF16 and F64 are refused by
 * name. NULL when there is none. */
const protea_tensor *protea_st_find(const protea_st_file *f, const char *name);
const char *protea_st_metadata(const protea_st_file *f, const char *key); /* NULL when there is none */
/* Copies a tensor that find gave (name, of the file path: for messages) into one of the same shape and type; a whole number
 * may go into an f32 scalar. Errors: PROTEA_ERR_INPUT (another shape or type, a number that is not finite). */
protea_status protea_st_copy(const char *path, const char *name, protea_tensor *to, const protea_tensor *from);

#endif
