/* What the writer and the reader of safetensors agree on. */
#ifndef PROTEA_FORMAT_SAFETENSORS_HEADER_H
#define PROTEA_FORMAT_SAFETENSORS_HEADER_H

#include "tensor/context.h"

/* How the header of a file of ours begins; the sum's digits follow. */
#define PROTEA_ST_SUM_PREFIX "{\"__metadata__\":{\"protea.xxh3\":\""
enum { PROTEA_ST_SUM_DIGITS = 16, PROTEA_ST_HEADER_MAX = 100000000 };

/* The sum of a header that begins so, without the digits; where the whole file's sum starts. */
uint64_t protea_st_header_sum(const char *header, size_t len);

/* "F32", or NULL for a type that these files do not hold. */
const char *protea_st_dtype_name(protea_dtype dtype);

#endif
