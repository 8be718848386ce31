/* Loaded before the C library: lets one kind of call fail on files under $FAIL_ROOT, from the $FAIL_AT-th on.

   $FAIL_CALL is write, sync, rename or truncate; $FAIL_NAME, where it is set, the name of the only file meant;
   $FAIL_ONCE lets later calls work again. Each call is a byte in $FAIL_NOTES/<kind>, by which calls are counted. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static long calls; /* that match, of this process */

static int fails(const char *kind, const char *path) {
    const char *root = getenv("FAIL_ROOT"), *name = getenv("FAIL_NAME"), *notes = getenv("FAIL_NOTES");
    const char *wanted = getenv("FAIL_CALL"), *at = getenv("FAIL_AT");
    if (!root || strncmp(path, root, strlen(root))) return 0;
    const char *base = strrchr(path, '/');
    if (name && (!base || strcmp(base + 1, name))) return 0;
    if (notes) {
        char file[4200];
        snprintf(file, sizeof file, "%s/%s", notes, kind);
        int out = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND, 0600);
        if (out >= 0) {
            syscall(SYS_write, out, ".", 1);
            syscall(SYS_close, out);
        }
    }
    if (!wanted || !at || strcmp(kind, wanted)) return 0;
    long number = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    if (number < atol(at) || (getenv("FAIL_ONCE") && number > atol(at))) return 0;
    errno = strcmp(kind, "sync") ? ENOSPC : EIO;
    return 1;
}

static int fails_on(const char *kind, int handle) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", handle);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails(kind, path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int handle, const void *bytes, size_t count) {
    return fails_on("write", handle) ? -1 : REAL(write)(handle, bytes, count);
}
ssize_t pwrite(int handle, const void *bytes, size_t count, off_t at) {
    return fails_on("write", handle) ? -1 : REAL(pwrite)(handle, bytes, count, at);
}
ssize_t pwrite64(int handle, const void *bytes, size_t count, off64_t at) {
    return fails_on("write", handle) ? -1 : REAL(pwrite64)(handle, bytes, count, at);
}
int fsync(int handle) { return fails_on("sync", handle) ? -1 : REAL(fsync)(handle); }
int fdatasync(int handle) { return fails_on("sync", handle) ? -1 : REAL(fdatasync)(handle); }
int ftruncate(int handle, off_t size) { return fails_on("truncate", handle) ? -1 : REAL(ftruncate)(handle, size); }
int ftruncate64(int handle, off64_t size) {
    return fails_on("truncate", handle) ? -1 : REAL(ftruncate64)(handle, size);
}
int rename(const char *from, const char *to) { return fails("rename", to) ? -1 : REAL(rename)(from, to); }
int renameat(int a, const char *from, int b, const char *to) {
    return fails("rename", to) ? -1 : REAL(renameat)(a, from, b, to);
}
