// Makes `gt`, and no other program, meet a full disk: once GT_TEST_FULL_AFTER writes or syncs below GT_TEST_FULL_DIR
// have gone well, every further one fails with ENOSPC. Loaded with LD_PRELOAD; the programs that gt starts inherit that
// and are left alone.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int done;

static int is_full(int fd) {
    const char *dir = getenv("GT_TEST_FULL_DIR");
    const char *after = getenv("GT_TEST_FULL_AFTER");
    char link[64], path[4096];
    if (!dir || strcmp(program_invocation_short_name, "gt") != 0) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    size_t n = strlen(dir);
    if (strncmp(path, dir, n) != 0 || (path[n] != '/' && path[n] != 0)) return 0;
    if (atomic_fetch_add(&done, 1) < (after ? atoi(after) : 0)) return 0;
    errno = ENOSPC;
    return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *data, size_t size) { return is_full(fd) ? -1 : REAL(write)(fd, data, size); }
ssize_t writev(int fd, const struct iovec *parts, int n) { return is_full(fd) ? -1 : REAL(writev)(fd, parts, n); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return is_full(fd) ? -1 : REAL(pwrite)(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { return is_full(fd) ? -1 : REAL(pwrite64)(fd, data, size, at); }
int fsync(int fd) { return is_full(fd) ? -1 : REAL(fsync)(fd); }
int fdatasync(int fd) { return is_full(fd) ? -1 : REAL(fdatasync)(fd); }
