/* What all tests of failures have in common: what a message has to be, and clearing away what a run left. */
#ifndef PROTEA_TESTS_SUPPORT_FAULTS_H
#define PROTEA_TESTS_SUPPORT_FAULTS_H

#include "support/test_context.h"

#include "support/temp_folder.h"

/* One line that says something. */
static inline bool fault_message_is_good(void)
{
    const char *text = protea_last_error();
    return text[0] != 0 && strchr(text, '\n') == NULL;
}

/* A file, or a folder with all in it. */
static inline void fault_remove(const char *path)
{
    struct stat info;
    if (lstat(path, &info) == 0)
        assert_int_equal(nftw(path, temp_folder_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

#endif
