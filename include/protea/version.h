#ifndef PROTEA_VERSION_H
#define PROTEA_VERSION_H
#define PROTEA_VERSION_MAJOR 0
#define PROTEA_VERSION_MINOR 1
#define PROTEA_VERSION_PATCH 0
#define PROTEA_VERSION "0.1.0"
#ifdef __cplusplus
extern "C" {
#endif
/* Of the library that is running, e.g. "0.1.0". */
const char *protea_version(void);
#ifdef __cplusplus
}
#endif
#endif
