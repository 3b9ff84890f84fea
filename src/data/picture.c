/* Pictures inside blobs: what folders and archives share. */
#include <unistd.h>

#include "data/source_kind.h"
#include "image/decode.h"

protea_status protea_read_picture(protea_image *out, const protea_blob *blob, uint64_t at, uint64_t size, const char *label,
                                  const protea_limits *limits)
{
    uint8_t *bytes;
    if (size > (uint64_t)limits->max_file_bytes)
        return protea_fail(PROTEA_ERR_INPUT, "%s: has %llu bytes, at most %lld are read", label, (unsigned long long)size,
                           (long long)limits->max_file_bytes);
    if (blob->memory != NULL && protea_blob_holds(blob, at, size))
        return protea_image_decode(out, blob->memory + at, (size_t)size, label, limits);
    PROTEA_TRY(protea_image_scratch(out, (size_t)size, &bytes)); /* which decoding does not use */
    PROTEA_TRY(protea_blob_read(blob, at, bytes, (size_t)size, label));
    return protea_image_decode(out, bytes, (size_t)size, label, limits);
}

protea_status protea_read_picture_file(protea_image *out, int folder, const char *name, const char *label,
                                       const protea_limits *limits)
{
    protea_blob file = { .fd = -1 };
    PROTEA_TRY(protea_open_regular(folder, name, label, &file.fd, &file.size));
    protea_status status = protea_read_picture(out, &file, 0, file.size, label, limits);
    close(file.fd);
    return status;
}

bool protea_is_picture(const char *name, const protea_blob *blob, uint64_t at, uint64_t size)
{
    uint8_t head[16];
    if (protea_catalog_is_picture_name(name))
        return true;
    return size >= sizeof head && protea_blob_read(blob, at, head, sizeof head, name) == PROTEA_OK &&
           protea_image_is_known(head, sizeof head);
}
